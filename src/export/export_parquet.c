/*
 * Apache Parquet (parquet-format, parquet.thrift): row groups as they fill, the schema and where
 * everything lies at the end.
 *
 *   "PAR1" | column chunks of group 1 | ... | FileMetaData | its length, 4 bytes | "PAR1"
 */
#include "export/export_format.h"

#include "base/mem.h"
#include "export/parquet_column.h"

/* What the footer says of each group waits in memory until the end. */
#define FOOTER_BYTES_MAX (128 * MIB)

enum { REPETITION_OPTIONAL = 1, REPETITION_REPEATED = 2 };
enum { CONVERTED_UTF8 = 0, CONVERTED_LIST = 3, CONVERTED_DECIMAL = 5 };
enum { LOGICAL_STRING = 1, LOGICAL_LIST = 3, LOGICAL_DECIMAL = 5, LOGICAL_TIMESTAMP = 8 };
enum { UNIT_NANOS = 3, FORMAT_VERSION = 2 };

struct parquet {
    struct parquet_column *columns;
    size_t count;
    struct parquet_packer *packer;
    struct buffer groups; /* RowGroup structs */
    struct buffer chunks; /* ColumnChunk structs of the group being written */
    uint32_t group_count;
    uint32_t rows; /* of the group that fills */
    uint64_t rows_total;
};

static int begin(struct export_output *output, struct err *err)
{
    struct parquet *parquet = output->state = mem_calloc(1, sizeof(*parquet));
    if (!parquet)
        return err_nomem(err);
    parquet->count = export_schema_count(output->schema);
    parquet->columns = mem_calloc(parquet->count + 1, sizeof(*parquet->columns));
    buffer_init(&parquet->groups, FOOTER_BYTES_MAX);
    buffer_init(&parquet->chunks, FOOTER_BYTES_MAX);
    parquet->packer = parquet_packer_new();
    if (!parquet->columns || !parquet->packer)
        return err_nomem(err);
    for (size_t c = 0; c < parquet->count; c++)
        parquet_column_init(&parquet->columns[c], export_schema_column(output->schema, c));
    buffer_put_text(&output->out, "PAR1");
    return 0;
}

static void close_parquet(struct export_output *output)
{
    struct parquet *parquet = output->state;
    if (!parquet)
        return;
    for (size_t c = 0; parquet->columns && c < parquet->count; c++)
        parquet_column_close(&parquet->columns[c]);
    mem_free(parquet->columns);
    parquet_packer_free(parquet->packer);
    buffer_close(&parquet->groups);
    buffer_close(&parquet->chunks);
    mem_free(parquet);
}

/* ---- row groups ---- */

static int flush_columns(struct export_output *output, struct parquet_sizes *sum, struct err *err)
{
    struct parquet *parquet = output->state;
    struct parquet_sizes sizes;
    struct thrift thrift;
    buffer_clear(&parquet->chunks);
    thrift_init(&thrift, &parquet->chunks);
    for (size_t c = 0; c < parquet->count; c++) {
        uint64_t offset = output->counts.bytes + output->out.len;
        thrift_element(&thrift);
        thrift_i64(&thrift, 2, 0); /* file_offset: deprecated, and must be there */
        thrift_struct(&thrift, 3);
        if (parquet_column_flush(&parquet->columns[c], parquet->rows, offset, parquet->packer,
                                 &output->out, &thrift, &sizes, err) < 0)
            return -1;
        thrift_end(&thrift);
        sum->packed += sizes.packed;
        sum->plain += sizes.plain;
        if (export_flush(output, false, err) < 0)
            return -1;
    }
    return 0;
}

static int flush_group(struct export_output *output, struct err *err)
{
    struct parquet *parquet = output->state;
    struct parquet_sizes sum = {0};
    struct thrift thrift;
    int64_t offset = (int64_t)(output->counts.bytes + output->out.len);
    if (!parquet->rows)
        return 0;
    if (flush_columns(output, &sum, err) < 0)
        return -1;
    thrift_init(&thrift, &parquet->groups);
    thrift_list(&thrift, 1, THRIFT_STRUCT, parquet->count);
    buffer_put(&parquet->groups, buffer_slice(&parquet->chunks));
    thrift_i64(&thrift, 2, sum.plain);
    thrift_i64(&thrift, 3, parquet->rows);
    thrift_i64(&thrift, 5, offset);
    thrift_i64(&thrift, 6, sum.packed);
    thrift_end(&thrift);
    parquet->group_count++;
    parquet->rows_total += parquet->rows;
    parquet->rows = 0;
    if (buffer_failed(&parquet->groups) || buffer_failed(&parquet->chunks))
        return err_set(err, ERR_LIMIT, "one Parquet file cannot describe so many events; export them in "
                                       "several ranges of time (--from, --to)");
    return 0;
}

static size_t bytes_held(const struct parquet *parquet)
{
    size_t sum = 0;
    for (size_t c = 0; c < parquet->count; c++)
        sum += parquet_column_bytes(&parquet->columns[c]);
    return sum;
}

