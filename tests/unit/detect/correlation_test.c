/* Correlations against the plainest program that says the same: look at every window of every group. */
#include "rules_fixture.h"

#include "base/limits.h"
#include "base/mem.h"
#include "detect/correlation_rule.h"

enum { EVENTS = 400, USERS = 5, KINDS = 3 };
#define SPAN_NS (60 * NS_PER_SECOND)
#define START_NS (1767225600 * NS_PER_SECOND)

#define BASE(name, kind)                                                                                            \
    "title: " name "\nname: " name "\nlogsource: {product: test}\ndetection:\n  s: {E: " kind "}\n  condition: s\n---\n"
#define BASES BASE("a", "0") BASE("b", "1") BASE("c", "2")
#define LAST(type, rules, condition)                                                                                \
    BASES "title: last\ncorrelation: {type: " type ", rules: " rules ", group-by: [U], timespan: 60s" condition "}\n"

static const struct {
    const char *rules;
    enum correlation_type type;
    int limit, parts; /* rules a..: the first of the kinds */
} cases[] = {
    {LAST("event_count", "[a]", ", condition: {gte: 4}"), CORRELATE_EVENTS, 4, 1},
    {LAST("event_count", "[a, c, b]", ", condition: {gt: 8}"), CORRELATE_EVENTS, 9, 3},
    {LAST("value_count", "[a, b]", ", condition: {field: V, gte: 5}"), CORRELATE_VALUES, 5, 2},
    {LAST("temporal", "[a, b, c]", ""), CORRELATE_TEMPORAL, 3, 3},
    {LAST("temporal_ordered", "[a, b, c]", ""), CORRELATE_ORDERED, 3, 3},
    {LAST("value_sum", "[a]", ", condition: {field: V, gte: 30}"), CORRELATE_SUM, 30, 1},
    {LAST("value_max", "[a, b]", ", condition: {field: V, gte: 11}"), CORRELATE_MAX, 11, 2},
};

/* ---- the plainest program ---- */

/* Equal times stay in the order of arrival. */
static void sort_by_time(struct sent *list)
{
    for (size_t i = 1; i < EVENTS; i++)
        for (size_t k = i; k && list[k - 1].time_ns > list[k].time_ns; k--) {
            struct sent swap = list[k];
            list[k] = list[k - 1];
            list[k - 1] = swap;
        }
}

static int ordered_length(const struct sent *list, const size_t *window, size_t count)
{
    int best = 0;
    for (size_t i = 0; i < count; i++)
        best += list[window[i]].kind == best;
    return best;
}

/* What the condition is about, for the events of the window. */
static int measure(enum correlation_type type, const struct sent *list, const size_t *window, size_t count)
{
    int seen = 0, sum = 0, most = 0, different = 0;
    for (size_t i = 0; i < count; i++) {
        bool before = false;
        for (size_t k = 0; k < i; k++)
            before |= list[window[k]].value == list[window[i]].value;
        different += !before;
        seen |= 1 << list[window[i]].kind;
        sum += list[window[i]].value;
        most = list[window[i]].value > most ? list[window[i]].value : most;
    }
    return type == CORRELATE_EVENTS     ? (int)count
           : type == CORRELATE_VALUES   ? different
           : type == CORRELATE_TEMPORAL ? __builtin_popcount((unsigned)seen)
           : type == CORRELATE_ORDERED  ? ordered_length(list, window, count)
           : type == CORRELATE_SUM      ? sum
                                        : most;
}

/* Whether it holds for the window that ends with this event of a list in the order of time. */
static bool holds(size_t which, const struct sent *list, size_t at)
{
    size_t window[EVENTS], count = 0;
    for (size_t i = 0; i <= at; i++)
        if (list[i].user == list[at].user && list[i].kind < cases[which].parts &&
            list[i].time_ns >= list[at].time_ns - SPAN_NS)
            window[count++] = i;
    return list[at].kind < cases[which].parts &&
           measure(cases[which].type, list, window, count) >= cases[which].limit;
}

