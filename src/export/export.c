#include "export/export_format.h"

#include "base/mem.h"

#define FLUSH_BYTES (256 * KIB)

static const struct export_kind *const kinds[] = {&export_ndjson, &export_csv, &export_parquet,
                                                  &export_raw};

struct export_writer {
    const struct export_kind *kind;
    struct export_sink sink;
    struct export_output output;
};

bool export_format_by_name(struct slice name, enum export_format *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (slice_is(name, kinds[i]->name)) {
            *out = (enum export_format)i;
            return true;
        }
    return false;
}

bool export_needs_schema(enum export_format format)
{
    return kinds[format]->needs_schema;
}

int export_writer_new(enum export_format format, const struct export_schema *schema,
                      const struct export_sink *sink, struct export_writer **out, struct err *err)
{
    *out = NULL;
    struct export_writer *writer = mem_calloc(1, sizeof(*writer));
    if (!writer)
        return err_nomem(err);
    writer->kind = kinds[format];
    writer->sink = *sink;
    writer->output.schema = schema;
    writer->output.sink = &writer->sink;
    writer->output.arena = arena_new(EXPORT_WORK_BYTES);
    buffer_init(&writer->output.out, EXPORT_WORK_BYTES);
    int result = writer->output.arena ? 0 : err_nomem(err);
    if (result == 0 && writer->kind->begin)
        result = writer->kind->begin(&writer->output, err);
    if (result < 0) {
        export_writer_free(writer);
        return -1;
    }
    *out = writer;
    return 0;
}

void export_writer_free(struct export_writer *writer)
{
    if (!writer)
        return;
    if (writer->kind->close)
        writer->kind->close(&writer->output);
    buffer_close(&writer->output.out);
    arena_free(writer->output.arena);
    mem_free(writer);
}

int export_flush(struct export_output *output, bool force, struct err *err)
{
    if (buffer_failed(&output->out))
        return err_set(err, ERR_LIMIT, "an event is larger than %zu MiB in this format",
                       EXPORT_WORK_BYTES / MIB);
    if (output->out.len == 0 || (!force && output->out.len < FLUSH_BYTES))
        return 0;
    output->counts.bytes += output->out.len;
    int result = output->sink->write(output->sink->context, buffer_slice(&output->out), err);
    buffer_clear(&output->out);
    return result;
}

int export_writer_rows(struct export_writer *writer, const struct batch *batch,
                       const uint64_t *selected, struct err *err)
{
    int result = writer->kind->rows(&writer->output, batch, selected, err);
    arena_reset(writer->output.arena);
    if (result == 0)
        result = export_flush(&writer->output, true, err);
    return result;
}

int export_writer_finish(struct export_writer *writer, struct err *err)
{
    if (writer->kind->finish && writer->kind->finish(&writer->output, err) < 0)
        return -1;
    return export_flush(&writer->output, true, err);
}

const struct export_counts *export_writer_counts(const struct export_writer *writer)
{
    return &writer->output.counts;
}

/* ---- rows ---- */

int row_walk_init(struct row_walk *walk, const struct batch *batch, const uint64_t *selected,
                  struct arena *arena, struct err *err)
{
    *walk = (struct row_walk){.batch = batch, .selected = selected};
    walk->at = arena_array(arena, batch->column_count + 1U, sizeof(*walk->at));
    return walk->at ? 0 : err_nomem(err);
}

bool row_walk_next(struct row_walk *walk, uint32_t *row)
{
    size_t count = walk->batch->row_count;
    size_t found = walk->selected ? bits_next(walk->selected, count, walk->next) : walk->next;
    if (found >= count)
        return false;
    walk->next = found + 1;
    *row = (uint32_t)found;
    return true;
}

uint32_t row_walk_values(struct row_walk *walk, uint32_t column, uint32_t row, uint32_t *first)
{
    const struct column *from = walk->batch->columns[column];
    uint32_t at = walk->at[column];
    while (at < from->count && from->rows[at] < row)
        at++;
    *first = at;
    while (at < from->count && from->rows[at] == row)
        at++;
    walk->at[column] = at;
    return at - *first;
}

uint32_t *export_columns_of(const struct export_output *output, const struct batch *batch)
{
    size_t count = export_schema_count(output->schema);
    uint32_t *from = arena_array(output->arena, count + 1, sizeof(*from));
    struct map map;
    map_init(&map, output->arena);
    for (uint32_t c = 0; from && c < batch->column_count; c++)
        if (map_put(&map, batch->columns[c]->name, (void *)(uintptr_t)(c + 1U)) < 0)
            return NULL;
    for (size_t c = 0; from && c < count; c++)
        from[c] =
            (uint32_t)(uintptr_t)map_find(&map, export_schema_column(output->schema, c)->name);
    return from;
}
