#include "detect/hit_fields.h"

#include "base/limits.h"

static bool value_of_group(const struct hit *hit, struct slice name, struct arena *arena, struct hit_values *out)
{
    for (size_t i = 0; hit->finding && i < hit->finding->group_count; i++)
        if (slice_equal(hit->finding->groups[i].type, name)) {
            *out = (struct hit_values){arena_calloc(arena, sizeof(struct slice)), 1};
            if (out->texts)
                out->texts[0] = hit->finding->groups[i].value;
            return true;
        }
    return false;
}

static const struct correlation_source *source_of(const struct correlation_part *part, const struct rule *base)
{
    for (size_t i = 0; i < part->source_count; i++)
        if (part->sources[i].base == base)
            return &part->sources[i];
    return NULL;
}

static bool values_of_column(const struct hit *hit, struct slice name, struct arena *arena, struct hit_values *out)
{
    const struct column *column = batch_find(hit->batch, name);
    uint32_t first, count = column ? column_range(column, hit->row, &first) : 0;
    *out = (struct hit_values){0};
    if (count == 0)
        return false;
    out->texts = arena_array(arena, count, sizeof(*out->texts));
    for (uint32_t i = 0; out->texts && i < count; i++) {
        struct slice text = value_text(column_value(column, first + i), arena);
        bool known = !text.ptr;
        for (size_t k = 0; k < out->count && !known; k++)
            known = slice_equal(out->texts[k], text);
        if (!known)
            out->texts[out->count++] = text;
    }
    return !out->texts || out->count;
}

static bool values_of_field(const struct correlation *correlation, const struct hit *hit, size_t field,
                            struct arena *arena, struct hit_values *out)
{
    const struct correlation_part *part = &correlation->parts[hit->part];
    size_t fields = correlation->group_count + correlation->value_count;
    if (value_of_group(hit, part->names[field], arena, out))
        return true;
    const struct correlation_source *source = hit->batch ? source_of(part, hit->base) : NULL;
    if (!source)
        return false;
    const struct correlation_columns *columns = &source->columns[hit->variant * fields + field];
    for (size_t i = 0; i < columns->count; i++)
        if (values_of_column(hit, columns->names[i], arena, out))
            return true;
    return false;
}

bool hit_fields(const struct correlation *correlation, const struct hit *hit, struct arena *arena,
                struct hit_values values[CORRELATION_FIELDS_MAX], bool *failed)
{
    for (size_t i = 0; i < correlation->group_count + correlation->value_count; i++) {
        if (!values_of_field(correlation, hit, i, arena, &values[i]))
            return false;
        if (!values[i].texts) {
            *failed = true;
            return false;
        }
    }
    return true;
}

bool hit_choose(const struct hit_values *values, size_t from, size_t end, size_t *choice)
{
    for (size_t i = from; i < end; i++) {
        if (++choice[i] < values[i].count)
            return true;
        choice[i] = 0;
    }
    return false;
}