/* In the order of time: it fires when it becomes true, and again a timespan later if it still is. */
static size_t fires(size_t which, const struct sent *list, int user)
{
    size_t count = 0;
    bool fired = false;
    int64_t fired_ns = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        if (list[i].user != user || list[i].kind >= cases[which].parts)
            continue;
        bool now = holds(which, list, i);
        if (now && (!fired || list[i].time_ns >= fired_ns + SPAN_NS)) {
            count++;
            fired_ns = list[i].time_ns;
        }
        fired = now;
    }
    return count;
}

static void make_events(struct sent *list, uint64_t seed, uint32_t gap_s)
{
    int64_t time_ns = START_NS;
    for (size_t i = 0; i < EVENTS; i++) {
        time_ns += dice(&seed, gap_s) * NS_PER_SECOND;
        list[i] = (struct sent){time_ns, (int)dice(&seed, KINDS), (int)dice(&seed, USERS), (int)dice(&seed, 12)};
    }
}

/* ---- tests ---- */

static void fires_as_often_as_every_window_says(void **state)
{
    (void)state;
    struct sent list[EVENTS];
    size_t some = 0;
    for (size_t which = 0; which < ARRAY_COUNT(cases); which++)
        for (uint64_t seed = 1; seed <= 12; seed++) {
            struct rules_world world;
            make_events(list, seed, (uint32_t)(2 + seed * 2));
            world_open(&world, cases[which].rules);
            run_events(world.detector, list, 0, EVENTS, 1 + seed * 7);
            for (int user = 0; user < USERS; user++) {
                size_t wanted = fires(which, list, user);
                if (count_of(&world, user) != wanted)
                    fail_msg("case %zu, seed %d, u%d: %zu findings, %zu wanted", which, (int)seed, user,
                             count_of(&world, user), wanted);
                some += wanted;
            }
            world_close(&world);
        }
    assert_true(some > 100);
}

/* Out of order by up to an hour: the same groups fire as in order. */
static void late_events_find_the_same_groups(void **state)
{
    (void)state;
    struct sent list[EVENTS], sorted[EVENTS];
    for (size_t which = 0; which < ARRAY_COUNT(cases); which++)
        for (uint64_t seed = 20; seed <= 40; seed++) {
            struct rules_world world;
            uint64_t chance = seed;
            make_events(sorted, seed, 30);
            memcpy(list, sorted, sizeof(list));
            for (size_t i = 0; i < EVENTS; i++) {
                size_t other = dice(&chance, EVENTS);
                struct sent swap = list[i];
                list[i] = list[other];
                list[other] = swap;
            }
            memcpy(sorted, list, sizeof(list));
            sort_by_time(sorted);
            world_open(&world, cases[which].rules);
            run_events(world.detector, list, 0, EVENTS, 50);
            for (int user = 0; user < USERS; user++) {
                bool wanted = fires(which, sorted, user) > 0, got = count_of(&world, user) > 0;
                if (wanted != got)
                    fail_msg("case %zu, seed %d, u%d: fired %d, wanted %d", which, (int)seed, user, got, wanted);
            }
            world_close(&world);
        }
}

/* Every event of a flood is told exactly once, whether in the first finding, a later one or what follows. */
static void counts_every_event_of_a_flood(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent list[EVENTS];
    struct err err;
    uint64_t told = 0;
    for (size_t i = 0; i < EVENTS; i++)
        list[i] = (struct sent){START_NS + (int64_t)i * NS_PER_SECOND, 0, 1, 0};
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 1}"));
    run_events(world.detector, list, 0, EVENTS, 33);
    assert_int_equal(detector_finish(world.detector, &err), 0);
    for (size_t i = 0; i < world.count; i++)
        told += world.found[i].seen;
    assert_true(world.count >= 6 && world.count <= 8); /* 400 s are seven timespans */
    assert_true(told >= EVENTS && told <= EVENTS + 60);
    world_close(&world);
}

