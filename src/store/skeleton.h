#pragma once
/*
 * store/skeleton: a text column as skeletons with slots, since a log line mostly repeats what the
 * decoder has put into the event's other columns (docs/format/segment.md).
 *
 *   {"user":"alice","ms":17}      skeleton  {"user":"?","ms":?}
 *                                 slots     column user.name | column latency, as integer
 *
 * A slot is a constant, a reference to an earlier column of the block (its text form in this row
 * is the token, byte for byte: every row was compared when writing), or its tokens are kept, as
 * numbers or the like where they are (skeleton_slot.h). Skeleton 0 has one slot, the whole text;
 * rows that fit nothing are its.
 *
 * Threads  One.
 */
#include "store/chunk.h"
#include "store/skeleton_form.h"
#include "store/skeleton_slot.h"
#include "store/words.h"

enum { SKELETON_TOKENS_MAX = 192, SKELETONS_MAX = 2048 };

struct skeleton_token {
    uint16_t start, len;
};
enum { SKELETON_TEXT_MAX = 65535 };

/* Cuts text into tokens; what lies between belongs to the skeleton. Spans (ascending, apart) are
 * tokens as they are. Beside a token there is no letter or digit, so that no word reaches over its
 * edge. -1 when there are too many. */
int skeleton_cut(struct slice text, const struct skeleton_token *spans, size_t span_count,
                 struct skeleton_token tokens[SKELETON_TOKENS_MAX]);
/* Whether the text has bytes that end a token, so that it can only be one as a span. */
bool skeleton_is_cut(struct slice text);
/* Whether a span of the text may be a token: what stands beside it ends one. */
bool skeleton_is_apart(struct slice text, size_t start, size_t len);

/* The first entry of a row in ascending rows, or UINT32_MAX. *cursor is the place of the last answer:
 * cheap when rows are asked for in order. */
uint32_t skeleton_find_row(const uint32_t *rows, uint32_t count, uint32_t row, uint32_t *cursor);

/* A column that slots may name. */
struct chunk_ref {
    uint32_t column;     /* index into the segment's names */
    const struct chunk_input *input;
    uint32_t cursor;     /* the entry found last: rows are mostly asked in order */
    const struct value *texts; /* by code, STRING or NULL; made when first asked */
    bool has_cut;        /* some of its texts can only be found as spans (skeleton_is_cut) */
};

struct chunk_refs {
    struct chunk_ref *list;
    uint32_t count;
    uint32_t *shape_of_row; /* which columns a row has, as a hash */
    struct words *words;    /* takes what is kept as text; NULL: nobody does */
    struct arena *arena;    /* of the block: what refs keep of themselves */
};

struct segment_writer;
/* Writes the chunk's data streams, or returns false and has written nothing. Input has values, all
 * STRING, one a row. */
bool skeleton_encode(struct segment_writer *writer, struct chunk *chunk,
                     const struct chunk_input *input);
