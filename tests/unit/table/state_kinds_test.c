/* What state tables keep, against events that are all remembered and looked at one by one. */
#include "tables_fixture.h"

#include "base/clock.h"
#include "base/hash.h"

enum { KEYS = 3, EVENTS_MAX = 3000, DECIMALS = 18 };

#define MINUTE NS_PER_MINUTE
#define NOON (INT64_C(1767268800) * NS_PER_SECOND)

static const char everything[] = "table: t\n"
                                 "from:\n"
                                 "  - when: kind = \"pay\"\n"
                                 "    key: key\n"
                                 "    keep:\n"
                                 "      latest: {latest: v}\n"
                                 "      earliest: {earliest: v}\n"
                                 "      first: {first_seen: true}\n"
                                 "      last: {last_seen: true}\n"
                                 "      count: {count: true, over: 10m}\n"
                                 "      sum: {sum: amount, over: 10m}\n"
                                 "      mean: {mean: amount, over: 10m}\n"
                                 "      min: {min: amount, over: 10m}\n"
                                 "      max: {max: amount, over: 10m}\n"
                                 "      distinct: {distinct: v, over: 10m}\n"
                                 "      values: {values: v, over: 10m}\n"
                                 "      total: {total: amount, by: member}\n";

struct event {
    int64_t time_ns;
    int key, value, member;
    int128 amount; /* in 10^-18 */
};

struct history {
    struct event list[EVENTS_MAX];
    size_t count;
    uint64_t seed;
};

static uint64_t roll(struct history *h, uint64_t below)
{
    h->seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t n = hash_bytes(slice_of((const char *)&h->seed, sizeof(h->seed)));
    return n % below;
}

/* ---- the slow answers ---- */

static const char *decimal_text(int128 amount)
{
    static char text[DECIMAL_TEXT_SIZE];
    decimal_format(decimal_trim((struct decimal){amount, DECIMALS}), text);
    return text;
}

/* As the header of state.h says: buckets of 1/31 of the window, the oldest whole. */
static bool in_buckets(const struct event *e, int64_t now_ns)
{
    int64_t window_ns = 10 * MINUTE, span = window_ns / 31 + 1, start = e->time_ns / span * span;
    return start > now_ns - window_ns - span && start <= now_ns;
}

static const struct event *extreme_in_time(const struct history *h, int key, bool newest)
{
    const struct event *found = NULL;
    for (size_t i = 0; i < h->count; i++)
        if (h->list[i].key == key && (!found || (h->list[i].time_ns > found->time_ns) == newest))
            found = &h->list[i];
    return found;
}

struct slow {
    uint64_t count;
    int128 sum, min, max;
};

static struct slow slow_window(const struct history *h, int key, int64_t now_ns)
{
    struct slow slow = {0};
    for (size_t i = 0; i < h->count; i++) {
        const struct event *e = &h->list[i];
        if (e->key != key || !in_buckets(e, now_ns))
            continue;
        slow.min = slow.count == 0 || e->amount < slow.min ? e->amount : slow.min;
        slow.max = slow.count == 0 || e->amount > slow.max ? e->amount : slow.max;
        slow.sum += e->amount;
        slow.count++;
    }
    return slow;
}

/* The newest event of each value or member; its index by value. */
static void newest_of_each(const struct history *h, int key, bool member, const struct event *to[], size_t size)
{
    memset(to, 0, size * sizeof(*to));
    for (size_t i = 0; i < h->count; i++) {
        const struct event *e = &h->list[i];
        int of = member ? e->member : e->value;
        if (e->key == key && (!to[of] || e->time_ns > to[of]->time_ns))
            to[of] = e;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event *const *x = a, *const *y = b;
    return ((*x)->time_ns > (*y)->time_ns) - ((*x)->time_ns < (*y)->time_ns);
}

/* The values within the window, the newest last; the count of all of them is returned. */
static size_t slow_values(const struct history *h, int key, int64_t now_ns, size_t most, char *text, size_t size)
{
    enum { VALUES = 400 };
    const struct event *newest[VALUES], *in[VALUES];
    size_t count = 0, len = 0;
    newest_of_each(h, key, false, newest, VALUES);
    for (size_t i = 0; i < VALUES; i++)
        if (newest[i] && newest[i]->time_ns >= now_ns - 10 * MINUTE)
            in[count++] = newest[i];
    if (count)
        qsort(in, count, sizeof(*in), by_time);
    (void)snprintf(text, size, "-");
    for (size_t i = count > most ? count - most : 0; i < count; i++)
        len += (size_t)snprintf(text + len, size - len, "%sv%d", len ? "," : "", in[i]->value);
    return count;
}

static int128 slow_total(const struct history *h, int key)
{
    enum { MEMBERS = 50 };
    const struct event *newest[MEMBERS];
    int128 total = 0;
    newest_of_each(h, key, true, newest, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        total += newest[i] ? newest[i]->amount : 0;
    return total;
}

/* ---- the comparison ---- */

static void expect(struct tables *t, int key, const char *field, int64_t now_ns, const char *want)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "k%d", key);
    const char *got = tables_read(t, "t", name, field, now_ns);
    if (strcmp(got, want) != 0)
        fail_msg("%s of %s: %s instead of %s", field, name, got, want);
}

