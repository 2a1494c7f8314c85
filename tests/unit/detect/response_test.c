/* What a finding asks to be held, findings that state tables remember, and findings once in a while. */
#include "rules_fixture.h"

#define START_NS (1767225600 * NS_PER_SECOND)
#define AT(second) (START_NS + (second) * NS_PER_SECOND)
#define KIND(n) "logsource: {product: test}\ndetection:\n  s: {E: " #n "}\n  condition: s\n"

/* ---- response ---- */

static void values_of_the_row_are_held(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{AT(0), 1, 7, 5}, {AT(1), 2, 8, 5}};
    world_open(&world, "title: a\n" KIND(1) "hinomi: {response: {hold: {account: U, asset: V}}}\n---\n"
                       "title: b\n" KIND(2) "hinomi: {response: {hold: {all: true, wallet: missing}, suggest: [sweep]}}\n");
    run_events(world.detector, list, 0, 2, 1);
    assert_int_equal(world.count, 2);
    assert_string_equal(world.found[0].holds, "account:u7 asset:5");
    assert_string_equal(world.found[1].holds, "all:");
    world_close(&world);
}

/* A correlation's group, and the entity of an absence that has no row any more. */
static void groups_and_entities_are_held(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{AT(0), 1, 3, 5}, {AT(1), 1, 3, 5}, {AT(2), 2, 4, 5}, {AT(100), 9, 9, 9}};
    struct err err;
    world_open(&world, "title: base\nname: base\n" KIND(1) "---\n"
                       "title: many\ncorrelation: {type: event_count, rules: [base], group-by: [U], timespan: 10s, condition: {gte: 2}}\n"
                       "hinomi: {response: {hold: {account: U}}}\n---\n"
                       "title: alone\n" KIND(2) "hinomi: {absent: {event: E = 3, key: U, within: 5s}, entities: {wallet: U},"
                       " response: {hold: {wallet: U}}}\n");
    run_events(world.detector, list, 0, 4, 4);
    assert_int_equal(detector_tick(world.detector, AT(100), &err), 0);
    assert_int_equal(world.count, 2);
    assert_string_equal(world.found[0].rule, "many");
    assert_string_equal(world.found[0].holds, "account:u3");
    assert_string_equal(world.found[1].rule, "alone");
    assert_string_equal(world.found[1].holds, "wallet:u4");
    world_close(&world);
}

static void wrong_responses_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"[a]", "{hold: asset}", "{hold: {}}", "{hold: {country: U}}", "{hold: {asset: ''}}",
                                        "{hold: {all: U}}", "{release: {asset: U}}", "{suggest: sweep}"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct rules_world world;
        struct err err;
        char text[512];
        world_open(&world, "title: a\n" KIND(1));
        detector_free(world.detector); /* it has the rules of before */
        world.detector = NULL;
        (void)snprintf(text, sizeof(text), "title: a\n" KIND(1) "hinomi:\n  response: %s\n", wrong[i]);
        assert_int_equal(world_load(&world, text, &err), 0);
        if (world.rules->rules[0]->status != RULE_REFUSED || slice_find(world.rules->rules[0]->reason, SLICE("line ")) < 0)
            fail_msg("%s: %.*s", wrong[i], SLICE_ARG(world.rules->rules[0]->reason));
        world_close(&world);
    }
}

/* ---- findings in state tables ---- */

#define FLAGS "table: flagged\nfrom:\n  - when: event.dataset = \"hinomi.finding\" AND hinomi.catalogue = \"T-1\"\n" \
              "    key: hinomi.entity.account\n    keep: {last_seen: {last_seen: true}, times: {count: true, over: 1h}}\n"

