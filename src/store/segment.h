#pragma once
/*
 * store/segment: reading one segment file (docs/format/segment.md).
 *
 * Ownership  A segment owns its file and holds its footer; decoded columns live in the arena given.
 * Threads    One at a time: every scan opens its own.
 * Errors     ERR_CORRUPT names the file; nothing of a chunk that fails a check is given out.
 * Limits     SEGMENT_FOOTER_MAX, CHUNK_STREAM_RAW_MAX; memory comes out of the arenas given.
 */
#include "event/batch.h"
#include "store/segment_writer.h"
#include "store/time_counts.h"

struct segment;

/* What a file says of itself: read once, then any number of segments may share it, on any threads. */
struct segment_footer;
struct segment_footer *segment_footer_ref(struct segment_footer *footer);
void segment_footer_unref(struct segment_footer *footer); /* NULL is fine */
size_t segment_footer_bytes(const struct segment_footer *footer); /* of memory */

/* footer: of the same file, from before; NULL: it is read and checked. */
MUST_USE int segment_open(const struct hin_io *io, const char *path, struct segment_footer *footer,
                          struct segment **out, struct err *err);
/* The segment's; lives as long as it, longer with a reference. */
struct segment_footer *segment_get_footer(const struct segment *segment);
void segment_close(struct segment *segment); /* NULL is fine */
/* Of the format that a file says to be of; false when it cannot be read or its trailer is damaged. */
bool segment_read_version(const struct hin_io *io, const char *path, uint32_t *version);

uint64_t segment_file_id(const struct segment *segment);
const struct segment_facts *segment_get_facts(const struct segment *segment);
uint32_t segment_block_count(const struct segment *segment);
const struct segment_block *segment_get_block(const struct segment *segment, uint32_t block);
/* NULL when the block has no such column. */
const struct chunk *segment_find_chunk(const struct segment *segment, uint32_t block,
                                       struct slice name);
uint32_t segment_column_count(const struct segment *segment);
struct slice segment_column_name(const struct segment *segment, uint32_t column);

struct segment_column;

/* The columns of a block that are read together: what is loaded of one serves all that refer to it.
 * Their values may only be loaded for all rows, or for wanted. */
struct segment_columns {
    const struct segment *segment;
    uint32_t block;
    struct segment_column *list; /* by chunk; chunk NULL: not begun */
    const uint64_t *wanted;      /* rows that will not change any more, or NULL */
};

MUST_USE int segment_columns_init(struct segment_columns *columns, const struct segment *segment,
                                  uint32_t block, struct arena *arena, struct err *err);
struct segment_column *segment_columns_at(struct segment_columns *columns, size_t chunk);

/* A column of one block, as far as it has been asked for. All in the arena of the load. */
struct segment_column {
    const struct segment *segment;
    const struct chunk *chunk;
    struct segment_columns *peers; /* NULL: it is read by itself */
    uint32_t block;
    uint32_t block_rows;
    uint32_t count;
    uint32_t depth;           /* of references that led here */
    const uint32_t *rows;     /* always set by load_rows; shared for full columns */
    bool dense;               /* rows is 0 .. block_rows - 1 */
    struct slice raw_dict;    /* CONST, DICT: as it is stored */
    struct slice raw_codes;   /* DICT: as they are stored */
    struct slice raw_present; /* a bit a row, where it is stored so */
    const struct value *dict; /* CONST, DICT */
    uint32_t dict_count;
    const uint32_t *codes;    /* CONST (all 0), DICT */
    const struct slice *texts; /* of the dictionary, in FORM_TEXT (skeleton_form.h) */
    const int64_t *numbers;    /* INT */
    const struct value *values;
    const uint64_t *values_of; /* the rows that values are loaded for; NULL: all */
};

void segment_column_init(struct segment_column *column, const struct segment *segment,
                         uint32_t block, const struct chunk *chunk);
/* Each loads only what is missing. */
MUST_USE int segment_load_rows(struct segment_column *column, struct arena *arena, struct err *err);
/* Raw: the entries' bytes behind one another, each text of theirs in one piece. */
MUST_USE int segment_load_raw_dict(struct segment_column *column, struct arena *arena,
                                   struct err *err);
MUST_USE int segment_load_dict(struct segment_column *column, struct arena *arena, struct err *err);
/* DICT: the codes as they are stored, as many bytes as the entries need, and how. */
MUST_USE int segment_load_raw_codes(struct segment_column *column,
                                    const struct chunk_stream **stream, struct arena *arena,
                                    struct err *err);
MUST_USE int segment_load_codes(struct segment_column *column, struct arena *arena,
                                struct err *err);
/* INT: the numbers, one an entry, whatever their type. */
MUST_USE int segment_load_numbers(struct segment_column *column, struct arena *arena,
                                  struct err *err);
/* So few rows are read one by one, and texts put together rather than searched for in pieces. */
enum { SEGMENT_FEW_ROWS = 200 };

/* The codes of a few rows of CONST or DICT, rows ascending; UINT32_MAX where a row has no value. Not for
 * CHUNK_MULTI. */
MUST_USE int segment_point_codes(struct segment_column *column, const uint32_t *rows,
                                 uint32_t count, struct arena *arena, uint32_t *codes,
                                 struct err *err);
/* Values of the rows in wanted only (NULL: all); others are not to be read. */
MUST_USE int segment_load_values(struct segment_column *column, const uint64_t *wanted,
                                 struct arena *arena, struct err *err);
/* skeleton_read.c: the values of a SKELETON chunk; rows are loaded. */
MUST_USE int skeleton_read(struct segment_column *column, const uint64_t *wanted,
                           struct value *values, struct arena *arena, struct err *err);
/* True unless the filter of the chunk rules the folded text out as a whole value; damage answers
 * true. */
bool segment_may_have_text(const struct segment *segment, const struct chunk *chunk,
                           struct slice folded, struct arena *arena);

/* The block's words (words.h); empty when it has none or they are damaged. */
struct slice segment_words(const struct segment *segment, uint32_t block, struct arena *arena);
/* Its trigrams (trigrams.h), likewise. */
struct slice segment_trigrams(const struct segment *segment, uint32_t block, struct arena *arena);
/* How its rows are spread over time; false when it does not say. */
bool segment_time_counts(const struct segment *segment, uint32_t block, struct arena *arena,
                         struct time_counts *out);

/* 0 .. BLOCK_ROWS_MAX - 1, shared by everyone. */
const uint32_t *segment_identity_rows(void);

/* One stream's raw bytes, checked and decompressed, 8 readable bytes behind them. */
MUST_USE int segment_read_stream(const struct segment *segment, const struct chunk_stream *stream,
                                 struct arena *arena, struct slice *out, struct err *err);
uint64_t segment_bytes_read(const struct segment *segment);