static void expect_seen(struct tables *t, int key, const char *field, int64_t now_ns, int64_t time_ns)
{
    struct value seconds;
    char want[VALUE_TEXT_SIZE], small[VALUE_TEXT_SIZE];
    assert_true(value_to_number(value_time(time_ns), t->arena, &seconds));
    struct slice text = value_text_small(seconds, small);
    (void)snprintf(want, sizeof(want), "%.*s", SLICE_ARG(text));
    expect(t, key, field, now_ns, want);
}

static void compare_window(struct tables *t, const struct history *h, int key, int64_t now_ns)
{
    char want[64];
    struct slow slow = slow_window(h, key, now_ns);
    (void)snprintf(want, sizeof(want), "%llu", (unsigned long long)slow.count);
    expect(t, key, "count", now_ns, want);
    expect(t, key, "sum", now_ns, slow.count ? decimal_text(slow.sum) : "-");
    expect(t, key, "min", now_ns, slow.count ? decimal_text(slow.min) : "-");
    expect(t, key, "max", now_ns, slow.count ? decimal_text(slow.max) : "-");
    struct value mean = value_f64(decimal_to_f64((struct decimal){slow.sum, DECIMALS}) / (double)slow.count);
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(mean, small);
    (void)snprintf(want, sizeof(want), "%.*s", SLICE_ARG(text));
    expect(t, key, "mean", now_ns, slow.count ? want : "-");
}

static void compare(struct tables *t, const struct history *h, int64_t now_ns)
{
    char want[STATE_VALUES_MAX * 8 + 16];
    for (int key = 0; key < KEYS; key++) {
        const struct event *newest = extreme_in_time(h, key, true), *oldest = extreme_in_time(h, key, false);
        if (!newest) {
            expect(t, key, "total", now_ns, "-");
            continue;
        }
        (void)snprintf(want, sizeof(want), "v%d", newest->value);
        expect(t, key, "latest", now_ns, want);
        (void)snprintf(want, sizeof(want), "v%d", oldest->value);
        expect(t, key, "earliest", now_ns, want);
        expect_seen(t, key, "first", now_ns, oldest->time_ns);
        expect_seen(t, key, "last", now_ns, newest->time_ns);
        compare_window(t, h, key, now_ns);
        size_t distinct = slow_values(h, key, now_ns, STATE_VALUES_MAX, want, sizeof(want));
        expect(t, key, "values", now_ns, want);
        (void)snprintf(want, sizeof(want), "%zu", distinct < STATE_DISTINCT_MAX ? distinct : STATE_DISTINCT_MAX);
        expect(t, key, "distinct", now_ns, want);
        expect(t, key, "total", now_ns, decimal_text(slow_total(h, key)));
    }
}

static void happen(struct tables *t, struct history *h, const struct event *e)
{
    char text[32];
    h->list[h->count++] = *e;
    tables_put_text(t, "kind", "pay");
    (void)snprintf(text, sizeof(text), "k%d", e->key);
    tables_put_text(t, "key", text);
    (void)snprintf(text, sizeof(text), "v%d", e->value);
    tables_put_text(t, "v", text);
    (void)snprintf(text, sizeof(text), "m%d", e->member);
    tables_put_text(t, "member", text);
    tables_put(t, "amount", value_decimal((struct decimal){e->amount, DECIMALS}, t->batch->arena));
    tables_observe(t, e->time_ns);
}

