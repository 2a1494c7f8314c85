/* All values of a group, and the ones at a rank. */
#include "search/stats/state_collected.h"

#include <math.h>
#include <stdlib.h>

void collect_number(struct stat_scope *scope, void *state, struct value v, int64_t time_ns)
{
    int128 room;
    struct value n;
    (void)time_ns;
    if (v.type == VALUE_I64)
        collect(scope, state, v);
    else if (stat_number(v, &room, &n))
        collect(scope, state, stat_keep(scope, n));
}

void collected_prefetch(const void *state)
{
    const struct collected *c = state;
    __builtin_prefetch(c->values + c->count, 1);
}

void collected_merge(struct stat_scope *scope, void *state, const void *part)
{
    struct collected *c = state;
    const struct collected *p = part;
    if (!c->count) {
        *c = *p;
        return;
    }
    for (uint32_t i = 0; i < p->count; i++)
        collect(scope, c, p->values[i]);
}

static int by_number(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    int order = value_compare_numbers(*x, *y);
    return order ? order : stat_tie(*x, *y);
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

enum { FEW = 32 };

/* The collected numbers when all are whole; NULL when they are not. Few of them fit in few. */
static int64_t *whole_numbers(struct stat_scope *scope, const struct collected *c, int64_t few[FEW])
{
    int64_t *numbers =
        c->count <= FEW ? few : arena_alloc(scope->arena, c->count * sizeof(*numbers) + 1);
    scope->exhausted |= !numbers;
    for (uint32_t i = 0; numbers && i < c->count; i++) {
        if (c->values[i].type != VALUE_I64)
            return NULL;
        numbers[i] = c->values[i].i64;
    }
    return numbers;
}

void collected_rank(struct stat_scope *scope, const struct collected *c, double percent,
                    struct value_list *out)
{
    if (!c->count)
        return;
    double at = floor(percent / 100 * (double)c->count);
    uint32_t index = at >= (double)c->count ? c->count - 1 : (uint32_t)at;
    int64_t few[FEW], *numbers = whole_numbers(scope, c, few);
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

void collected_percent(struct stat_scope *scope, const void *state, struct value_list *out)
{
    collected_rank(scope, state, scope->percent, out);
}
