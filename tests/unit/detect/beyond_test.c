/* What Sigma cannot say: ratio, beacon, risk, new; each against the plainest program that says the same. */
#include "rules_fixture.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/zone.h"
#include "table/seen.h"

#include <math.h>
#include <time.h>

enum { EVENTS = 300, USERS = 4 };
#define START_NS (1767225600 * NS_PER_SECOND)
#define ANY "logsource: {product: test}\ndetection:\n  s: {E|gte: 0}\n  condition: s\n"

static void make_events(struct sent *list, uint64_t seed, uint32_t gap_s)
{
    int64_t time_ns = START_NS;
    for (size_t i = 0; i < EVENTS; i++) {
        time_ns += (1 + dice(&seed, gap_s)) * NS_PER_SECOND;
        list[i] = (struct sent){time_ns, (int)dice(&seed, 2), (int)dice(&seed, USERS), (int)dice(&seed, 12)};
    }
}

/* Order of arrival, mixed: events change places with others up to so many further on. */
static void mix(struct sent *list, uint64_t seed, uint32_t reach)
{
    for (size_t i = 0; i < EVENTS; i++) {
        size_t other = i + dice(&seed, reach);
        struct sent swap = list[i];
        if (other >= EVENTS)
            continue;
        list[i] = list[other];
        list[other] = swap;
    }
}

/* ---- ratio ---- */

static bool ratio_holds(const struct sent *list, size_t at)
{
    int all = 0, bad = 0;
    for (size_t i = 0; i <= at; i++)
        if (list[i].user == list[at].user && list[i].time_ns >= list[at].time_ns - 60 * NS_PER_SECOND) {
            all++;
            bad += list[i].kind == 1;
        }
    return all >= 5 && bad * 10 >= all * 7;
}

static size_t ratio_fires(const struct sent *list, int user)
{
    bool fired = false;
    int64_t fired_ns = 0;
    size_t count = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        if (list[i].user != user)
            continue;
        bool now = ratio_holds(list, i);
        if (now && (!fired || list[i].time_ns >= fired_ns + 60 * NS_PER_SECOND)) {
            count++;
            fired_ns = list[i].time_ns;
        }
        fired = now;
    }
    return count;
}

#define RATIO "title: t\n" ANY "hinomi: {ratio: {key: U, of: E = 1, gte: 0.7, at_least: 5, within: 60s}}\n"

static void a_ratio_is_judged_for_every_window(void **state)
{
    (void)state;
    struct sent list[EVENTS], late[EVENTS];
    size_t some = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rules_world world, mixed;
        make_events(list, seed, 5);
        memcpy(late, list, sizeof(late));
        mix(late, seed, 30);
        world_open(&world, RATIO);
        world_open(&mixed, RATIO);
        run_events(world.detector, list, 0, EVENTS, 10);
        run_events(mixed.detector, late, 0, EVENTS, 10);
        for (int user = 0; user < USERS; user++) {
            size_t wanted = ratio_fires(list, user);
            assert_int_equal(count_of(&world, user), wanted);
            if (wanted)
                assert_true(count_of(&mixed, user) > 0); /* some windows were true for a while as well */
            some += wanted;
        }
        for (size_t i = 0; i < world.count; i++)
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(world.found[i].id, world.found[k].id);
        world_close(&world);
        world_close(&mixed);
    }
    assert_true(some > 20);
}

/* ---- beacon ---- */

#define BEACON "title: t\n" ANY "hinomi: {beacon: {key: [U], intervals: 8, jitter: 0.1, within: 2h}}\n"

/* Which beat is found: with a jitter of so many percent, so many in a hundred left out. */
static size_t beats_found(uint32_t jitter_percent, uint32_t missing_percent, bool out_of_order)
{
    struct sent list[40];
    struct rules_world world;
    uint64_t seed = 5;
    size_t count = 0, found;
    for (int i = 0; i < 40; i++) {
        int64_t off_ns = ((int64_t)dice(&seed, 2 * jitter_percent + 1) - jitter_percent) * 60 * NS_PER_SECOND / 100;
        if (dice(&seed, 100) >= missing_percent)
            list[count++] = (struct sent){START_NS + i * 60 * NS_PER_SECOND + off_ns / 2, 0, 1, 0};
    }
    for (size_t i = 1; out_of_order && i < count; i += 3) {
        struct sent swap = list[i];
        list[i] = list[i - 1];
        list[i - 1] = swap;
    }
    world_open(&world, BEACON);
    run_events(world.detector, list, 0, count, 7);
    found = count_of(&world, 1);
    world_close(&world);
    return found;
}

