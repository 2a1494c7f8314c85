/*
 * Counts, sums, means and extremes over a sliding window: buckets of 1/31 of it, in the order of time, only those
 * that events fell into.
 *
 *   varint buckets, then of each: its number (as the distance to the one before), a count, a number (as the kind needs)
 *
 * What is out of the window as seen from the fourth newest bucket goes when something comes: a sender whose clock is
 * ahead must not make others' events go, so three buckets of the future change nothing. In any case the newest
 * BUCKETS_MAX stay.
 */
#include "table/state_cell.h"

enum { BUCKETS_MAX = STATE_BUCKETS + 8, AHEAD = 4 };

#define NUMBER_MOST (INT64_MAX / 4)              /* of a bucket, and of its start; so that differences fit */
#define COUNT_MOST (INT64_MAX / 2 / BUCKETS_MAX) /* of a bucket, so that all together fit */

struct bucket {
    int64_t number; /* its start is number * span */
    uint64_t count;
    struct slice bytes; /* of its number, as it was written */
};

struct window {
    struct bucket list[BUCKETS_MAX + 1];
    size_t count;
};

static bool has_count(enum keep_kind kind)
{
    return kind == KEEP_COUNT || kind == KEEP_MEAN;
}

static bool has_number(enum keep_kind kind)
{
    return kind != KEEP_COUNT;
}

static bool is_extreme(enum keep_kind kind)
{
    return kind == KEEP_MIN || kind == KEEP_MAX;
}

int64_t window_span(int64_t window_ns)
{
    return window_ns / (STATE_BUCKETS - 1) + 1; /* one bucket more than the window: see state.h */
}