static void same_findings(const struct rules_world *a, const struct rules_world *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->found[i].id, b->found[i].id);
        assert_int_equal(a->found[i].time_ns, b->found[i].time_ns);
        assert_int_equal(a->found[i].seen, b->found[i].seen);
        assert_string_equal(a->found[i].en, b->found[i].en);
    }
}

static struct detector *restart(struct rules_world *world, struct detector *detector)
{
    struct buffer bytes;
    struct detector *next;
    struct err err;
    buffer_init(&bytes, CHECKPOINT_BYTES_MAX);
    detector_save(detector, &bytes);
    assert_false(buffer_failed(&bytes));
    detector_free(detector);
    assert_int_equal(world_detector(world, &next, &err), 0);
    if (detector_load(next, buffer_slice(&bytes), &err) < 0)
        fail_msg("%s", err.text);
    buffer_close(&bytes);
    return next;
}

/* Neither how batches were cut nor restarts change what is found. */
static void does_not_depend_on_batches_and_restarts(void **state)
{
    (void)state;
    struct sent list[EVENTS];
    struct err err;
    for (size_t which = 0; which < ARRAY_COUNT(cases); which++) {
        struct rules_world one, other;
        make_events(list, 7 + which, 5);
        for (size_t i = 50; i < EVENTS; i += 17) /* some late */
            list[i].time_ns -= 40 * NS_PER_SECOND;
        world_open(&one, cases[which].rules);
        world_open(&other, cases[which].rules);
        run_events(one.detector, list, 0, EVENTS, EVENTS);
        for (size_t i = 0; i < EVENTS; i += 80) {
            run_events(other.detector, list, i, i + 80 < EVENTS ? i + 80 : EVENTS, 3);
            other.detector = restart(&other, other.detector);
        }
        assert_int_equal(detector_finish(one.detector, &err), 0);
        assert_int_equal(detector_finish(other.detector, &err), 0);
        assert_true(one.count > 0);
        same_findings(&one, &other);
        world_close(&one);
        world_close(&other);
    }
}

static void a_changed_rule_starts_anew(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent list[3] = {{START_NS, 0, 1, 0}, {START_NS + 1, 0, 1, 0}, {START_NS + 2, 0, 1, 0}};
    struct err err;
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 3}"));
    run_events(world.detector, list, 0, 2, 2);
    struct rule_set *old = world.rules;
    world.rules = NULL;
    assert_int_equal(world_load(&world, LAST("event_count", "[a]", ", condition: {gt: 2}"), &err), 0);
    struct rule_set *changed = world.rules;
    struct buffer bytes;
    buffer_init(&bytes, MIB);
    detector_save(world.detector, &bytes);
    detector_free(world.detector);
    assert_int_equal(world_detector(&world, &world.detector, &err), 0);
    assert_int_equal(detector_load(world.detector, buffer_slice(&bytes), &err), 0);
    assert_int_equal(detector_stats(world.detector).states_dropped, 1);
    run_events(world.detector, list, 2, 3, 1);
    assert_int_equal(world.count, 0);
    assert_ptr_equal(world.rules, changed);
    buffer_close(&bytes);
    rule_set_free(old);
    world_close(&world);
}

/* The window of a mean closes by time, also without another event of its group. */
static void a_window_closes_by_time(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent list[] = {{START_NS, 0, 1, 5}, {START_NS + NS_PER_SECOND, 0, 1, 9}, {START_NS, 0, 2, 1}};
    struct err err;
    world_open(&world, LAST("value_avg", "[a]", ", condition: {field: V, gte: 7}"));
    run_events(world.detector, list, 0, 3, 1);
    assert_int_equal(detector_tick(world.detector, START_NS + SPAN_NS, &err), 0);
    assert_int_equal(world.count, 0);
    assert_int_equal(detector_tick(world.detector, START_NS + SPAN_NS + 1, &err), 0);
    assert_int_equal(world.count, 1);
    assert_string_equal(world.found[0].group, "u1");
    assert_int_equal(world.found[0].seen, 2);
    assert_string_equal(world.found[0].en, "The rule \"last\" matched with 2 events: U u1.");
    world_close(&world);
}

