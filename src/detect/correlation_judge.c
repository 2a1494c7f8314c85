#include "detect/correlation_judge.h"

#include "base/limits.h"

#include <math.h>
#include <stdlib.h>

struct run {
    const struct correlation *correlation;
    const struct group *group;
    uint32_t from, end;
    struct group_sums *sums; /* the group's: runs that follow each other share almost all of their events */
    struct arena *scratch;
    bool *failed;
};

/* From those of the run before, where it overlaps. */
static void sum_up(const struct run *run)
{
    struct group_sums *sums = run->sums;
    if (run->from < sums->from || run->from >= sums->end || run->end < sums->end)
        *sums = (struct group_sums){.from = run->from, .end = run->from};
    for (; sums->from < run->from; sums->from++) {
        const struct group_event *event = group_at(run->group, sums->from);
        sums->all -= event->times;
        sums->counted -= event->part ? event->times : 0;
    }
    for (; sums->end < run->end; sums->end++) {
        const struct group_event *event = group_at(run->group, sums->end);
        sums->all += event->times;
        sums->counted += event->part ? event->times : 0;
    }
}

static bool all_hold(const struct correlation *correlation, struct decimal value)
{
    for (size_t i = 0; i < correlation->limit_count; i++)
        if (!correlation_holds(&correlation->limits[i], value))
            return false;
    return true;
}

static uint64_t count_events(const struct run *run)
{
    uint64_t count = 0;
    for (uint32_t i = run->from; i < run->end; i++)
        count += group_at(run->group, i)->times;
    return count;
}

static bool holds_count(const struct run *run, uint64_t count)
{
    return all_hold(run->correlation, decimal_from_i64((int64_t)count));
}

/* ---- different values ---- */

struct tally {
    uint64_t value, times;
};

/* The different values of a run with how often each is there, or until so many are found; NULL when memory is out. */
static struct tally *tally_values(const struct run *run, size_t enough, size_t *size, size_t *count)
{
    *size = 16;
    while (*size < 2 * ((size_t)run->end - run->from))
        *size *= 2;
    struct tally *table = arena_array(run->scratch, *size, sizeof(*table));
    *count = 0;
    for (uint32_t i = run->end; table && i-- > run->from && *count < enough;) {
        const struct group_event *event = group_at(run->group, i);
        size_t at = event->value & (*size - 1);
        while (table[at].value && table[at].value != event->value)
            at = (at + 1) & (*size - 1);
        *count += !table[at].value;
        table[at].value = event->value;
        table[at].times += event->times ? event->times : 1;
    }
    *run->failed |= !table;
    return table;
}

/* The least count that fulfils a condition which more values cannot make untrue. */
static size_t values_needed(const struct correlation *correlation)
{
    int64_t needed = 1, n;
    for (size_t i = 0; i < correlation->limit_count; i++) {
        struct decimal down = decimal_round(correlation->limits[i].number, 0);
        if (!decimal_to_i64(down, &n))
            continue;
        n -= n > 0; /* rounding may have gone up */
        while (!correlation_holds(&correlation->limits[i], decimal_from_i64(n)) && n < CORRELATION_VALUES_MAX + 2)
            n++;
        needed = n > needed ? n : needed;
    }
    return (size_t)needed;
}

static bool holds_values(const struct run *run)
{
    size_t size, count;
    size_t enough = run->correlation->at_close ? SIZE_MAX : values_needed(run->correlation);
    if (!run->correlation->at_close && run->end - run->from < enough)
        return false;
    return tally_values(run, enough, &size, &count) && holds_count(run, count);
}

/* Any value whose share of all, in percent, fulfils the condition. */
static bool holds_share(const struct run *run)
{
    size_t size, count;
    uint64_t all = 0;
    const struct tally *table = tally_values(run, SIZE_MAX, &size, &count);
    for (size_t i = 0; table && i < size; i++)
        all += table[i].times;
    for (size_t i = 0; table && i < size; i++) {
        bool holds = table[i].value != 0;
        for (size_t k = 0; holds && k < run->correlation->limit_count; k++) {
            struct correlation_limit limit = run->correlation->limits[k];
            struct decimal share = decimal_from_i64((int64_t)table[i].times * 100);
            holds = decimal_multiply(limit.number, decimal_from_i64((int64_t)all), &limit.number) &&
                    correlation_holds(&limit, share);
        }
        if (holds)
            return true;
    }
    return false;
}

/* ---- rules together and in order ---- */

static uint64_t parts_seen(const struct run *run)
{
    uint64_t seen = 0;
    for (uint32_t i = run->from; i < run->end; i++)
        seen |= (uint64_t)1 << group_at(run->group, i)->part;
    return seen;
}