bool window_time_fits(int64_t start_ns)
{
    return start_ns <= NUMBER_MOST && start_ns >= -NUMBER_MOST;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static uint64_t zigzag(int64_t n)
{
    return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t n)
{
    return (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
}

static bool take_bucket(enum keep_kind kind, struct slice *from, int64_t before, struct bucket *out)
{
    uint64_t distance;
    *out = (struct bucket){.count = 1};
    if (!slice_take_varint(from, &distance))
        return false;
    if (__builtin_add_overflow(before, unzigzag(distance), &out->number))
        return false;
    if (has_count(kind) && !slice_take_varint(from, &out->count))
        return false;
    return !has_number(kind) || number_skip(from, &out->bytes);
}

static void take_window(enum keep_kind kind, struct slice cell, struct window *out)
{
    uint64_t count;
    out->count = 0;
    if (!cell.len || !slice_take_varint(&cell, &count))
        return;
    for (int64_t before = 0; out->count < count && out->count < BUCKETS_MAX; out->count++) {
        if (!take_bucket(kind, &cell, before, &out->list[out->count]))
            return;
        before = out->list[out->count].number;
    }
}

/* sum: of the bucket that was touched, which has no bytes yet. */
static void put_window(enum keep_kind kind, const struct window *window, const struct decimal_sum *sum, struct buffer *to)
{
    buffer_put_varint(to, window->count);
    for (size_t i = 0; i < window->count; i++) {
        const struct bucket *bucket = &window->list[i];
        buffer_put_varint(to, zigzag(bucket->number - (i ? bucket[-1].number : 0)));
        if (has_count(kind))
            buffer_put_varint(to, bucket->count);
        if (has_number(kind) && bucket->bytes.ptr)
            buffer_put(to, bucket->bytes);
        else if (has_number(kind))
            number_put(to, sum);
    }
}

static void remove_first(struct window *window, size_t count)
{
    window->count -= count;
    memmove(window->list, window->list + count, window->count * sizeof(window->list[0]));
}

/* The place of the bucket with this number, made when it is not there. */
static struct bucket *bucket_at(struct window *window, int64_t number)
{
    size_t at = window->count;
    while (at && window->list[at - 1].number > number)
        at--;
    if (at && window->list[at - 1].number == number)
        return &window->list[at - 1];
    memmove(window->list + at + 1, window->list + at, (window->count - at) * sizeof(window->list[0]));
    window->list[at] = (struct bucket){.number = number};
    window->count++;
    return &window->list[at];
}

static void drop_old(struct window *window)
{
    size_t old = window->count > BUCKETS_MAX ? window->count - BUCKETS_MAX : 0;
    while (window->count - old > AHEAD &&
           window->list[old].number <= window->list[window->count - AHEAD].number - STATE_BUCKETS)
        old++;
    remove_first(window, old);
}

static void join(enum keep_kind kind, const struct bucket *bucket, const struct decimal_sum *with, struct decimal_sum *out)
{
    struct slice bytes = bucket->bytes;
    *out = *with;
    struct decimal_sum had;
    if (!bytes.ptr || !number_take(&bytes, &had))
        return;
    if (!is_extreme(kind))
        decimal_sum_merge(out, &had);
    else if (kind == KEEP_MIN ? decimal_sum_compare(&had, with) <= 0 : decimal_sum_compare(&had, with) >= 0)
        *out = had;
}

void window_add(const struct state_field *field, struct slice old, int64_t start_ns, uint64_t count,
                const struct decimal_sum *sum, struct buffer *to)
{
    struct window window;
    struct decimal_sum joined = {0};
    int64_t number = floor_divide(start_ns, window_span(field->window_ns));
    take_window(field->kind, old, &window);
    struct bucket *bucket = bucket_at(&window, number);
    if (has_number(field->kind))
        join(field->kind, bucket, sum, &joined);
    bucket->count = bucket->count < COUNT_MOST - count ? bucket->count + count : COUNT_MOST;
    bucket->bytes = SLICE_NONE;
    drop_old(&window);
    put_window(field->kind, &window, &joined, to);
}

void window_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct arena *scratch,
                struct buffer *to)
{
    struct decimal amount;
    struct decimal_sum sum = {0};
    if (!number_of(input->values.values[0], scratch, &amount)) {
        buffer_put(to, old);
        return;
    }
    decimal_sum_add(&sum, amount);
    window_add(field, old, input->time_ns, 1, &sum, to);
}

bool window_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                 struct value_list *out)
{
    struct window window;
    struct decimal_sum sum = {0}, one;
    uint64_t count = 0;
    bool any = false;
    int64_t span = window_span(field->window_ns), oldest_ns;
    if (__builtin_sub_overflow(now_ns, field->window_ns + span, &oldest_ns))
        oldest_ns = INT64_MIN;
    int64_t after = floor_divide(oldest_ns, span), last = floor_divide(now_ns, span);
    take_window(field->kind, cell, &window);
    for (size_t i = 0; i < window.count; i++) {
        struct bucket *bucket = &window.list[i];
        if (bucket->number <= after || bucket->number > last)
            continue;
        count += bucket->count;
        if (has_number(field->kind) && number_take(&(struct slice){bucket->bytes.ptr, bucket->bytes.len}, &one)) {
            if (!any || !is_extreme(field->kind))
                decimal_sum_merge(&sum, &one);
            else if (field->kind == KEEP_MIN ? decimal_sum_compare(&one, &sum) < 0 : decimal_sum_compare(&one, &sum) > 0)
                sum = one;
        }
        any = true;
    }
    if (field->kind == KEEP_COUNT)
        return cell_one(value_i64((int64_t)count), scratch, out);
    struct value v = any && count ? number_value(&sum, scratch) : value_null();
    if (field->kind == KEEP_MEAN && v.type != VALUE_NULL)
        v = value_f64(value_to_f64(v) / (double)count);
    return cell_one(v, scratch, out);
}

bool window_valid(const struct state_field *field, struct slice cell)
{
    uint64_t count;
    int64_t before = 0;
    if (!slice_take_varint(&cell, &count) || count == 0 || count > BUCKETS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct bucket bucket;
        if (!take_bucket(field->kind, &cell, before, &bucket) || (i && bucket.number <= before) ||
            bucket.number > NUMBER_MOST || bucket.number < -NUMBER_MOST || bucket.count > COUNT_MOST)
            return false;
        before = bucket.number;
    }
    return cell.len == 0;
}

void window_convert(const struct state_field *field, int64_t window_ns, struct slice old, struct buffer *to)
{
    struct window window;
    struct buffer had, next;
    int64_t span = window_span(window_ns);
    buffer_init(&had, to->max);
    buffer_init(&next, to->max);
    take_window(field->kind, old, &window);
    for (size_t i = 0; i < window.count; i++) {
        struct decimal_sum sum = {0};
        struct slice bytes = window.list[i].bytes;
        int64_t start_ns;
        if (__builtin_mul_overflow(window.list[i].number, span, &start_ns) || !window_time_fits(start_ns) ||
            (bytes.ptr && !number_take(&bytes, &sum)))
            continue;
        buffer_clear(&next);
        window_add(field, buffer_slice(&had), start_ns, window.list[i].count, &sum, &next);
        struct buffer swap = had;
        had = next;
        next = swap;
    }
    buffer_put(to, buffer_slice(&had));
    to->failed |= buffer_failed(&had) || buffer_failed(&next);
    buffer_close(&had);
    buffer_close(&next);
}
