/* Events as objects, a line each; every value and its type can be read back (docs/format/export.md). */
#include "export/export_format.h"

#include "event/exported.h"
#include "event/schema.h"

#include <math.h>
#include <stdlib.h>

struct sorted {
    struct slice name;
    uint32_t column;
    bool other;
};

/* @timestamp first, then by name. */
static int by_name(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    bool time_x = slice_equal(x->name, FIELD_TIMESTAMP), time_y = slice_equal(y->name, FIELD_TIMESTAMP);
    return time_x != time_y ? time_y - time_x : slice_compare(x->name, y->name);
}

static struct sorted *sort_columns(const struct batch *batch, struct arena *arena)
{
    struct sorted *sorted = arena_array(arena, batch->column_count + 1U, sizeof(*sorted));
    for (uint32_t c = 0; sorted && c < batch->column_count; c++)
        sorted[c] = (struct sorted){.name = batch->columns[c]->name,
                                    .column = c,
                                    .other = exported_is_other(batch->columns[c]->name)};
    if (sorted)
        qsort(sorted, batch->column_count, sizeof(*sorted), by_name);
    return sorted;
}

static void put_value(struct value v, struct json *json)
{
    char room[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, room);
    bool bare = v.type == VALUE_I64 || v.type == VALUE_DECIMAL || v.type == VALUE_BOOL ||
                (v.type == VALUE_F64 && isfinite(v.f64));
    if (v.type == VALUE_NULL)
        json_null(json);
    else if (bare)
        json_raw(json, text);
    else
        json_text(json, text);
}

static void put_values(const struct column *column, uint32_t first, uint32_t count, struct json *json)
{
    if (count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        put_value(column->values[first + i], json);
    if (count > 1)
        json_close(json, ']');
}

static void put_types(const struct column *column, uint32_t first, uint32_t count, struct json *json)
{
    if (count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        json_text(json, slice_text(value_type_name((enum value_type)column->values[first + i].type)));
    if (count > 1)
        json_close(json, ']');
}

static bool are_plain(const struct column *column, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!exported_is_plain(column->name, column->values[first + i]))
            return false;
    return true;
}

/* "hinomi.other":[{"name":…,"value":…,"type":…}] */
static void put_other(const struct column *column, uint32_t first, uint32_t count, struct json *json)
{
    json_open(json, '{');
    json_put_text(json, "name", column->name);
    json_key(json, "value");
    put_values(column, first, count, json);
    json_key(json, "type");
    put_types(column, first, count, json);
    json_close(json, '}');
}

/* types and others: written when the line is over, since they come behind the fields. */
struct line {
    struct buffer types, others;
    struct json json, type, other;
};

static void begin_line(struct line *line, struct buffer *to)
{
    buffer_clear(&line->types);
    buffer_clear(&line->others);
    json_init(&line->json, to);
    json_init(&line->type, &line->types);
    json_init(&line->other, &line->others);
    json_open(&line->json, '{');
}

static void end_line(struct line *line, struct buffer *to)
{
    if (line->types.len) {
        json_key_slice(&line->json, EXPORTED_TYPES);
        buffer_put_char(to, '{');
        buffer_put(to, buffer_slice(&line->types));
        buffer_put_char(to, '}');
        line->json.comma = true;
    }
    if (line->others.len) {
        json_key_slice(&line->json, EXPORTED_OTHER);
        buffer_put_char(to, '[');
        buffer_put(to, buffer_slice(&line->others));
        buffer_put_char(to, ']');
    }
    json_close(&line->json, '}');
    buffer_put_char(to, '\n');
    to->failed |= buffer_failed(&line->types) || buffer_failed(&line->others);
}

static void put_row(struct row_walk *walk, const struct sorted *sorted, uint32_t row,
                    struct line *line, struct buffer *to)
{
    begin_line(line, to);
    for (uint32_t i = 0; i < walk->batch->column_count; i++) {
        const struct column *column = walk->batch->columns[sorted[i].column];
        uint32_t first, count = row_walk_values(walk, sorted[i].column, row, &first);
        if (!count)
            continue;
        if (sorted[i].other) {
            put_other(column, first, count, &line->other);
            continue;
        }
        json_key_slice(&line->json, column->name);
        put_values(column, first, count, &line->json);
        if (are_plain(column, first, count))
            continue;
        json_key_slice(&line->type, column->name);
        put_types(column, first, count, &line->type);
    }
    end_line(line, to);
}

static int put_rows(struct export_output *output, const struct batch *batch,
                    const uint64_t *selected, struct err *err)
{
    struct row_walk walk;
    struct line line;
    uint32_t row;
    struct sorted *sorted = sort_columns(batch, output->arena);
    if (!sorted || row_walk_init(&walk, batch, selected, output->arena, err) < 0)
        return err_nomem(err);
    buffer_init(&line.types, EXPORT_WORK_BYTES);
    buffer_init(&line.others, EXPORT_WORK_BYTES);
    int result = 0;
    while (result == 0 && row_walk_next(&walk, &row)) {
        put_row(&walk, sorted, row, &line, &output->out);
        output->counts.events++;
        result = export_flush(output, false, err);
    }
    buffer_close(&line.types);
    buffer_close(&line.others);
    return result;
}

const struct export_kind export_ndjson = {.name = "ndjson", .rows = put_rows};