static void a_regular_beat_is_found(void **state)
{
    (void)state;
    assert_int_equal(beats_found(0, 0, false), 1);
    assert_int_equal(beats_found(8, 0, false), 1);
    assert_true(beats_found(5, 8, false) >= 1); /* some are missing */
    assert_true(beats_found(5, 0, true) >= 1);
    assert_int_equal(beats_found(100, 0, false), 0);
    assert_int_equal(beats_found(60, 50, false), 0);
}

/* ---- risk ---- */

#define PART(name, kind)                                                                                            \
    "title: " name "\nname: " name "\nlogsource: {product: test}\ndetection:\n  s: {E: " kind "}\n  condition: s\n---\n"
#define RISK                                                                                                        \
    PART("a", "0") PART("b", "1")                                                                                   \
    "title: risk\nhinomi: {risk: {key: U, rules: {a: 20, b: 50}, half_life: 10m, threshold: 100}}\n"

static void a_risk_explains_its_parts(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{START_NS, 1, 1, 0},
                                {START_NS + 600 * NS_PER_SECOND, 0, 1, 0},
                                {START_NS + 600 * NS_PER_SECOND, 1, 1, 0},
                                {START_NS + 1200 * NS_PER_SECOND, 1, 1, 0}};
    world_open(&world, RISK); /* 50, 25+20, +50 = 95; a half-life later 47.5 + 50; that is still below */
    run_events(world.detector, list, 0, 4, 4);
    size_t risks = 0;
    for (size_t i = 0; i < world.count; i++)
        risks += strcmp(world.found[i].rule, "risk") == 0;
    assert_int_equal(risks, 0);
    assert_int_equal(world.count, 4); /* the rules that are named go on finding */
    struct sent more = {START_NS + 1200 * NS_PER_SECOND, 0, 1, 0};
    run_events(world.detector, &more, 0, 1, 1);
    const struct found *last = &world.found[world.count - 1]; /* behind that of its rule */
    assert_string_equal(last->rule, "risk");
    assert_string_equal(last->en, "The rule \"risk\" matched with 5 events: U u1. Risk 117.5 = a 30.0 (2) + b 87.5 (3).");
    world_close(&world);
}

static double risk_at(const struct sent *list, size_t count, size_t at)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        double age = (double)(list[at].time_ns - list[i].time_ns) / (600.0 * NS_PER_SECOND);
        if (list[i].user == list[at].user && age >= 0 && age <= 12)
            total += (list[i].kind ? 50 : 20) * exp2(-age);
    }
    return total;
}

static void risk_adds_up_the_same_in_any_order(void **state)
{
    (void)state;
    struct sent list[EVENTS], late[EVENTS];
    size_t some = 0, none = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rules_world world, mixed;
        make_events(list, seed, (uint32_t)(300 * seed));
        memcpy(late, list, sizeof(late));
        mix(late, seed, 20);
        world_open(&world, RISK);
        world_open(&mixed, RISK);
        run_events(world.detector, list, 0, EVENTS, 10);
        run_events(mixed.detector, late, 0, EVENTS, 3);
        for (int user = 0; user < USERS; user++) {
            bool wanted = false;
            for (size_t i = 0; i < EVENTS; i++)
                wanted |= list[i].user == user && risk_at(list, EVENTS, i) >= 100;
            assert_int_equal(count_of(&world, user) > 0, wanted);
            assert_int_equal(count_of(&mixed, user) > 0, wanted);
            some += wanted;
            none += !wanted;
        }
        world_close(&world);
        world_close(&mixed);
    }
    assert_true(some > 5 && none > 0);
}

/* ---- risk of entities ---- */

#define TAGGED(name, kind, level, tactic)                                                                           \
    "title: " name "\nname: " name "\nlogsource: {product: test}\ndetection:\n  s: {E: " kind "}\n  condition: s\n"  \
    "level: " level "\ntags: [attack." tactic "]\nhinomi: {entities: {user: U}}\n---\n"
