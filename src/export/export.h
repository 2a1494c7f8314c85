#pragma once
/*
 * export/export: events in open formats, as a stream.
 *
 *   ndjson   an object a line, everything exact: the forensic form, which `hinomi import --exported` takes
 *            back (docs/format/export.md)
 *   csv      RFC 4180, a column a field; a cell that a spreadsheet would take for a formula gets a '
 *   parquet  Apache Parquet, a column a field
 *   raw      event.original and a line feed
 *
 * csv and parquet have one list of columns for all rows, so the rows are walked twice: once for the
 * schema, once to be written.
 *
 * Ownership  A schema and a writer are their maker's; a writer borrows the schema.
 * Threads    One at a time.
 * Limits     EXPORT_COLUMNS_MAX columns; parquet holds a row group (EXPORT_GROUP_BYTES) of values.
 * Errors     -1: memory, a limit, or what the sink said.
 */
#include "base/bits.h"
#include "base/err.h"
#include "event/batch.h"

enum export_format { EXPORT_NDJSON, EXPORT_CSV, EXPORT_PARQUET, EXPORT_RAW };
bool export_format_by_name(struct slice name, enum export_format *out);
bool export_needs_schema(enum export_format format);

/* What the values of one field are, over all rows. */
struct export_column {
    struct slice name;
    struct slice label; /* the name; "base64:..." where it is no UTF-8 */
    uint16_t types_seen; /* bit per value_type */
    bool multi;          /* some row has several values */
    bool not_utf8;       /* some text is not */
    uint8_t scale;       /* of decimals: the most digits behind the point, */
    uint8_t whole;       /* and before it; integers counted in */
};

struct export_schema;
MUST_USE struct export_schema *export_schema_new(void); /* NULL when memory is out */
void export_schema_free(struct export_schema *schema);  /* NULL is fine */
/* selected NULL: all rows. */
MUST_USE int export_schema_add(struct export_schema *schema, const struct batch *batch,
                               const uint64_t *selected, struct err *err);
/* @timestamp first, then by name. */
MUST_USE int export_schema_finish(struct export_schema *schema, struct err *err);
size_t export_schema_count(const struct export_schema *schema);
const struct export_column *export_schema_column(const struct export_schema *schema, size_t index);

struct export_sink {
    int (*write)(void *context, struct slice bytes, struct err *err);
    void *context;
};

struct export_counts {
    uint64_t events, bytes;
    uint64_t without_original; /* raw: left out; their event.original is missing or cannot be read */
    uint64_t with_line_feed;   /* raw: cannot be told apart again by lines */
};

struct export_writer;
/* schema is finished; NULL where the format needs none. */
MUST_USE int export_writer_new(enum export_format format, const struct export_schema *schema,
                               const struct export_sink *sink, struct export_writer **out,
                               struct err *err);
void export_writer_free(struct export_writer *writer); /* NULL is fine */
MUST_USE int export_writer_rows(struct export_writer *writer, const struct batch *batch,
                                const uint64_t *selected, struct err *err);
/* The end of the file. */
MUST_USE int export_writer_finish(struct export_writer *writer, struct err *err);
const struct export_counts *export_writer_counts(const struct export_writer *writer);
