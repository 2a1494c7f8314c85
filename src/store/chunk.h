#pragma once
/*
 * store/chunk: one column of one block as bytes (docs/format/segment.md). A chunk is a list of
 * streams, each with its own checksum and compression, so that a dictionary can be asked
 * without its codes and one page of text without the others.
 *
 *   CONST    VALUES (one)
 *   DICT     VALUES (the entries), CODES
 *   INT      INTS                          I64 or TIME
 *   DECIMAL  INTS (coefficients), SCALES when they differ
 *   IP4      INTS
 *   TEXT     LENGTHS, PAGE ...
 *   VALUES   VALUES                        anything, each with its type
 *   SKELETON SKELETONS, CODES, SLOTS, LENGTHS, PAGE: texts out of the block's other columns (skeleton.h)
 *   all      [PRESENCE] [COUNTS] first, when rows are without or with several values
 *
 * Threads  A writer or reader belongs to one thread.
 * Limits   CHUNK_STREAM_RAW_MAX a stream; every length read is checked.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/limits.h"
#include "event/value.h"

enum chunk_encoding {
    CHUNK_CONST = 1,
    CHUNK_DICT,
    CHUNK_INT,
    CHUNK_DECIMAL,
    CHUNK_IP4,
    CHUNK_TEXT,
    CHUNK_VALUES,
    CHUNK_SKELETON,
    CHUNK_ENCODING_COUNT,
};

enum stream_kind {
    STREAM_PRESENCE_BITS = 1, /* a bit per row of the block */
    STREAM_PRESENCE_ROWS,     /* ints: row numbers */
    STREAM_COUNTS,            /* ints: values of each row that has any */
    STREAM_VALUES,
    STREAM_CODES,
    STREAM_INTS,
    STREAM_SCALES,
    STREAM_LENGTHS,
    STREAM_PAGE,
    STREAM_FILTER,            /* bloom.h, over the folded values */
    STREAM_SKELETONS,         /* skeleton.h */
    STREAM_SLOTS,             /* skeleton_slot.h */
    STREAM_PRESENCE_OF,       /* varint: the column before it in the block that has the same rows */
    STREAM_WORDS,             /* words.h, of the whole block; with event.original */
    STREAM_TRIGRAMS,          /* trigrams.h, of the whole block; with event.original */
    STREAM_TIME_COUNTS,       /* time_counts.h, with @timestamp */
    STREAM_KIND_COUNT,
};

enum stream_method { STREAM_PLAIN, STREAM_ZSTD, STREAM_PACKED /* codes: ints_pack, width apart */ };

struct chunk_stream {
    uint8_t kind, method;
    uint8_t width; /* CODES: bytes a code (PLAIN, ZSTD; planes) or bits (PACKED) */
    uint32_t raw_len, stored_len;
    uint32_t crc;  /* over file id, offset, stored bytes */
    uint64_t offset;
};

enum { CHUNK_ALL_ROWS = 1 << 0, CHUNK_MULTI = 1 << 1, CHUNK_HAS_RANGE = 1 << 2 };

struct chunk {
    uint32_t column;      /* index into the segment's names */
    uint8_t encoding;
    uint8_t type;         /* value_type of INT; scale of DECIMAL when it is one */
    uint8_t flags;
    uint16_t types_seen;  /* bit per value_type */
    uint32_t count;       /* values */
    uint32_t row_count;   /* rows that have any */
    int64_t low, high;    /* INT: smallest and largest */
    struct chunk_stream *streams;
    uint32_t stream_count;
};

#define CHUNK_STREAM_RAW_MAX ((size_t)128 * 1024 * 1024)
enum { CHUNK_PAGE_BYTES = 512 * 1024, CHUNK_STREAMS_MAX = 4096 };

struct chunk_refs;

/* What is to be written: codes with a dictionary, or values. */
struct chunk_input {
    uint32_t block_rows;
    uint32_t count;
    const uint32_t *rows;      /* ascending; NULL: one value a row */
    const uint32_t *codes;
    const struct value *dict;
    uint32_t dict_count;
    const struct value *values;
    uint16_t types_seen;
    bool multi;
    bool time_counts;          /* the block's own times, ascending: counts of them are kept, too */
    struct chunk_refs *refs;   /* columns of the block that are written already, or NULL */
};
