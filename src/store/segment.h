#pragma once
/*
 * store/segment: reading one segment file (docs/format/segment.md).
 *
 * Ownership  A segment owns its file and footer; decoded columns live in the arena given.
 * Threads    One at a time: every scan opens its own.
 * Errors     ERR_CORRUPT names the file; nothing of a chunk that fails a check is given out.
 * Limits     SEGMENT_FOOTER_MAX, CHUNK_STREAM_RAW_MAX; memory comes out of the arenas given.
 */
#include "event/batch.h"
#include "store/segment_writer.h"

struct segment;

/* The footer is read into arena, which must outlive the segment. */
MUST_USE int segment_open(const struct hin_io *io, const char *path, struct arena *arena,
                          struct segment **out, struct err *err);
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

/* A column of one block, as far as it has been asked for. All in the arena of the load. */
struct segment_column {
    const struct segment *segment;
    const struct chunk *chunk;
    uint32_t block;
    uint32_t block_rows;
    uint32_t count;
    uint32_t depth;           /* of references that led here */
    const uint32_t *rows;     /* always set by load_rows; shared for full columns */
    bool dense;               /* rows is 0 .. block_rows - 1 */
    const struct value *dict; /* CONST, DICT */
    uint32_t dict_count;
    const uint32_t *codes;    /* CONST (all 0), DICT */
    const struct value *values;
};

void segment_column_init(struct segment_column *column, const struct segment *segment,
                         uint32_t block, const struct chunk *chunk);
/* The chunk before it that has the same rows and tells which, or NULL when it tells itself. */
MUST_USE int segment_presence_of(const struct segment_column *column, struct arena *arena,
                                 const struct chunk **out, struct err *err);
/* Each loads only what is missing. */
MUST_USE int segment_load_rows(struct segment_column *column, struct arena *arena, struct err *err);
MUST_USE int segment_load_dict(struct segment_column *column, struct arena *arena, struct err *err);
MUST_USE int segment_load_codes(struct segment_column *column, struct arena *arena,
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

/* 0 .. BLOCK_ROWS_MAX - 1, shared by everyone. */
const uint32_t *segment_identity_rows(void);

/* One stream's raw bytes, checked and decompressed, 8 readable bytes behind them. */
MUST_USE int segment_read_stream(const struct segment *segment, const struct chunk_stream *stream,
                                 struct arena *arena, struct slice *out, struct err *err);
uint64_t segment_bytes_read(const struct segment *segment);
