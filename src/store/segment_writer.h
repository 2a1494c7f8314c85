#pragma once
/*
 * store/segment_writer: makes one segment file, block by block, and makes it durable. The file
 * is written under its own name; it counts only once the manifest names it.
 *
 * Ownership  The writer owns the file until finish or abort, both of which end it.
 * Threads    One.
 * Errors     -1; then abort (which removes the file).
 */
#include "base/io.h"
#include "base/map.h"
#include "store/chunk.h"

struct ZSTD_CCtx_s;
struct words;

struct segment_block {
    uint32_t row_count;
    int64_t time_min, time_max;
    uint64_t seq_min, seq_max;
    uint64_t raw_bytes; /* of event.original */
    struct chunk *chunks;
    uint32_t chunk_count;
};

struct segment_writer {
    const struct hin_io *io;
    char *path;
    int fd;
    int level;
    uint64_t file_id;
    uint64_t written;      /* bytes in the file */
    struct buffer pending; /* follow */
    struct buffer scratch, packed;
    struct arena *arena;   /* footer parts; lives as long as the writer */
    struct arena *work;    /* one chunk */
    struct ZSTD_CCtx_s *zstd;
    struct map names;      /* -> index + 1 */
    struct slice *name_list;
    uint32_t name_count, name_size;
    struct segment_block *blocks;
    uint32_t block_count, block_size;
    struct chunk chunk;    /* being written */
    uint32_t stream_size, chunk_size;
};

struct segment_summary {
    uint64_t file_id;
    uint64_t rows;
    uint32_t blocks;
    int64_t time_min, time_max;
    uint64_t seq_min, seq_max;
    uint64_t bytes, raw_bytes;
};

/* What the footer says beside the blocks. */
struct segment_facts {
    struct slice stream;
    int64_t day;
    uint64_t covered; /* the journal position of the flush that made it */
};

MUST_USE int segment_writer_open(struct segment_writer *writer, const struct hin_io *io,
                                 const char *path, uint64_t file_id, int level, struct err *err);
MUST_USE int segment_writer_begin_block(struct segment_writer *writer, uint32_t row_count,
                                        const int64_t *time_ns, const uint64_t *seq,
                                        struct err *err);
MUST_USE int segment_writer_add(struct segment_writer *writer, struct slice name,
                                const struct chunk_input *input, struct err *err);
/* For segment_pack.c: a block like another segment's, then its chunks with their streams put as they
 * are between begin and end. *column is what the name has as its number here. */
MUST_USE int segment_writer_copy_block(struct segment_writer *writer,
                                       const struct segment_block *like, struct err *err);
/* A column that may have no chunk here. */
MUST_USE int segment_writer_know(struct segment_writer *writer, struct slice name, uint32_t *column,
                                 struct err *err);
MUST_USE int segment_writer_begin_chunk(struct segment_writer *writer, struct slice name,
                                        const struct chunk *like, uint32_t *column, struct err *err);
MUST_USE int segment_writer_end_chunk(struct segment_writer *writer, struct err *err);
MUST_USE int segment_writer_finish(struct segment_writer *writer,
                                   const struct segment_facts *facts,
                                   struct segment_summary *out, struct err *err);
void segment_writer_abort(struct segment_writer *writer);

/* chunk_encode.c: the streams of one chunk. */
void chunk_encode(struct segment_writer *writer, struct chunk *chunk,
                  const struct chunk_input *input);
/* The words of the block, as a stream of the chunk being written. */
void chunk_put_words(struct segment_writer *writer, const struct words *words);
/* Codes below dict_count as one CODES stream, the smaller of planes and packing. */
void chunk_put_codes(struct segment_writer *writer, const uint32_t *codes, size_t count,
                     uint32_t dict_count);
/* For chunk_encode: one stream, compressed where that helps. Failure is remembered in pending. */
void segment_writer_put_stream(struct segment_writer *writer, enum stream_kind kind, uint8_t width,
                               struct slice raw);
/* As it is (PLAIN or PACKED). */
void segment_writer_put_ready(struct segment_writer *writer, enum stream_kind kind,
                              enum stream_method method, uint8_t width, uint32_t raw_len,
                              struct slice stored);
uint32_t segment_crc(uint64_t file_id, uint64_t offset, struct slice bytes);