#define ALL_RULES                                                                                                   \
    TAGGED("a", "0", "medium", "execution") TAGGED("b", "1", "high", "persistence") TAGGED("c", "2", "high", "credential_access") \
    "title: total\nlevel: high\nhinomi: {risk: {half_life: 10m, over: 100, tactics: 3, quiet: 30m}}\n"

static size_t totals_of(const struct rules_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++)
        count += strcmp(world->found[i].rule, "total") == 0;
    return count;
}

/* By hand: b 50 at 0:00, c 50 at 0:10, a 25 at 0:10: 25 + 50 + 25 = 100, which is not over 100. */
static void a_total_of_all_rules_passes_its_threshold_once(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{START_NS, 1, 1, 0},
                                {START_NS + 600 * NS_PER_SECOND, 2, 1, 0},
                                {START_NS + 600 * NS_PER_SECOND, 0, 1, 0},
                                {START_NS + 600 * NS_PER_SECOND, 0, 1, 0},
                                {START_NS + 900 * NS_PER_SECOND, 1, 1, 0},
                                {START_NS + 1200 * NS_PER_SECOND, 2, 1, 0},
                                {START_NS + 2700 * NS_PER_SECOND, 1, 1, 0},
                                {START_NS + 2700 * NS_PER_SECOND, 2, 1, 0},
                                {START_NS + 2700 * NS_PER_SECOND, 0, 1, 0}};
    world_open(&world, ALL_RULES);
    run_events(world.detector, list, 0, 4, 4);
    assert_int_equal(totals_of(&world), 0); /* a counts once, however often it is found */
    run_events(world.detector, list, 4, 5, 1);
    assert_int_equal(totals_of(&world), 1); /* half a half-life later: 50 + 35.355 + 17.678 */
    const struct found *last = &world.found[world.count - 1];
    assert_string_equal(last->rule, "total");
    assert_string_equal(last->key, "user=u1");
    assert_int_equal(last->severity, SEVERITY_HIGH);
    assert_string_equal(last->en, "u1 has 103 points (103 of them from the last 24 hours; tactics: 3): \"b\" 50 (2 times) "
                                  "[persistence], \"c\" 35.4 [credential-access], \"a\" 17.7 (2 times) [execution].");
    run_events(world.detector, list, 5, 6, 1);
    assert_int_equal(totals_of(&world), 1); /* quiet */
    run_events(world.detector, list, 6, 9, 3);
    assert_int_equal(totals_of(&world), 2);
    world_close(&world);
}

static void two_tactics_are_not_three(void **state)
{
    (void)state;
    struct rules_world world;
    struct sent list[40];
    for (int i = 0; i < 40; i++)
        list[i] = (struct sent){START_NS + i * NS_PER_SECOND, 1 + i % 2, i / 20, 0};
    world_open(&world, ALL_RULES);
    run_events(world.detector, list, 0, 40, 7);
    assert_int_equal(world.count, 40);
    world_close(&world);
}

/* The same total, whatever the order in which its findings come. */
static void a_total_does_not_depend_on_the_order(void **state)
{
    (void)state;
    size_t some = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rules_world world, mixed;
        struct sent list[6];
        for (int i = 0; i < 6; i++)
            list[i] = (struct sent){START_NS + (int64_t)dice(&seed, 1200) * NS_PER_SECOND, i % 3, 1, 0};
        world_open(&world, ALL_RULES);
        world_open(&mixed, ALL_RULES);
        run_events(world.detector, list, 0, 6, 6);
        for (int i = 5; i >= 0; i--)
            run_events(mixed.detector, list, (size_t)i, (size_t)i + 1, 1);
        struct buffer one, other;
        buffer_init(&one, MIB);
        buffer_init(&other, MIB);
        detector_save_risks(world.detector, &one);
        detector_save_risks(mixed.detector, &other);
        if (totals_of(&world) == 0 && totals_of(&mixed) == 0) /* else they were told of at different times */
            assert_true(slice_equal(buffer_slice(&one), buffer_slice(&other)));
        else
            some++;
        buffer_close(&one);
        buffer_close(&other);
        world_close(&world);
        world_close(&mixed);
    }
    assert_true(some > 0 && some < 20);
}