/* From the next event on, however the events are cut into batches, and after a restart. */
static void a_finding_is_remembered(void **state)
{
    (void)state;
    static const char rules[] = "title: flag\n" KIND(1) "hinomi: {catalogue: T-1, entities: {account: U}}\n---\n"
                                "title: use\n" KIND(2) "hinomi: {where: 'state(\"flagged\", U, \"times\") >= 2'}\n---\n"
                                "title: same event\n" KIND(1) "hinomi: {where: 'state(\"flagged\", U, \"times\") >= 2'}\n";
    const struct sent list[] = {{AT(0), 2, 1, 0}, {AT(1), 1, 1, 0}, {AT(2), 2, 1, 0}, {AT(3), 1, 1, 0},
                                {AT(4), 2, 2, 0}, {AT(5), 2, 1, 0}, {AT(6), 1, 1, 0}};
    for (size_t a_batch = 1; a_batch <= 7; a_batch++) {
        struct rules_world world;
        size_t uses = 0, same = 0;
        world_open_with(&world, rules, FLAGS);
        run_events(world.detector, list, 0, 7, a_batch);
        for (size_t i = 0; i < world.count; i++) {
            uses += strcmp(world.found[i].rule, "use") == 0;
            same += strcmp(world.found[i].rule, "same event") == 0;
            if (strcmp(world.found[i].rule, "use") == 0)
                assert_int_equal(world.found[i].time_ns, AT(5));
        }
        assert_int_equal(uses, 1);
        assert_int_equal(same, 1); /* the third, not the second: its own finding comes after it */
        world_close(&world);
    }
}

static void a_remembered_finding_survives_a_restart(void **state)
{
    (void)state;
    struct rules_world world;
    struct detector *next;
    struct buffer bytes;
    struct err err;
    const struct sent list[] = {{AT(0), 1, 1, 0}, {AT(1), 2, 1, 0}};
    world_open_with(&world, "title: flag\n" KIND(1) "hinomi: {catalogue: T-1, entities: {account: U}}\n---\n"
                            "title: use\n" KIND(2) "hinomi: {where: 'state(\"flagged\", U, \"times\") = 1'}\n", FLAGS);
    run_events(world.detector, list, 0, 1, 1);
    buffer_init(&bytes, MIB);
    detector_save(world.detector, &bytes);
    assert_int_equal(world_detector(&world, &next, &err), 0);
    assert_int_equal(detector_load(next, buffer_slice(&bytes), &err), 0);
    run_events(next, list, 1, 2, 1);
    assert_int_equal(world.count, 2);
    assert_string_equal(world.found[1].rule, "use");
    detector_free(next);
    buffer_close(&bytes);
    world_close(&world);
}

/* ---- once ---- */

static void once_a_key_and_span(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{AT(0), 1, 1, 0}, {AT(10), 1, 1, 0}, {AT(20), 1, 2, 0}, {AT(50), 1, 1, 0}, {AT(61), 1, 1, 0}};
    size_t told = 0;
    world_open(&world, "title: a\n" KIND(1) "level: high\nhinomi: {once: {key: [U], for: 60s}, response: {hold: {account: U}},"
                       " explain: {en: '{U} did {E}', ja: '{U} {E}'}}\n");
    run_events(world.detector, list, 0, 5, 2);
    assert_int_equal(count_of(&world, 1), 2);
    assert_int_equal(count_of(&world, 2), 1);
    assert_string_equal(world.found[0].en, "u1 did 1");
    assert_string_equal(world.found[0].holds, "account:u1");
    assert_int_equal(world.found[0].severity, SEVERITY_HIGH);
    for (size_t i = 0; i < world.count; i++)
        told += world.found[i].follows[0] != '\0';
    assert_int_equal(world.count, 3 + told);
    world_close(&world);
}

static void only_what_where_lets_through_counts(void **state)
{
    (void)state;
    struct rules_world world;
    const struct sent list[] = {{AT(0), 1, 1, 1}, {AT(10), 1, 1, 9}, {AT(20), 1, 1, 9}};
    world_open(&world, "title: a\n" KIND(1) "hinomi: {where: V > 5, once: {key: U, for: 1h}}\n");
    run_events(world.detector, list, 0, 3, 1);
    assert_int_equal(count_of(&world, 1), 1);
    assert_int_equal(world.found[0].time_ns, AT(10));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_row_are_held),
        cmocka_unit_test(groups_and_entities_are_held),
        cmocka_unit_test(wrong_responses_are_refused),
        cmocka_unit_test(a_finding_is_remembered),
        cmocka_unit_test(a_remembered_finding_survives_a_restart),
        cmocka_unit_test(once_a_key_and_span),
        cmocka_unit_test(only_what_where_lets_through_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