static struct event any_event(struct history *h, int64_t now_ns, int values)
{
    struct event e = {.key = (int)roll(h, KEYS), .value = (int)roll(h, (uint64_t)values), .member = (int)roll(h, 50)};
    e.amount = (int128)(int64_t)roll(h, UINT64_C(1) << 62) - (INT64_C(1) << 61);
    if (roll(h, 4) == 0)
        e.amount *= INT64_C(1000000007); /* more than 64 bits */
    if (roll(h, 8) == 0)
        e.amount /= INT64_C(100000000000000000);
    e.time_ns = now_ns;
    uint64_t late = roll(h, 10);
    if (late == 0)
        e.time_ns -= (int64_t)roll(h, 20) * MINUTE;
    if (late == 1)
        e.time_ns -= (int64_t)roll(h, 30) * NS_PER_SECOND;
    e.time_ns += (int64_t)h->count; /* none at the same time, which is another test's */
    return e;
}

/* Events of which one in five is late; answers at any time from the newest event on; a restart now and then. */
static void random_walk(uint64_t seed, int values, int64_t step_ns, size_t events)
{
    struct tables t;
    struct history *h = mem_calloc(1, sizeof(*h));
    int64_t now_ns = NOON;
    assert_non_null(h);
    h->seed = seed;
    tables_open(&t, everything);
    while (h->count < events) {
        now_ns += 1000 * (int64_t)roll(h, (uint64_t)step_ns / 1000) + NS_PER_MS;
        struct event e = any_event(h, now_ns, values);
        happen(&t, h, &e);
        if (roll(h, 10) == 0)
            compare(&t, h, now_ns + EVENTS_MAX);
        if (roll(h, 50) == 0)
            compare(&t, h, now_ns + (int64_t)roll(h, 15) * MINUTE + EVENTS_MAX);
        if (roll(h, 100) == 0)
            tables_again(&t, t.definitions);
    }
    compare(&t, h, now_ns + EVENTS_MAX);
    tables_close(&t);
    mem_free(h);
}

static void every_kind_says_what_the_events_say(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        random_walk(seed, 10, 30 * NS_PER_SECOND, 800);
        random_walk(seed + 100, 100, NS_PER_SECOND, 800);
    }
    random_walk(1000, 400, 200 * NS_PER_MS, EVENTS_MAX); /* over both limits of values */
}

/* A sender whose clock is a day ahead must not make a limit forget what went out. */
static void the_future_hides_nothing(void **state)
{
    (void)state;
    struct tables t;
    struct history *h = mem_calloc(1, sizeof(*h));
    assert_non_null(h);
    tables_open(&t, everything);
    for (int i = 0; i < 40; i++) {
        struct event e = {.time_ns = NOON + i * MINUTE / 3 + i, .value = i, .member = i, .amount = i};
        happen(&t, h, &e);
    }
    int64_t now_ns = h->list[h->count - 1].time_ns;
    for (int i = 0; i < 3; i++) {
        struct event e = {.time_ns = now_ns + NS_PER_DAY + i * NS_PER_HOUR, .value = 1, .amount = 1};
        happen(&t, h, &e);
        compare_window(&t, h, 0, now_ns);
    }
    for (int i = 1; i < 20; i++) { /* and it goes on */
        struct event e = {.time_ns = now_ns + i * MINUTE / 2, .value = i, .member = i, .amount = i};
        happen(&t, h, &e);
        compare_window(&t, h, 0, e.time_ns);
    }
    tables_close(&t);
    mem_free(h);
}

static void of_two_at_the_same_time_the_later_arrival_is_the_latest(void **state)
{
    (void)state;
    struct tables t;
    struct history *h = mem_calloc(1, sizeof(*h));
    assert_non_null(h);
    tables_open(&t, everything);
    for (int i = 0; i < 3; i++) {
        struct event e = {.time_ns = NOON, .value = i, .member = 7, .amount = i * (int128)INT64_C(1000000000000000000)};
        happen(&t, h, &e);
    }
    assert_string_equal(tables_read(&t, "t", "k0", "latest", NOON), "v2");
    assert_string_equal(tables_read(&t, "t", "k0", "earliest", NOON), "v0");
    assert_string_equal(tables_read(&t, "t", "k0", "values", NOON), "v0,v1,v2");
    assert_string_equal(tables_read(&t, "t", "k0", "total", NOON), "2");
    tables_close(&t);
    mem_free(h);
}