static void points_of_a_rule_are_checked(void **state)
{
    (void)state;
    struct rules_world world;
    struct err err;
    world_open(&world, ALL_RULES);
    static const char *const wrong[] = {"{risk: 1001}", "{risk: -1}", "{risk: many}", "{risk: {over: 100, key: U}}",
                                        "{risk: {half_life: 1s}}", "{risk: {of: user}}", "{risk: [a]}"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        char text[400];
        (void)snprintf(text, sizeof(text), "title: t\nlogsource: {product: test}\n%shinomi: %s\n",
                       i < 3 ? "detection: {s: {E: 1}, condition: s}\n" : "", wrong[i]);
        assert_int_equal(world_load(&world, text, &err), 0);
        assert_int_equal(world.rules->rules[0]->status, RULE_REFUSED);
    }
    detector_free(world.detector);
    world.detector = NULL;
    world_close(&world);
}

/* ---- new ---- */

#define PAIR "title: t\n" ANY "hinomi: {new: {key: [U, V], of: U, learn: 10m, forget: 1h}}\n"
#define FIRST "title: t\n" ANY "hinomi: {new: {key: V, learn: 10m}}\n"

/* In the order of arrival, as times are kept: to the minute. */
static bool pair_is_new(const struct sent *list, size_t at)
{
    int64_t known_min = INT64_MAX, last_min = INT64_MIN;
    bool before = false;
    for (size_t i = 0; i < at; i++) {
        int64_t minute = list[i].time_ns / NS_PER_MINUTE;
        if (list[i].user != list[at].user)
            continue;
        known_min = minute < known_min ? minute : known_min;
        if (list[i].value != list[at].value)
            continue;
        before = true;
        last_min = minute > last_min ? minute : last_min;
    }
    bool gone = before && list[at].time_ns - last_min * NS_PER_MINUTE > NS_PER_HOUR;
    return known_min != INT64_MAX && list[at].time_ns - known_min * NS_PER_MINUTE >= 10 * NS_PER_MINUTE &&
           (!before || gone);
}

static void a_pair_is_new_once_its_owner_is_known(void **state)
{
    (void)state;
    struct sent list[EVENTS];
    size_t some = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rules_world world;
        size_t wanted = 0;
        make_events(list, seed, 120);
        if (seed % 2)
            mix(list, seed, 10);
        for (size_t i = 0; i < EVENTS; i++)
            wanted += pair_is_new(list, i);
        world_open(&world, PAIR);
        run_events(world.detector, list, 0, EVENTS, 10);
        assert_int_equal(world.count, wanted);
        some += wanted;
        world_close(&world);
    }
    assert_true(some > 100);
}

static void what_is_learnt_is_not_new(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{START_NS, 0, 1, 1},
                                {START_NS + 9 * NS_PER_MINUTE, 0, 1, 2},
                                {START_NS + 10 * NS_PER_MINUTE, 0, 1, 3},
                                {START_NS + 11 * NS_PER_MINUTE, 0, 1, 3},
                                {START_NS + 11 * NS_PER_MINUTE, 0, 1, 2}};
    world_open(&world, FIRST);
    run_events(world.detector, list, 0, ARRAY_COUNT(list), 2);
    assert_int_equal(world.count, 1);
    assert_string_equal(world.found[0].group, "3");
    assert_string_equal(world.found[0].en, "The rule \"t\" matched: V 3.");
    world_close(&world);
}

/* ---- all of them ---- */

static const char *const all[] = {RATIO, BEACON, RISK, ALL_RULES, PAIR, FIRST};

static void goes_on_after_a_restart(void **state)
{
    (void)state;
    struct sent list[EVENTS];
    struct err err;
    for (size_t which = 0; which < ARRAY_COUNT(all); which++) {
        struct rules_world one, other;
        make_events(list, 3, 60);
        mix(list, 3, 5);
        world_open(&one, all[which]);
        world_open(&other, all[which]);
        run_events(one.detector, list, 0, EVENTS, 64);
        for (size_t i = 0; i < EVENTS; i += 60) {
            struct buffer bytes;
            run_events(other.detector, list, i, i + 60, 1);
            buffer_init(&bytes, CHECKPOINT_BYTES_MAX);
            detector_save(other.detector, &bytes);
            detector_free(other.detector);
            assert_int_equal(world_detector(&other, &other.detector, &err), 0);
            assert_int_equal(detector_load(other.detector, buffer_slice(&bytes), &err), 0);
            buffer_close(&bytes);
        }
        assert_int_equal(one.count, other.count);
        for (size_t i = 0; i < one.count; i++)
            assert_string_equal(one.found[i].id, other.found[i].id);
        world_close(&one);
        world_close(&other);
    }
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    for (size_t which = 0; which < ARRAY_COUNT(all); which++) {
        struct rules_world world;
        world_open(&world, all[which]);
        struct batch *batch = batch_new(16 * MIB);
        for (int i = 0; i < 30; i++) {
            struct sent event = {START_NS + i * NS_PER_MINUTE, i % 2, i % 2, i % 7};
            put_event(batch, &event, (uint64_t)i + 1);
        }
        live_without_memory(&world, batch);
        batch_free(batch);
        world_close(&world);
    }
}

