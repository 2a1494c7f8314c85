#include "serve/job_fields.h"

#include "base/map.h"
#include "event/schema.h"

#include <stdlib.h>

struct named {
    struct slice name;
    const struct column *column;
};

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static bool has_rows(const struct column *column, int64_t start, int64_t end)
{
    uint32_t first;
    column_range(column, (uint32_t)start, &first);
    return first < column->count && column->rows[first] < end;
}

/* The columns that some row of the page has, but time and original, in name order. */
static size_t page_columns(const struct search_result *result, int64_t start, int64_t end,
                           struct named *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < result->rows->column_count; i++) {
        const struct column *column = result->rows->columns[i];
        if (!slice_equal(column->name, FIELD_TIMESTAMP) &&
            !slice_equal(column->name, FIELD_ORIGINAL) && has_rows(column, start, end))
            out[count++] = (struct named){column->name, column};
    }
    qsort(out, count, sizeof(*out), by_name);
    return count;
}

static void put_cell(const struct column *column, uint32_t row, struct json *json)
{
    uint32_t first, count = column ? column_range(column, row, &first) : 0;
    if (count == 0) {
        json_null(json);
        return;
    }
    if (count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        value_to_json(column_value(column, first + i), json);
    if (count > 1)
        json_close(json, ']');
}

void fields_put_events(const struct search_result *result, int64_t start, int64_t end,
                       struct arena *arena, struct json *json)
{
    const struct batch *rows = result->rows;
    struct named *columns =
        rows ? arena_array(arena, rows->column_count + 1U, sizeof(*columns)) : NULL;
    size_t count = columns && start < end ? page_columns(result, start, end, columns) : 0;
    const struct column *time = rows ? batch_find(rows, FIELD_TIMESTAMP) : NULL;
    const struct column *original = rows ? batch_find(rows, FIELD_ORIGINAL) : NULL;
    json_key(json, "columns");
    json_open(json, '[');
    json_text(json, SLICE("_time"));
    json_text(json, SLICE("_raw"));
    for (size_t i = 0; i < count; i++)
        json_text(json, columns[i].name);
    json_close(json, ']');
    json_key(json, "rows");
    json_open(json, '[');
    for (int64_t row = start; row < end; row++) {
        json_open(json, '[');
        put_cell(time, (uint32_t)row, json);
        put_cell(original, (uint32_t)row, json);
        for (size_t i = 0; i < count; i++)
            put_cell(columns[i].column, (uint32_t)row, json);
        json_close(json, ']');
    }
    json_close(json, ']');
}

void fields_put_table(const struct search_result *result, int64_t start, int64_t end,
                      struct json *json)
{
    uint32_t count = result->rows ? result->rows->column_count : 0;
    json_key(json, "columns");
    json_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        json_text(json, result->names[i]);
    json_close(json, ']');
    json_key(json, "rows");
    json_open(json, '[');
    for (int64_t row = start; row < end; row++) {
        json_open(json, '[');
        for (uint32_t i = 0; i < count; i++)
            put_cell(result->rows->columns[i], (uint32_t)row, json);
        json_close(json, ']');
    }
    json_close(json, ']');
}

/* ---- fields ---- */

struct tally {
    struct slice text;
    int64_t count;
};

static int by_count(const void *a, const void *b)
{
    const struct tally *x = *(struct tally *const *)a, *y = *(struct tally *const *)b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return slice_compare(x->text, y->text);
}

static struct tally *tally_of(struct map *seen, struct slice text, struct arena *arena)
{
    struct tally *tally = map_find(seen, text);
    if (tally || seen->count >= FIELD_DISTINCT_MAX)
        return tally;
    tally = arena_calloc(arena, sizeof(*tally));
    struct slice copy = tally ? arena_copy(arena, text) : SLICE_NONE;
    if (!copy.ptr || map_put(seen, copy, tally) < 0)
        return NULL;
    tally->text = copy;
    return tally;
}

static void put_top(const struct map *seen, struct arena *arena, struct json *json)
{
    struct tally **list = arena_array(arena, seen->count + 1, sizeof(*list));
    const struct map_entry *entry;
    size_t count = 0, at = 0;
    while (list && (entry = map_next(seen, &at)))
        list[count++] = entry->value;
    if (count)
        qsort(list, count, sizeof(*list), by_count);
    json_key(json, "top");
    json_open(json, '[');
    for (size_t i = 0; i < count && i < FIELD_TOP; i++) {
        json_open(json, '[');
        json_text(json, list[i]->text);
        json_i64(json, list[i]->count);
        json_close(json, ']');
    }
    json_close(json, ']');
}

static void put_field(const struct column *column, struct arena *arena, struct json *json)
{
    struct map seen;
    map_init(&seen, arena);
    for (uint32_t i = 0; i < column->count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct tally *tally = tally_of(&seen, value_text_small(column_value(column, i), small), arena);
        if (tally)
            tally->count++;
    }
    json_open(json, '{');
    json_put_text(json, "name", column->name);
    json_put_i64(json, "count", column->count);
    json_put_i64(json, "distinct", (int64_t)seen.count);
    put_top(&seen, arena, json);
    json_close(json, '}');
}

void fields_put(const struct search_result *result, struct arena *arena, struct json *json)
{
    const struct batch *rows = result->rows;
    json_key(json, "fields");
    json_open(json, '[');
    struct named *columns =
        rows ? arena_array(arena, rows->column_count + 1U, sizeof(*columns)) : NULL;
    size_t count =
        columns && result->events ? page_columns(result, 0, rows->row_count, columns) : 0;
    for (size_t i = 0; i < count; i++)
        put_field(columns[i].column, arena, json);
    json_close(json, ']');
}
