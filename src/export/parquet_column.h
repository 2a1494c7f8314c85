#pragma once
/*
 * export/parquet_column: the values of one column of one row group, and their pages.
 *
 * Source   apache/parquet-format: README.md (pages, levels), Encodings.md (PLAIN, RLE, RLE_DICTIONARY),
 *          LogicalTypes.md (STRING, DECIMAL, TIMESTAMP, LIST), parquet.thrift.
 *
 *   row          without     "a"       several: "a", null, "b"
 *   optional     def 0       def 1
 *   LIST         def 0       def 3     rep 0 def 3, rep 1 def 2, rep 1 def 3
 *
 * Ownership  Buffers are the column's until parquet_column_close().
 * Limits     EXPORT_GROUP_BYTES is kept to by the caller (parquet_column_bytes).
 */
#include "export/export.h"
#include "export/thrift.h"

enum parquet_kind { PARQUET_BOOL, PARQUET_I64, PARQUET_TIME, PARQUET_F64, PARQUET_DECIMAL, PARQUET_BYTES };
enum parquet_type { /* of parquet.thrift */
    PARQUET_TYPE_BOOLEAN = 0,
    PARQUET_TYPE_INT64 = 2,
    PARQUET_TYPE_DOUBLE = 5,
    PARQUET_TYPE_BYTE_ARRAY = 6,
    PARQUET_TYPE_FIXED = 7,
};
enum { PARQUET_DECIMAL_BYTES = 16, PARQUET_PAGE_BYTES = 1024 * 1024 };

/* Entries with the same levels. */
struct level_run {
    uint32_t count;
    uint8_t def, rep;
};

struct parquet_column {
    struct slice name;
    enum parquet_kind kind;
    bool list, text;      /* text: all of it is UTF-8 */
    uint8_t precision, scale; /* DECIMAL */
    struct buffer values; /* PLAIN; BOOL a byte each */
    struct buffer levels; /* struct level_run */
    uint32_t rows, entries, value_count;
};

void parquet_column_init(struct parquet_column *column, const struct export_column *from);
void parquet_column_close(struct parquet_column *column);
enum parquet_type parquet_column_type(const struct parquet_column *column);
/* Rows before row that had nothing are filled in. Errors are the buffers'. */
void parquet_column_add(struct parquet_column *column, uint32_t row, const struct value *values,
                        uint32_t count);
/* Rows up to rows that had nothing are filled in. */
void parquet_column_fill(struct parquet_column *column, uint32_t rows);
size_t parquet_column_bytes(const struct parquet_column *column);

struct parquet_packer; /* zstd and work space, for one column after the other */
MUST_USE struct parquet_packer *parquet_packer_new(void);
void parquet_packer_free(struct parquet_packer *packer);

/* The column's pages behind `to`, its ColumnMetaData into meta (a whole struct); offset is where `to`
 * ends in the file. The column is empty afterwards. */
struct parquet_sizes {
    int64_t packed, plain;
};
MUST_USE int parquet_column_flush(struct parquet_column *column, uint32_t rows, uint64_t offset,
                                  struct parquet_packer *packer, struct buffer *to,
                                  struct thrift *meta, struct parquet_sizes *sizes,
                                  struct err *err);