/* Out of memory, the loader says so or refuses rules for it; it never gives half a rule. */
static void loading_survives_failed_allocations(void **state)
{
    (void)state;
    struct rules_world world;
    struct err err;
    bool done = false;
    assert_non_null(zone_find(SLICE("Asia/Tokyo"))); /* read once a process */
    world_open(&world, RISK "---\n" ALL_RULES "---\n" PAIR);
    for (int n = 0; !done; n += 1 + n / 16) {
        char path[96];
        struct rule_options options = {.logsource_path = "content/logsources", .ignore_logsource = true,
                                       .calendar_path = "content/calendars"};
        struct rule_set *rules = NULL;
        (void)snprintf(path, sizeof(path), "%s/rules.yml", world.dir);
        mem_fail_after(n);
        done = rule_set_load(path, &options, &rules, &err) == 0;
        mem_fail_after(-1);
        for (size_t i = 0; rules && i < rules->count; i++) {
            done &= rules->rules[i]->status == RULE_ACTIVE;
            assert_true(rules->rules[i]->status == RULE_ACTIVE || rules->rules[i]->reason.len);
        }
        rule_set_free(rules);
    }
    world_close(&world);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Ten million keys: none is new twice, none that was not there is known, and it is back quickly. */
static void ten_million_keys_fit(void **state)
{
    (void)state;
    enum { KEYS = 10000000 };
    struct seen *seen = seen_new(SEEN_KEYS_MAX), *again = seen_new(SEEN_KEYS_MAX);
    struct seen_key before;
    struct buffer bytes;
    struct err err;
    assert_true(seen && again);
    for (uint64_t i = 0; i < KEYS; i++) {
        assert_int_equal(seen_note(seen, slice_of(&i, sizeof(i)), START_NS, &before), 0);
        assert_int_equal(before.hash, 0);
    }
    assert_int_equal(seen_stats(seen).keys, KEYS);
    assert_true(seen_stats(seen).bytes < 512 * MIB);
    buffer_init(&bytes, CHECKPOINT_BYTES_MAX);
    double start = seconds();
    seen_save(seen, &bytes);
    double saved = seconds();
    struct slice from = buffer_slice(&bytes);
    assert_int_equal(seen_load(again, &from, &err), 0);
    double loaded = seconds();
    print_message("ten million keys: %.0f MB, saved in %.2f s CPU, back in %.2f s CPU\n",
                  (double)seen_stats(seen).bytes / 1e6, saved - start, loaded - saved);
#ifndef __SANITIZE_THREAD__ /* all takes ten times as long */
    assert_true(loaded - saved < 5);
#endif
    for (uint64_t i = 0; i < KEYS + 100000; i += 97) {
        assert_int_equal(seen_note(again, slice_of(&i, sizeof(i)), START_NS, &before), 0);
        assert_int_equal(before.hash != 0, i < KEYS);
    }
    buffer_close(&bytes);
    seen_free(seen);
    seen_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ratio_is_judged_for_every_window),
        cmocka_unit_test(a_regular_beat_is_found),
        cmocka_unit_test(a_risk_explains_its_parts),
        cmocka_unit_test(risk_adds_up_the_same_in_any_order),
        cmocka_unit_test(a_total_of_all_rules_passes_its_threshold_once),
        cmocka_unit_test(two_tactics_are_not_three),
        cmocka_unit_test(a_total_does_not_depend_on_the_order),
        cmocka_unit_test(points_of_a_rule_are_checked),
        cmocka_unit_test(a_pair_is_new_once_its_owner_is_known),
        cmocka_unit_test(what_is_learnt_is_not_new),
        cmocka_unit_test(goes_on_after_a_restart),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(loading_survives_failed_allocations),
        cmocka_unit_test(ten_million_keys_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
