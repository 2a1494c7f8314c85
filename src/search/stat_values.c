/* What there was: values, list, mode, percentiles. */
#include "search/group.h"
#include "search/stat.h"

#include <math.h>
#include <stdlib.h>

struct collected {
    struct value *values;
    uint32_t count, room;
};

static void collect(struct stat_scope *scope, struct collected *c, struct value v)
{
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 4;
        void *values = arena_grow(scope->arena, c->values, c->count * sizeof(struct value),
                                  room * sizeof(struct value));
        scope->exhausted |= !values;
        if (!values)
            return;
        c->values = values;
        c->room = room;
    }
    c->values[c->count++] = v;
}

static void list_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    (void)time_ns;
    collect(scope, state, stat_keep(scope, v));
}

static void list_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct collected *c = state;
    (void)scope;
    *out = (struct value_list){c->values, c->count};
}

const struct stat stat_list = {
    "list",   0,          "list(f): all values by arrival", 0, sizeof(struct collected),
    list_add, list_result};

/* Different values, each with how often it came. */
struct counted {
    struct intern values;
    uint64_t *counts;
    uint32_t room;
};

static void counted_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    struct counted *c = state;
    (void)time_ns;
    uint32_t id = intern_value(&c->values, scope->arena, v);
    if (id == GROUP_NONE) {
        scope->exhausted = true;
        return;
    }
    if (id >= c->room) {
        uint32_t room = c->room ? 2 * c->room : 8;
        uint64_t *counts = arena_array(scope->arena, room, sizeof(*counts));
        scope->exhausted |= !counts;
        if (!counts)
            return;
        if (c->room)
            memcpy(counts, c->counts, c->room * sizeof(*counts));
        c->counts = counts;
        c->room = room;
    }
    c->counts[id]++;
}

static int by_bytes(const void *a, const void *b)
{
    char x[VALUE_TEXT_SIZE], y[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(*(const struct value *)a, x),
                         value_text_small(*(const struct value *)b, y));
}

static void values_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct counted *c = state;
    uint32_t count = c->values.count;
    struct value *sorted = arena_array(scope->arena, count + 1U, sizeof(*sorted));
    scope->exhausted |= !sorted;
    if (!sorted || !count)
        return;
    memcpy(sorted, c->values.values, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_bytes);
    *out = (struct value_list){sorted, count};
}

static void mode_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    const struct counted *c = state;
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->values.count; i++)
        if (c->counts[i] > c->counts[best])
            best = i;
    if (c->values.count)
        stat_give(scope, c->values.values[best], out);
}

const struct stat stat_values = {"values",
                                 0,
                                 "values(f): different values in byte order",
                                 0,
                                 sizeof(struct counted),
                                 counted_add,
                                 values_result};
const struct stat stat_mode = {
    "mode",      0,          "mode(f): the most frequent value", 0, sizeof(struct counted),
    counted_add, mode_result};

/* ---- percentiles: nearest rank over all numbers ---- */

static void number_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    int128 room;
    struct value n;
    (void)time_ns;
    if (stat_number(v, &room, &n))
        collect(scope, state, stat_keep(scope, n));
}

static int by_number(const void *a, const void *b)
{
    return value_compare_numbers(*(const struct value *)a, *(const struct value *)b);
}

static int by_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t middle_of(int64_t a, int64_t b, int64_t c)
{
    return a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
}

/* The number that stands at index when they are sorted; the numbers are moved. Parts that hold it
 * are cut smaller (C. A. R. Hoare, "Algorithm 65: Find"); one that will not shrink is sorted. */
static int64_t nth(int64_t *numbers, size_t count, size_t index)
{
    size_t low = 0, high = count - 1;
    for (unsigned rounds = 0; low < high; rounds++) {
        if (rounds > 64) {
            qsort(numbers + low, high - low + 1, sizeof(*numbers), by_i64);
            break;
        }
        int64_t pivot = middle_of(numbers[low], numbers[low + (high - low) / 2], numbers[high]);
        size_t left = low, right = high;
        while (left <= right) {
            for (; numbers[left] < pivot; left++)
                ;
            for (; numbers[right] > pivot; right--)
                ;
            if (left > right)
                break;
            int64_t swap = numbers[left];
            numbers[left++] = numbers[right];
            numbers[right] = swap;
            if (right == 0)
                break;
            right--;
        }
        if (index <= right)
            high = right;
        else if (index >= left)
            low = left;
        else
            break;
    }
    return numbers[index];
}

/* The collected numbers when all are whole; NULL when they are not. */
static int64_t *whole_numbers(struct stat_scope *scope, const struct collected *c)
{
    int64_t *numbers = arena_alloc(scope->arena, c->count * sizeof(*numbers) + 1);
    scope->exhausted |= !numbers;
    for (uint32_t i = 0; numbers && i < c->count; i++) {
        if (c->values[i].type != VALUE_I64)
            return NULL;
        numbers[i] = c->values[i].i64;
    }
    return numbers;
}

static void give_rank(struct stat_scope *scope, const struct collected *c, double percent,
                      struct value_list *out)
{
    if (!c->count)
        return;
    double at = floor(percent / 100 * (double)c->count);
    uint32_t index = at >= (double)c->count ? c->count - 1 : (uint32_t)at;
    int64_t *numbers = whole_numbers(scope, c);
    if (numbers) {
        stat_give(scope, value_i64(nth(numbers, c->count, index)), out);
        return;
    }
    struct value *sorted = arena_array(scope->arena, c->count + 1U, sizeof(*sorted));
    scope->exhausted |= !sorted;
    if (!sorted)
        return;
    memcpy(sorted, c->values, c->count * sizeof(*sorted));
    qsort(sorted, c->count, sizeof(*sorted), by_number);
    stat_give(scope, sorted[index], out);
}

static void percent_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_rank(scope, state, scope->percent, out);
}

static void median_result(struct stat_scope *scope, const void *state, struct value_list *out)
{
    give_rank(scope, state, 50, out);
}

const struct stat stat_median = {
    "median", 0, "median(f)", 0, sizeof(struct collected), number_add, median_result};
const struct stat stat_perc = {
    "perc",     "p",           "perc95(f): nearest rank", STAT_PERCENT, sizeof(struct collected),
    number_add, percent_result};
const struct stat stat_exactperc = {"exactperc",
                                    0,
                                    "exactperc95(f): nearest rank",
                                    STAT_PERCENT,
                                    sizeof(struct collected),
                                    number_add,
                                    percent_result};
const struct stat stat_upperperc = {"upperperc",
                                    0,
                                    "upperperc95(f): nearest rank",
                                    STAT_PERCENT,
                                    sizeof(struct collected),
                                    number_add,
                                    percent_result};