/* ---- bounds ---- */

enum { MANY = 100000 };

static void a_hundred_thousand_groups_fit(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent *list = calloc(2 * MANY, sizeof(*list));
    assert_non_null(list);
    for (int i = 0; i < 2 * MANY; i++)
        list[i] = (struct sent){START_NS + i * 100000LL, 0, i % MANY, 0};
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 3}"));
    run_events(world.detector, list, 0, 2 * MANY, 4096);
    struct operator_stats held = detector_stats(world.detector).operators;
    assert_int_equal(held.keys, MANY);
    assert_int_equal(held.evicted, 0);
    assert_true(held.bytes < 64 * MIB);
    print_message("100,000 groups of two events: %.1f MB\n", (double)held.bytes / 1e6);
    world_close(&world);
    free(list);
}

#define OF_EACH(name, type, field)                                                                                  \
    "---\ntitle: " name "\ncorrelation: {type: " type ", rules: [" name "_base], group-by: [" field "], timespan: 1d, "    \
    "condition: {gte: 100000}}\n"
#define LARGE_AND_SMALL                                                                                             \
    "title: l\nname: large_base\nlogsource: {product: test}\ndetection: {s: {E: 0}, condition: s}\n---\n"           \
    "title: s\nname: small_base\nlogsource: {product: test}\ndetection: {s: {V: 7}, condition: s}\n"                 \
    OF_EACH("large", "event_count", "U") OF_EACH("small", "event_count", "V")

/* All together they keep to one budget; who is large gives, and says so. Groups that only grow count as well. */
static void together_they_keep_to_one_budget(void **state)
{
    (void)state;
    struct rules_world world;
    struct err err;
    enum { EACH = 20000, TURNS = 8 };
    struct sent *list = calloc(EACH * TURNS, sizeof(*list));
    assert_non_null(list);
    for (int i = 0; i < EACH * TURNS; i++)
        list[i] = (struct sent){START_NS + i * 100000LL, 0, i % EACH, i % 1000 ? 0 : 7};
    world_open(&world, LARGE_AND_SMALL);
    detector_free(world.detector);
    world.bytes_max = 8 * MIB;
    assert_int_equal(world_detector(&world, &world.detector, &err), 0);
    run_events(world.detector, list, 0, EACH * TURNS, 4096);
    struct operator_stats held = detector_stats(world.detector).operators;
    assert_true(held.bytes <= world.bytes_max && held.evicted > 0);
    const struct rule_ledger *ledger = detector_ledger(world.detector);
    for (size_t i = 0; i < world.rules->count; i++) {
        const struct rule *rule = world.rules->rules[i];
        struct operator_stats one = rule_ledger_get(ledger, rule).memory;
        if (slice_is(rule->title, "large"))
            assert_true(one.evicted == held.evicted && one.bytes < world.bytes_max && one.keys > EACH / 4);
        if (slice_is(rule->title, "small"))
            assert_true(one.evicted == 0 && one.keys == 1);
    }
    world_close(&world);
    free(list);
}

static void what_is_too_late_is_counted(void **state)
{
    (void)state;
    struct rules_world world;
    const int64_t hour = NS_PER_HOUR;
    const struct sent late[] = {{START_NS, 0, 1, 0}, {START_NS + 48 * hour, 0, 2, 0}, {START_NS - NS_PER_SECOND, 0, 3, 0}};
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 2}"));
    run_events(world.detector, late, 0, 2, 1);
    assert_int_equal(detector_stats(world.detector).operators.late, 0);
    run_events(world.detector, late, 2, 3, 1);
    assert_int_equal(detector_stats(world.detector).operators.late, 1);
    world_close(&world);
    const struct sent closed[] = {{START_NS, 0, 1, 0}, {START_NS + hour, 0, 2, 0}, {START_NS + NS_PER_SECOND, 0, 1, 0}};
    world_open(&world, LAST("event_count", "[a]", ", condition: {lt: 2}"));
    run_events(world.detector, closed, 0, 3, 1);
    assert_int_equal(detector_stats(world.detector).operators.late, 1);
    assert_int_equal(world.count, 1); /* the window was judged */
    world_close(&world);
}