static int put_rows(struct export_output *output, const struct batch *batch,
                    const uint64_t *selected, struct err *err)
{
    enum { LOOK_EVERY = 1024 };
    struct parquet *parquet = output->state;
    struct row_walk walk;
    uint32_t row;
    uint32_t *from = export_columns_of(output, batch);
    if (!from || row_walk_init(&walk, batch, selected, output->arena, err) < 0)
        return err_nomem(err);
    while (row_walk_next(&walk, &row)) {
        for (size_t c = 0; c < parquet->count; c++) {
            uint32_t first, count = from[c] ? row_walk_values(&walk, from[c] - 1, row, &first) : 0;
            if (count)
                parquet_column_add(&parquet->columns[c], parquet->rows,
                                   batch->columns[from[c] - 1]->values + first, count);
        }
        parquet->rows++;
        output->counts.events++;
        bool full = parquet->rows >= EXPORT_GROUP_ROWS ||
                    (parquet->rows % LOOK_EVERY == 0 && bytes_held(parquet) > EXPORT_GROUP_BYTES);
        if (full && flush_group(output, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the footer ---- */

static void put_logical(const struct parquet_column *column, struct thrift *thrift)
{
    if (column->kind == PARQUET_TIME) {
        thrift_struct(thrift, 10);
        thrift_struct(thrift, LOGICAL_TIMESTAMP);
        thrift_bool(thrift, 1, true); /* UTC */
        thrift_struct(thrift, 2);
        thrift_struct(thrift, UNIT_NANOS);
        thrift_end(thrift);
        thrift_end(thrift);
    } else if (column->kind == PARQUET_DECIMAL) {
        thrift_i32(thrift, 6, CONVERTED_DECIMAL);
        thrift_i32(thrift, 7, column->scale);
        thrift_i32(thrift, 8, column->precision);
        thrift_struct(thrift, 10);
        thrift_struct(thrift, LOGICAL_DECIMAL);
        thrift_i32(thrift, 1, column->scale);
        thrift_i32(thrift, 2, column->precision);
    } else if (column->text) {
        thrift_i32(thrift, 6, CONVERTED_UTF8);
        thrift_struct(thrift, 10);
        thrift_struct(thrift, LOGICAL_STRING);
    } else {
        return;
    }
    thrift_end(thrift);
    thrift_end(thrift);
}

static void put_leaf(const struct parquet_column *column, struct slice name, struct thrift *thrift)
{
    enum parquet_type type = parquet_column_type(column);
    thrift_element(thrift);
    thrift_i32(thrift, 1, (int32_t)type);
    if (type == PARQUET_TYPE_FIXED)
        thrift_i32(thrift, 2, PARQUET_DECIMAL_BYTES);
    thrift_i32(thrift, 3, REPETITION_OPTIONAL);
    thrift_binary(thrift, 4, name);
    put_logical(column, thrift);
    thrift_end(thrift);
}

static void put_list(const struct parquet_column *column, struct thrift *thrift)
{
    thrift_element(thrift);
    thrift_i32(thrift, 3, REPETITION_OPTIONAL);
    thrift_binary(thrift, 4, column->name);
    thrift_i32(thrift, 5, 1);
    thrift_i32(thrift, 6, CONVERTED_LIST);
    thrift_struct(thrift, 10);
    thrift_struct(thrift, LOGICAL_LIST);
    thrift_end(thrift);
    thrift_end(thrift);
    thrift_end(thrift);
    thrift_element(thrift);
    thrift_i32(thrift, 3, REPETITION_REPEATED);
    thrift_binary(thrift, 4, SLICE("list"));
    thrift_i32(thrift, 5, 1);
    thrift_end(thrift);
    put_leaf(column, SLICE("element"), thrift);
}

static void put_schema(const struct parquet *parquet, struct thrift *thrift)
{
    size_t elements = 1;
    for (size_t c = 0; c < parquet->count; c++)
        elements += parquet->columns[c].list ? 3 : 1;
    thrift_list(thrift, 2, THRIFT_STRUCT, elements);
    thrift_element(thrift);
    thrift_binary(thrift, 4, SLICE("events"));
    thrift_i32(thrift, 5, (int32_t)parquet->count);
    thrift_end(thrift);
    for (size_t c = 0; c < parquet->count; c++)
        if (parquet->columns[c].list)
            put_list(&parquet->columns[c], thrift);
        else
            put_leaf(&parquet->columns[c], parquet->columns[c].name, thrift);
}

static int finish(struct export_output *output, struct err *err)
{
    struct parquet *parquet = output->state;
    struct thrift thrift;
    if (flush_group(output, err) < 0 || export_flush(output, true, err) < 0)
        return -1;
    thrift_init(&thrift, &output->out);
    thrift_i32(&thrift, 1, FORMAT_VERSION);
    put_schema(parquet, &thrift);
    thrift_i64(&thrift, 3, (int64_t)parquet->rows_total);
    thrift_list(&thrift, 4, THRIFT_STRUCT, parquet->group_count);
    size_t before = output->out.len + parquet->groups.len;
    if (output->sink->write(output->sink->context, buffer_slice(&output->out), err) < 0 ||
        output->sink->write(output->sink->context, buffer_slice(&parquet->groups), err) < 0)
        return -1;
    output->counts.bytes += before;
    buffer_clear(&output->out);
    thrift_binary(&thrift, 6, SLICE("hinomi " HINOMI_VERSION));
    thrift_list(&thrift, 7, THRIFT_STRUCT, parquet->count);
    for (size_t c = 0; c < parquet->count; c++) {
        thrift_element(&thrift); /* ColumnOrder */
        thrift_struct(&thrift, 1);
        thrift_end(&thrift);
        thrift_end(&thrift);
    }
    thrift_end(&thrift);
    buffer_put_le32(&output->out, (uint32_t)(before + output->out.len));
    buffer_put_text(&output->out, "PAR1");
    return 0;
}

const struct export_kind export_parquet = {.name = "parquet",
                                           .needs_schema = true,
                                           .begin = begin,
                                           .rows = put_rows,
                                           .finish = finish,
                                           .close = close_parquet};