static bool steps_hold(const struct correlation *correlation, uint64_t seen)
{
    bool stack[256] = {false};
    size_t depth = 0;
    for (size_t i = 0; i < correlation->step_count; i++) {
        const struct correlation_step *step = &correlation->steps[i];
        if (step->kind == STEP_PART) {
            stack[depth++] = seen >> step->part & 1;
        } else if (step->kind == STEP_NOT) {
            stack[depth - 1] = !stack[depth - 1];
        } else {
            depth--;
            stack[depth - 1] = step->kind == STEP_AND ? stack[depth - 1] && stack[depth]
                                                      : stack[depth - 1] || stack[depth];
        }
    }
    return stack[0];
}

static bool holds_together(const struct run *run)
{
    const struct correlation *correlation = run->correlation;
    uint64_t seen = parts_seen(run);
    uint64_t count = (uint64_t)__builtin_popcountll(seen);
    if (correlation->step_count)
        return steps_hold(correlation, seen);
    return correlation->limit_count ? holds_count(run, count) : count == correlation->part_count;
}

/* Which rules must come one after the other: those that the condition names, else all. */
static uint64_t parts_wanted(const struct correlation *correlation)
{
    uint64_t wanted = 0;
    for (size_t i = 0; i < correlation->step_count; i++)
        if (correlation->steps[i].kind == STEP_PART)
            wanted |= (uint64_t)1 << correlation->steps[i].part;
    return correlation->step_count                ? wanted
           : correlation->part_count == 64        ? UINT64_MAX
                                                  : ((uint64_t)1 << correlation->part_count) - 1;
}

/* The longest chain of different rules in their order: best[p] is that of chains that end with rule p. */
static bool holds_in_order(const struct run *run)
{
    const struct correlation *correlation = run->correlation;
    uint64_t wanted = parts_wanted(correlation);
    uint32_t best[64] = {0}, longest = 0;
    for (uint32_t i = run->from; i < run->end; i++) {
        uint32_t part = group_at(run->group, i)->part, before = 0;
        if (!(wanted >> part & 1))
            continue;
        for (uint32_t p = 0; p < part; p++)
            before = best[p] > before ? best[p] : before;
        best[part] = before + 1 > best[part] ? before + 1 : best[part];
        longest = best[part] > longest ? best[part] : longest;
    }
    return correlation->limit_count ? holds_count(run, longest)
                                    : longest == (uint32_t)__builtin_popcountll(wanted);
}

/* ---- numbers ---- */

/* An average is compared by its sum: nothing is divided and nothing rounded. */
static bool holds_sum(const struct run *run)
{
    struct decimal_sum sum = {0};
    struct decimal total;
    uint64_t count = count_events(run);
    for (uint32_t i = run->from; i < run->end; i++)
        decimal_sum_add(&sum, *group_number(run->group, i));
    if (!count || !decimal_sum_total(&sum, &total))
        return false;
    if (run->correlation->type == CORRELATE_SUM)
        return all_hold(run->correlation, total);
    for (size_t i = 0; i < run->correlation->limit_count; i++) {
        struct correlation_limit limit = run->correlation->limits[i];
        if (!decimal_multiply(limit.number, decimal_from_i64((int64_t)count), &limit.number) ||
            !correlation_holds(&limit, total))
            return false;
    }
    return true;
}

static bool holds_extreme(const struct run *run)
{
    bool most = run->correlation->type == CORRELATE_MAX;
    struct decimal best = *group_number(run->group, run->from);
    for (uint32_t i = run->from + 1; i < run->end; i++) {
        const struct decimal *number = group_number(run->group, i);
        int order = decimal_compare(*number, best);
        if (most ? order > 0 : order < 0)
            best = *number;
    }
    return all_hold(run->correlation, best);
}

struct weighed {
    struct decimal number;
    uint64_t times;
};

static int by_number(const void *a, const void *b)
{
    return decimal_compare(((const struct weighed *)a)->number, ((const struct weighed *)b)->number);
}

static struct decimal at_rank(const struct weighed *numbers, size_t count, uint64_t rank)
{
    size_t i = 0;
    for (; i + 1 < count && rank >= numbers[i].times; i++)
        rank -= numbers[i].times;
    return numbers[i].number;
}

/* Between two numbers of the order by how near the rank is to each; exact, up to 38 digits, else the lower one. */
static struct decimal percentile_of(const struct weighed *numbers, size_t count, struct decimal percentile,
                                    uint64_t all)
{
    struct decimal rank, step, value;
    int128 power = 1;
    if (!decimal_multiply(percentile, decimal_from_i64((int64_t)all - 1), &rank))
        return numbers[0].number;
    rank.scale = (uint8_t)(rank.scale + 2); /* of a hundred; CORRELATION_PERCENTILE_PLACES leave room for it */
    for (uint8_t i = 0; i < rank.scale; i++)
        power *= 10;
    uint64_t whole = (uint64_t)(rank.coefficient / power);
    rank.coefficient %= power;
    struct decimal low = at_rank(numbers, count, whole), high = at_rank(numbers, count, whole + 1);
    bool exact = decimal_subtract(high, low, &step) && decimal_multiply(step, rank, &step) &&
                 decimal_add(low, step, &value);
    return exact ? value : low;
}

