#pragma once
/*
 * store/skeleton_encoder: what the parts of skeleton_encode() share: the skeletons found so far
 * (skeleton_encode.c), the quick way to fit a row to a known one (skeleton_match.c), and the streams
 * they become (skeleton_write.c).
 *
 * Threads  One.
 */
#include "store/skeleton.h"

enum { SKELETON_CANDIDATES = 8 };

/* A column, and how its value stands in the text. */
struct candidate {
    uint32_t ref; /* in refs->list */
    struct form form;
};

struct slot {
    bool constant; /* so far every token is text; then candidates are only guesses */
    struct slice text;
    struct candidate candidates[SKELETON_CANDIDATES];
    uint32_t candidate_count; /* the last one is in use; unless constant it holds for every row */
    struct slot_coding coding; /* when writing, of what nothing predicts */
};

struct stretch;

struct skeleton {
    uint64_t hash;
    struct slice key;
    uint32_t token_count;
    struct slice *literals; /* token_count + 1, in key */
    struct slot *slots;
    uint32_t row_count;
    uint32_t first, last; /* rows, linked by encoder->next_row */
    /* The slots as they are now, for skeleton_match(); NULL when they have changed since. */
    struct stretch *stretches;
    struct stretch *stretch_room; /* token_count + 1 */
    struct skeleton_token *fixed; /* by slot: a constant's place within its stretch */
    char *text_room;              /* as long as literals and constants together */
};

struct present {
    uint32_t ref;
    struct value value;
    struct slice text; /* in FORM_TEXT, or none */
};

enum { SKELETON_RECENT = 4, SKELETON_SHAPES = 256 };

struct encoder {
    struct segment_writer *writer;
    const struct chunk_input *input;
    struct chunk_refs *refs;
    struct arena *arena;
    struct skeleton *skeletons;
    uint32_t count;
    uint16_t *table; /* skeleton + 1 */
    uint32_t *codes;
    uint32_t *next_row;
    struct skeleton_token **tokens; /* of each row */
    struct skeleton *recent[SKELETON_SHAPES][SKELETON_RECENT]; /* newest first */
    struct present *present; /* in the row that a skeleton begins with */
    uint32_t present_count;
    struct buffer *room; /* for printing */
    char *key;
    size_t key_size;
};

static inline struct slice skeleton_token_text(struct slice text, struct skeleton_token token)
{
    return slice_of(text.ptr + token.start, token.len);
}

static inline uint32_t skeleton_row_of(const struct chunk_input *input, uint32_t i)
{
    return input->rows ? input->rows[i] : i;
}

/* ---- skeleton_match.c ---- */

/* The one value of a row of the block in the column, or VALUE_NULL. */
struct value skeleton_value_of(struct chunk_ref *ref, uint32_t row);
/* What the column says in a row of the block, as text; SLICE_NONE when it cannot say it. In the
 * encoder's room, or borrowed. */
struct slice skeleton_ref_text(struct encoder *encoder, const struct candidate *candidate,
                               uint32_t row);
/* Walks the text of entry i along a known skeleton, comparing with what its slots predict: much
 * cheaper than cutting, and any way of taking a text apart will do that puts it together again. */
bool skeleton_match(struct encoder *encoder, struct skeleton *skeleton, uint32_t i,
                    struct slice text, struct skeleton_token *tokens);

/* ---- skeleton_write.c ---- */

/* The chunk's data streams; false when memory is out, and nothing is written. */
bool skeleton_write(struct encoder *encoder);
