#include "search/stat.h"

static const struct stat *const stats[] = {
#define STAT(name) &stat_##name,
#include "search/stats.def"
#undef STAT
};

const struct stat *stat_at(size_t index)
{
    return index < ARRAY_COUNT(stats) ? stats[index] : NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* perc95, p99.9: the name and the number behind it. */
static struct slice cut_percent(struct slice name, double *percent)
{
    size_t at = name.len;
    while (at > 0 && (is_digit(name.ptr[at - 1]) || name.ptr[at - 1] == '.'))
        at--;
    if (at == name.len || !slice_to_f64(slice_from(name, at), percent) || *percent > 100)
        return SLICE_NONE;
    return slice_sub(name, 0, at);
}

const struct stat *stat_find(struct slice name, double *percent, const char **nearest)
{
    struct slice base = cut_percent(name, percent);
    size_t best = SIZE_MAX;
    *nearest = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(stats); i++) {
        struct slice wanted = stats[i]->flags & STAT_PERCENT ? base : name;
        if (wanted.ptr && (slice_is_nocase(wanted, stats[i]->name) ||
                           (stats[i]->alias && slice_is_nocase(wanted, stats[i]->alias))))
            return stats[i];
        size_t distance = slice_distance(name, slice_text(stats[i]->name));
        if (distance < best) {
            best = distance;
            *nearest = stats[i]->name;
        }
    }
    return NULL;
}

void stat_give(struct stat_scope *scope, struct value v, struct value_list *out)
{
    *out = (struct value_list){0};
    if (v.type == VALUE_NULL)
        return;
    struct value *room = arena_alloc(scope->arena, sizeof(*room));
    scope->exhausted |= !room;
    if (!room)
        return;
    *room = v;
    *out = (struct value_list){room, 1};
}

void stat_give_number(struct stat_scope *scope, double n, struct value_list *out)
{
    if (n == (double)(int64_t)n && n > -9e15 && n < 9e15)
        stat_give(scope, value_i64((int64_t)n), out);
    else
        stat_give(scope, value_f64(n), out);
}

void stat_keep_text_over(struct stat_scope *scope, struct value *to, struct value v)
{
    enum { LEAST_BITS = 5 };
    size_t room = to->type == VALUE_STRING && to->flags ? (size_t)1 << to->flags : 0;
    char *place = (char *)(uintptr_t)to->text;
    if (v.len > room || !room) {
        unsigned bits = LEAST_BITS;
        while (((size_t)1 << bits) < v.len)
            bits++;
        place = arena_alloc(scope->arena, (size_t)1 << bits);
        scope->exhausted |= !place;
        if (!place)
            return;
        to->flags = (uint16_t)bits;
    }
    if (v.len)
        memcpy(place, v.text, v.len);
    to->type = VALUE_STRING;
    to->len = v.len;
    to->text = place;
}

struct value stat_keep(struct stat_scope *scope, struct value v)
{
    struct value copy = value_copy(v, scope->arena);
    scope->exhausted |= copy.type != v.type;
    return copy;
}

bool stat_number(struct value v, int128 *room, struct value *out)
{
    *out = v;
    if (v.type == VALUE_I64 || v.type == VALUE_F64 || v.type == VALUE_DECIMAL)
        return true;
    if (v.type != VALUE_STRING || v.len == 0 || v.len > 64)
        return false;
    struct slice text = slice_trim(value_slice(v));
    char c = text.len ? text.ptr[0] : 'x';
    if (!is_digit(c) && c != '-' && c != '+' && c != '.')
        return false;
    if (c == '+')
        text = slice_from(text, 1);
    struct decimal d;
    if (slice_to_i64(text, &out->i64)) {
        *out = value_i64(out->i64);
        return true;
    }
    if (!decimal_parse(text, &d))
        return false;
    *room = d.coefficient;
    *out = (struct value){.type = VALUE_DECIMAL, .scale = d.scale, .decimal = room};
    return true;
}

int stat_tie(struct value a, struct value b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    if (a.type == b.type && (a.type != VALUE_DECIMAL || a.scale == b.scale))
        return 0;
    if (a.type == VALUE_I64 || b.type == VALUE_I64)
        return a.type == VALUE_I64 ? -1 : 1;
    return slice_compare(value_text_small(a, x), value_text_small(b, y));
}
