/* Least, greatest, first, last, earliest, latest. */
#include "search/stat.h"

/* Numbers by value; as soon as some value is text, all by text. Of the numbers seen before that,
 * the least and greatest stand for all. */
struct extremes {
    struct value least, greatest; /* numbers */
    struct value text_least, text_greatest;
    bool numbers, texts;
};

static bool text_before(struct value a, struct value b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(a, x), value_text_small(b, y)) < 0;
}

static void text_extreme(struct stat_scope *scope, struct extremes *e, struct value v)
{
    if (!e->texts || text_before(v, e->text_least))
        e->text_least = stat_keep(scope, v);
    if (!e->texts || text_before(e->text_greatest, v))
        e->text_greatest = stat_keep(scope, v);
    e->texts = true;
}

static void extremes_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct extremes *e = state;
    int128 room;
    struct value n;
    (void)time_ns;
    bool number = stat_number(v, &room, &n);
    if (number && (!e->numbers || value_compare_numbers(n, e->least) < 0))
        e->least = stat_keep(scope, n);
    if (number && (!e->numbers || value_compare_numbers(n, e->greatest) > 0))
        e->greatest = stat_keep(scope, n);
    if (!number && !e->texts && e->numbers) {
        text_extreme(scope, e, e->least);
        text_extreme(scope, e, e->greatest);
    }
    e->numbers |= number;
    if (!number || e->texts)
        text_extreme(scope, e, v);
}

static void min_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    if (e->texts || e->numbers)
        stat_give(scope, e->texts ? e->text_least : e->least, out);
}

static void max_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    if (e->texts || e->numbers)
        stat_give(scope, e->texts ? e->text_greatest : e->greatest, out);
}

static void range_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct extremes *e = state;
    int64_t n;
    if (!e->numbers)
        return;
    if (e->least.type == VALUE_I64 && e->greatest.type == VALUE_I64 &&
        !__builtin_sub_overflow(e->greatest.i64, e->least.i64, &n))
        stat_give(scope, value_i64(n), out);
    else
        stat_give_number(scope, value_to_f64(e->greatest) - value_to_f64(e->least), out);
}

const struct stat stat_min = {"min",        0,         "min(f)", 0, sizeof(struct extremes),
                              extremes_add, min_result};
const struct stat stat_max = {"max",        0,         "max(f)", 0, sizeof(struct extremes),
                              extremes_add, max_result};
const struct stat stat_range = {
    "range",      0,           "range(f): greatest less least", 0, sizeof(struct extremes),
    extremes_add, range_result};

/* By arrival. */
struct ends {
    struct value first, last;
    bool some;
};

static void first_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct ends *e = state;
    (void)time_ns;
    if (!e->some)
        e->first = stat_keep(scope, v);
    e->some = true;
}

/* Text that is the same again need not be copied again. */
static void keep_last(struct stat_scope *scope, struct value *to, struct value v)
{
    if (to->type == VALUE_STRING && v.type == VALUE_STRING && to->len >= v.len && v.len) {
        memcpy((char *)(uintptr_t)to->text, v.text, v.len);
        to->len = v.len;
        return;
    }
    if (v.type == VALUE_I64 || v.type == VALUE_F64)
        *to = v;
    else
        *to = stat_keep(scope, v);
}

static void last_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct ends *e = state;
    (void)time_ns;
    keep_last(scope, &e->last, v);
    e->some = true;
}

static void first_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct ends *e = state;
    if (e->some)
        stat_give(scope, e->first, out);
}

static void last_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct ends *e = state;
    if (e->some)
        stat_give(scope, stat_keep(scope, e->last), out); /* the place may be written again */
}

const struct stat stat_first = {
    "first", 0, "first(f) by arrival", 0, sizeof(struct ends), first_add, first_result};
const struct stat stat_last = {"last",   0,          "last(f) by arrival", 0, sizeof(struct ends),
                               last_add, last_result};

/* By _time. */
struct times {
    struct value first, last;
    int64_t first_ns, last_ns;
    bool some;
};

static void times_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct times *t = state;
    if (time_ns == INT64_MIN)
        return;
    if (!t->some || time_ns < t->first_ns) {
        keep_last(scope, &t->first, v);
        t->first_ns = time_ns;
    }
    if (!t->some || time_ns >= t->last_ns) {
        keep_last(scope, &t->last, v);
        t->last_ns = time_ns;
    }
    t->some = true;
}

static void earliest_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        stat_give(scope, stat_keep(scope, t->first), out);
}

static void latest_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        stat_give(scope, stat_keep(scope, t->last), out);
}

static void give_seconds(struct stat_scope *scope, int64_t time_ns, struct value_list *out)
{
    struct value seconds;
    if (value_to_number(value_time(time_ns), scope->arena, &seconds))
        stat_give(scope, seconds, out);
    else
        scope->exhausted = true;
}

static void earliest_time_result(struct stat_scope *scope, const void *state,
                                 struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        give_seconds(scope, t->first_ns, out);
}

static void latest_time_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    if (t->some)
        give_seconds(scope, t->last_ns, out);
}

static void rate_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct times *t = state;
    int128 a, b;
    struct value x, y;
    if (t->some && t->last_ns != t->first_ns && stat_number(t->first, &a, &x) &&
        stat_number(t->last, &b, &y))
        stat_give_number(
            scope, (value_to_f64(y) - value_to_f64(x)) / ((double)(t->last_ns - t->first_ns) / 1e9),
            out);
}

const struct stat stat_earliest = {"earliest",           0,         "earliest(f) by _time", 0,
                                   sizeof(struct times), times_add, earliest_result};
const struct stat stat_latest = {
    "latest", 0, "latest(f) by _time", 0, sizeof(struct times), times_add, latest_result};
const struct stat stat_earliest_time = {"earliest_time",      0,         "_time of earliest(f)", 0,
                                        sizeof(struct times), times_add, earliest_time_result};
const struct stat stat_latest_time = {"latest_time",        0,         "_time of latest(f)", 0,
                                      sizeof(struct times), times_add, latest_time_result};
const struct stat stat_rate = {
    "rate", 0, "rate(f): change a second", 0, sizeof(struct times), times_add, rate_result};