static bool holds_percentile(const struct run *run)
{
    const struct correlation *correlation = run->correlation;
    size_t count = (size_t)run->end - run->from;
    uint64_t all = count_events(run);
    struct weighed *numbers = arena_array(run->scratch, count, sizeof(*numbers));
    *run->failed |= !numbers;
    if (!numbers || !all)
        return false;
    for (size_t i = 0; i < count; i++)
        numbers[i] = (struct weighed){*group_number(run->group, run->from + (uint32_t)i),
                                      group_at(run->group, run->from + (uint32_t)i)->times};
    qsort(numbers, count, sizeof(*numbers), by_number);
    return all_hold(correlation, percentile_of(numbers, count, correlation->percentile, all));
}

/* ---- beyond Sigma ---- */

/* The share of the events of part 1 is compared by counts: nothing is divided and nothing rounded. */
static bool holds_ratio(const struct run *run)
{
    const struct correlation *correlation = run->correlation;
    sum_up(run);
    uint64_t all = run->sums->all, counted = run->sums->counted;
    for (size_t i = 0; i < correlation->limit_count; i++) {
        struct correlation_limit limit = correlation->limits[i];
        if (!decimal_multiply(limit.number, decimal_from_i64((int64_t)all), &limit.number) ||
            !correlation_holds(&limit, decimal_from_i64((int64_t)counted)))
            return false;
    }
    return all >= correlation->at_least;
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of the last intervals, four in five are as long as the one in the middle, give or take the jitter. */
static bool holds_beacon(const struct run *run)
{
    size_t wanted = run->correlation->at_least, near = 0;
    if (run->end - run->from <= wanted)
        return false;
    int64_t *lengths = arena_array(run->scratch, wanted, sizeof(*lengths));
    *run->failed |= !lengths;
    if (!lengths)
        return false;
    for (size_t i = 0; i < wanted; i++) {
        uint32_t at = run->end - 1 - (uint32_t)i;
        if (__builtin_sub_overflow(group_at(run->group, at)->time_ns, group_at(run->group, at - 1)->time_ns, &lengths[i]))
            lengths[i] = INT64_MAX;
    }
    qsort(lengths, wanted, sizeof(*lengths), by_length);
    double middle = (double)lengths[wanted / 2];
    for (size_t i = 0; i < wanted; i++)
        near += fabs((double)lengths[i] - middle) <= middle * run->correlation->jitter;
    return middle > 0 && near * 5 >= wanted * 4;
}

double correlation_risk(const struct correlation *correlation, const struct group *group, uint32_t from,
                        uint32_t end, uint32_t part)
{
    int64_t now_ns = group_at(group, end - 1)->time_ns;
    double total = 0;
    for (uint32_t i = from; i < end; i++) {
        const struct group_event *event = group_at(group, i);
        double age = ((double)now_ns - (double)event->time_ns) / (double)correlation->half_life_ns;
        if (part == UINT32_MAX || event->part == part)
            total += decimal_to_f64(*group_number(group, i)) * exp2(-age);
    }
    return total;
}

static bool holds_risk(const struct run *run)
{
    double limit = decimal_to_f64(run->correlation->limits[0].number);
    return correlation_risk(run->correlation, run->group, run->from, run->end, UINT32_MAX) >= limit;
}

bool correlation_judge(const struct correlation *correlation, struct group *group, uint32_t from, uint32_t end,
                       struct arena *scratch, bool *failed)
{
    struct run run = {correlation, group, from, end, &group->sums, scratch, failed};
    if (from >= end)
        return false;
    switch (correlation->type) {
    case CORRELATE_EVENTS:
        sum_up(&run);
        return holds_count(&run, run.sums->all);
    case CORRELATE_VALUES:
        return holds_values(&run);
    case CORRELATE_TEMPORAL:
        return holds_together(&run);
    case CORRELATE_ORDERED:
        return holds_in_order(&run);
    case CORRELATE_SUM:
    case CORRELATE_AVERAGE:
        return holds_sum(&run);
    case CORRELATE_MIN:
    case CORRELATE_MAX:
        return holds_extreme(&run);
    case CORRELATE_PERCENTILE:
        return holds_percentile(&run);
    case CORRELATE_SHARE:
        return holds_share(&run);
    case CORRELATE_RATIO:
        return holds_ratio(&run);
    case CORRELATE_BEACON:
        return holds_beacon(&run);
    case CORRELATE_RISK:
        break;
    }
    return holds_risk(&run);
}