/* Beyond its bound a total lets the member go that was heard longest ago, and that is counted. */
static void a_total_has_so_many_members(void **state)
{
    (void)state;
    struct tables t;
    char text[32];
    tables_open(&t, everything);
    for (int i = 0; i < STATE_MEMBERS_MAX + 10; i++) {
        tables_put_text(&t, "kind", "pay");
        tables_put_text(&t, "key", "k0");
        (void)snprintf(text, sizeof(text), "m%d", i);
        tables_put_text(&t, "member", text);
        tables_put(&t, "amount", value_i64(i));
        tables_observe(&t, NOON + i);
    }
    int64_t want = 0;
    for (int i = 10; i < STATE_MEMBERS_MAX + 10; i++)
        want += i;
    (void)snprintf(text, sizeof(text), "%lld", (long long)want);
    assert_string_equal(tables_read(&t, "t", "k0", "total", NOON), text);
    assert_int_equal(state_stats(t.state).evicted, 10);
    tables_again(&t, t.definitions);
    assert_string_equal(tables_read(&t, "t", "k0", "total", NOON), text);
    tables_close(&t);
}

static void values_that_are_no_numbers_change_nothing(void **state)
{
    (void)state;
    struct tables t;
    tables_open(&t, everything);
    for (int i = 0; i < 2; i++) {
        tables_put_text(&t, "kind", "pay");
        tables_put_text(&t, "key", "k0");
        tables_put_text(&t, "member", "m");
        tables_put_text(&t, "amount", i ? "much" : "1.50");
        tables_observe(&t, NOON + i);
    }
    assert_string_equal(tables_read(&t, "t", "k0", "sum", NOON), "1.5");
    assert_string_equal(tables_read(&t, "t", "k0", "max", NOON), "1.5");
    assert_string_equal(tables_read(&t, "t", "k0", "total", NOON), "1.5");
    assert_string_equal(tables_read(&t, "t", "k0", "count", NOON), "2");
    assert_string_equal(tables_read(&t, "t", "k0", "latest", NOON), "-");
    tables_close(&t);
}

/* Types come back as they were; a field's several values are all values of it. */
static void values_keep_their_type(void **state)
{
    (void)state;
    struct tables t;
    struct ip ip;
    assert_true(ip_parse(SLICE("192.0.2.7"), &ip));
    tables_open(&t, everything);
    const struct value given[] = {
        value_i64(-5),     value_f64(0.25),  value_bool(true), value_time(NOON), value_ip(&ip, t.arena),
        value_string(SLICE("")), value_decimal((struct decimal){-150, 2}, t.arena), value_i64(INT64_MIN),
    };
    static const char *const want[] = {"-5", "0.25", "true", "1767268800", "192.0.2.7", "", "-1.50", "-9223372036854775808"};
    for (size_t i = 0; i < ARRAY_COUNT(given); i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%zu", i);
        tables_put_text(&t, "kind", "pay");
        tables_put_text(&t, "key", key);
        tables_put(&t, "v", given[i]);
        tables_observe(&t, NOON);
        tables_again(&t, t.definitions);
        assert_string_equal(tables_read(&t, "t", key, "latest", NOON), want[i]);
    }
    tables_put_text(&t, "kind", "pay");
    tables_put_text(&t, "key", "many");
    tables_put_text(&t, "v", "b");
    tables_put_text(&t, "v", "a");
    tables_observe(&t, NOON);
    assert_string_equal(tables_read(&t, "t", "many", "values", NOON), "b,a");
    assert_string_equal(tables_read(&t, "t", "many", "distinct", NOON), "2");
    tables_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_says_what_the_events_say),
        cmocka_unit_test(the_future_hides_nothing),
        cmocka_unit_test(of_two_at_the_same_time_the_later_arrival_is_the_latest),
        cmocka_unit_test(a_total_has_so_many_members),
        cmocka_unit_test(values_that_are_no_numbers_change_nothing),
        cmocka_unit_test(values_keep_their_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
