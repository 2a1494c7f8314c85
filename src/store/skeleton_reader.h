#pragma once
/*
 * store/skeleton_reader: a SKELETON chunk as it is read, step by step: what the skeletons say, which
 * row has which, what the slots keep. Shared by skeleton_read (texts put together) and
 * skeleton_find (rows that may have a text).
 *
 * Ownership  Everything lives in the reader's arena. Threads: one.
 */
#include "store/segment.h"
#include "store/skeleton.h"

enum { SKELETON_DEPTH_MAX = 4 };

struct skeleton_slot {
    struct slot_coding coding;
    struct form form;          /* COLUMN */
    uint32_t source;           /* COLUMN: in reader->sources */
    uint64_t first_token;      /* REST: of the skeleton's first row; DICT: of the first entry */
    struct slot_tokens tokens; /* the others */
};

/* Constants are part of the literals. */
struct skeleton_shape {
    uint32_t token_count, row_count, rows_seen;
    bool wanted; /* some row that is wanted has it */
    bool never;  /* its rows are wanted by nobody (skeleton_sieve.h) */
    uint32_t first_part, last_part; /* that are wanted: literal n is part 2n, slot n part 2n + 1 */
    struct slice *literals; /* token_count + 1 */
    struct skeleton_slot *slots;
};

/* A column that slots name. */
struct skeleton_source {
    uint32_t column;
    bool wanted; /* by a skeleton that is */
    struct segment_column *data;
    uint32_t cursor; /* the entry found last */
};

struct skeleton_reader {
    struct segment_column *column;
    struct arena *arena;
    const uint64_t *wanted; /* rows of the block; NULL: all */
    struct skeleton_shape *skeletons;
    uint32_t count;
    struct skeleton_source *sources;
    uint32_t source_count;
    uint64_t rest_tokens;
    uint64_t *rest_at; /* rest_tokens + 1 offsets */
    struct slice rest;
    uint32_t *codes;
    bool few;            /* rows are wanted */
    struct buffer *room; /* for printing */
};

/* The skeletons. */
MUST_USE int skeleton_reader_open(struct skeleton_reader *reader, struct err *err);
/* reader->codes: the skeleton of each entry; and which skeletons are wanted, of those that are not
 * never. Rows of the column are loaded when some are. */
MUST_USE int skeleton_reader_codes(struct skeleton_reader *reader, struct err *err);
/* The own tokens of wanted slots: numbers and the like, codes of dictionaries. */
MUST_USE int skeleton_reader_slots(struct skeleton_reader *reader, struct err *err);
/* reader->rest: all texts of rest and dictionary, one behind the other. */
MUST_USE int skeleton_reader_page(struct skeleton_reader *reader, struct err *err);
/* And rest_at: where each begins. */
MUST_USE int skeleton_reader_rest(struct skeleton_reader *reader, struct err *err);
/* The column with this number, which stands before the reader's own, or NULL: its peer, or one of its
 * own in the arena. */
MUST_USE int skeleton_reader_column(struct segment_column *own, uint32_t number, struct arena *arena,
                                    struct segment_column **out, struct err *err);
MUST_USE int skeleton_read_kind(const struct skeleton_reader *reader, enum stream_kind kind,
                                struct slice *out, struct err *err);
