/* Which columns there are over all rows, and what their values are. */
#include "export/export_format.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "event/schema.h"

#include <stdlib.h>

struct export_schema {
    struct arena *arena, *work;
    struct map by_name;
    struct export_column **columns;
    size_t count;
};

struct export_schema *export_schema_new(void)
{
    struct export_schema *schema = mem_calloc(1, sizeof(*schema));
    if (!schema)
        return NULL;
    schema->arena = arena_new(EXPORT_WORK_BYTES);
    schema->work = arena_new(EXPORT_WORK_BYTES);
    if (!schema->arena || !schema->work) {
        export_schema_free(schema);
        return NULL;
    }
    map_init(&schema->by_name, schema->arena);
    return schema;
}

void export_schema_free(struct export_schema *schema)
{
    if (!schema)
        return;
    arena_free(schema->arena);
    arena_free(schema->work);
    mem_free(schema);
}

static struct export_column *column_of(struct export_schema *schema, struct slice name,
                                       struct err *err)
{
    struct export_column *column = map_find(&schema->by_name, name);
    if (column)
        return column;
    if (schema->by_name.count >= EXPORT_COLUMNS_MAX) {
        err_set(err, ERR_LIMIT,
                "there are more than %d different fields, too many for one table; choose fewer events "
                "with a search, or --format ndjson", EXPORT_COLUMNS_MAX);
        return NULL;
    }
    column = arena_calloc(schema->arena, sizeof(*column));
    if (column)
        column->name = arena_copy(schema->arena, name);
    if (!column || !column->name.ptr || map_put(&schema->by_name, column->name, column) < 0) {
        err_nomem(err);
        return NULL;
    }
    return column;
}

static void look_at_number(struct export_column *column, struct value v)
{
    char text[VALUE_TEXT_SIZE];
    struct slice digits = value_text_small(v, text);
    uint8_t scale = v.type == VALUE_DECIMAL ? v.scale : 0;
    if (digits.len && digits.ptr[0] == '-')
        digits = slice_from(digits, 1);
    size_t whole = digits.len - scale - (scale > 0);
    column->scale = scale > column->scale ? scale : column->scale;
    column->whole = whole > column->whole ? (uint8_t)whole : column->whole;
}

static void look_at(struct export_column *column, struct value v)
{
    column->types_seen |= (uint16_t)(1U << v.type);
    if (v.type == VALUE_STRING && !column->not_utf8)
        column->not_utf8 = !utf8_valid(value_slice(v));
    else if (v.type == VALUE_DECIMAL || v.type == VALUE_I64)
        look_at_number(column, v);
}

int export_schema_add(struct export_schema *schema, const struct batch *batch,
                      const uint64_t *selected, struct err *err)
{
    struct row_walk walk;
    uint32_t row;
    arena_reset(schema->work);
    if (row_walk_init(&walk, batch, selected, schema->work, err) < 0)
        return -1;
    struct export_column **to = arena_array(schema->work, batch->column_count + 1U, sizeof(*to));
    if (!to)
        return err_nomem(err);
    while (row_walk_next(&walk, &row))
        for (uint32_t c = 0; c < batch->column_count; c++) {
            uint32_t first, count = row_walk_values(&walk, c, row, &first);
            if (count && !to[c])
                to[c] = column_of(schema, batch->columns[c]->name, err);
            if (count && !to[c])
                return -1;
            for (uint32_t i = 0; i < count; i++)
                look_at(to[c], batch->columns[c]->values[first + i]);
            if (count > 1)
                to[c]->multi = true;
        }
    return 0;
}

/* @timestamp first, then by name. */
static int by_name(const void *a, const void *b)
{
    const struct export_column *const *x = a, *const *y = b;
    bool time_x = slice_equal((*x)->name, FIELD_TIMESTAMP);
    bool time_y = slice_equal((*y)->name, FIELD_TIMESTAMP);
    return time_x != time_y ? time_y - time_x : slice_compare((*x)->name, (*y)->name);
}

static struct slice label_of(struct export_schema *schema, struct slice name)
{
    struct buffer text;
    if (utf8_valid(name))
        return name;
    buffer_init(&text, EXPORT_WORK_BYTES);
    buffer_put_text(&text, "base64:");
    buffer_put_base64(&text, name);
    struct slice label = buffer_failed(&text) ? SLICE_NONE : arena_copy(schema->arena, buffer_slice(&text));
    buffer_close(&text);
    return label;
}

int export_schema_finish(struct export_schema *schema, struct err *err)
{
    const struct map_entry *entry;
    schema->columns =
        arena_array(schema->arena, schema->by_name.count + 1, sizeof(*schema->columns));
    if (!schema->columns)
        return err_nomem(err);
    for (size_t at = 0; (entry = map_next(&schema->by_name, &at));) {
        struct export_column *column = entry->value;
        column->label = label_of(schema, column->name);
        if (!column->label.ptr)
            return err_nomem(err);
        schema->columns[schema->count++] = column;
    }
    qsort(schema->columns, schema->count, sizeof(*schema->columns), by_name);
    return 0;
}

size_t export_schema_count(const struct export_schema *schema)
{
    return schema->count;
}

const struct export_column *export_schema_column(const struct export_schema *schema, size_t index)
{
    return schema->columns[index];
}