static void beyond_the_bound_the_quiet_ones_go(void **state)
{
    (void)state;
    struct rules_world world;
    enum { TOO_MANY = 300000 };
    struct sent *list = calloc(TOO_MANY, sizeof(*list));
    assert_non_null(list);
    for (int i = 0; i < TOO_MANY; i++)
        list[i] = (struct sent){START_NS + i * 100000LL, 0, i, 0};
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 2}"));
    run_events(world.detector, list, 0, TOO_MANY, 4096);
    struct operator_stats held = detector_stats(world.detector).operators;
    assert_true(held.evicted > 0 && held.keys + held.evicted == TOO_MANY);
    assert_true(held.bytes < CORRELATION_BYTES_MAX + 8 * MIB);
    list[0] = (struct sent){START_NS + TOO_MANY * 100000LL, 0, TOO_MANY - 1, 0};
    run_events(world.detector, list, 0, 1, 1);
    assert_int_equal(world.count, 1); /* the newest is still known */
    world_close(&world);
    free(list);
}

/* One group with far more events than it keeps one by one: its count stays right to a step of time. */
static void a_busy_group_keeps_steps(void **state)
{
    (void)state;
    struct rules_world world;
    enum { BUSY = 30000 };
    struct sent *list = calloc(BUSY, sizeof(*list));
    assert_non_null(list);
    for (int i = 0; i < BUSY; i++)
        list[i] = (struct sent){START_NS + i * (SPAN_NS / 20000), 0, 1, 1};
    world_open(&world, LAST("event_count", "[a]", ", condition: {gte: 19900}"));
    run_events(world.detector, list, 0, BUSY, 4096);
    assert_int_equal(world.count, 1);
    int64_t late = (world.found[0].time_ns - START_NS) / (SPAN_NS / 20000) - 19899;
    assert_true(late >= 0 && late <= 40);
    struct operator_stats held = detector_stats(world.detector).operators;
    assert_int_equal(held.cut, 0);
    assert_true(held.bytes < MIB);
    world_close(&world);
    free(list);
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent list[40];
    for (size_t i = 0; i < ARRAY_COUNT(list); i++)
        list[i] = (struct sent){START_NS + (int64_t)i * NS_PER_SECOND, (int)i % 3, (int)i % 2, (int)i};
    world_open(&world, LAST("value_count", "[a, b]", ", condition: {field: V, gte: 3}"));
    struct batch *batch = batch_new(16 * MIB);
    for (size_t i = 0; i < ARRAY_COUNT(list); i++)
        put_event(batch, &list[i], i + 1);
    live_without_memory(&world, batch);
    assert_true(world.count > 0);
    batch_free(batch);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_as_often_as_every_window_says),
        cmocka_unit_test(late_events_find_the_same_groups),
        cmocka_unit_test(counts_every_event_of_a_flood),
        cmocka_unit_test(does_not_depend_on_batches_and_restarts),
        cmocka_unit_test(a_changed_rule_starts_anew),
        cmocka_unit_test(a_window_closes_by_time),
        cmocka_unit_test(a_hundred_thousand_groups_fit),
        cmocka_unit_test(together_they_keep_to_one_budget),
        cmocka_unit_test(what_is_too_late_is_counted),
        cmocka_unit_test(beyond_the_bound_the_quiet_ones_go),
        cmocka_unit_test(a_busy_group_keeps_steps),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
