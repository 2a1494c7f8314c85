#pragma once
/*
 * store/skeleton: a text column as skeletons with slots, since a log line mostly repeats what the
 * decoder has put into the event's other columns (docs/format/segment.md).
 *
 *   {"user":"alice","ms":17}      skeleton  {"user":"?","ms":?}
 *                                 slots     column user.name | column latency, as integer
 *
 * A slot is a constant, a reference to an earlier column of the block (its text form in this row
 * is the token, byte for byte: every row was compared when writing), or its tokens are kept in
 * the REST. Skeleton 0 has one slot, the whole text; rows that fit nothing are its.
 *
 * Threads  One.
 */
#include "store/chunk.h"

enum {
    SKELETON_TOKENS_MAX = 192,
    SKELETONS_MAX = 2048,
    SKELETON_FORM_TEXT = 0,     /* value_text_small() */
    SKELETON_FORM_RFC3339 = 1,  /* + digits of the fraction (0, 3, 6, 9), with Z */
    SKELETON_FORM_EPOCH = 16,   /* + digits below the second (0, 3, 6, 9) */
    SKELETON_FORM_SIZE = 64,
};

struct skeleton_token {
    uint16_t start, len;
};
enum { SKELETON_TEXT_MAX = 65535 };

/* Cuts text into tokens; what lies between belongs to the skeleton. -1 when there are too many. */
int skeleton_cut(struct slice text, struct skeleton_token tokens[SKELETON_TOKENS_MAX]);

/* A value as a slot prints it. SLICE_NONE when the form does not go with the type. */
struct slice skeleton_form(struct value v, uint8_t form, char to[SKELETON_FORM_SIZE]);
/* The form whose texts have this length; for times. */
uint8_t skeleton_guess_form(struct value v, size_t token_len);

/* A column that slots may name. */
struct chunk_ref {
    uint32_t column;  /* index into the segment's names */
    const struct chunk_input *input;
    const uint32_t *entry_of_row; /* UINT32_MAX: none or several; NULL: entry = row */
    struct slice *texts; /* by code; made when first asked */
};

struct chunk_refs {
    struct chunk_ref *list;
    uint32_t count;
};

struct segment_writer;
/* Writes the chunk's data streams, or returns false and has written nothing. Input has values, all
 * STRING, one a row. */
bool skeleton_encode(struct segment_writer *writer, struct chunk *chunk,
                     const struct chunk_input *input);
