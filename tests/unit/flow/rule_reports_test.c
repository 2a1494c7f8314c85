/* What is said of what rules forget. */
#include "../table/tables_fixture.h"

#include "base/clock.h"
#include "flow/rule_reports.h"

#define NOON (INT64_C(1767268800) * NS_PER_SECOND)

static int found(void *context, const struct finding *finding, const struct rule *rule, const struct batch *batch,
                 uint32_t row, struct err *err)
{
    (void)context, (void)finding, (void)rule, (void)batch, (void)row, (void)err;
    return 0;
}

static void run_keys(struct detector *detector, struct tables *t, int from, int to)
{
    struct err err;
    for (int i = from; i < to; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%d", i);
        tables_put_text(t, "k", key);
        t->batch->rows[0].time_ns = NOON + i;
        if (detector_run(detector, t->batch, &err) < 0)
            fail_msg("%s", err.text);
        batch_reset(t->batch);
    }
}

/* Once when keys begin to go, and again when it is twice as many. */
static void a_state_table_that_is_full_is_said(void **state)
{
    (void)state;
    struct tables t;
    struct err err;
    char folder[64], text[RULE_REPORTS_TEXT_SIZE];
    struct rule_set *rules;
    struct detector *detector;
    struct rule_reports_forgotten told = {0};
    struct rule_options options = {.logsource_path = "content/logsources"};
    folder_make(folder);
    tables_open(&t, "table: small\nentries_max: 10\nfrom:\n  - when: isnotnull(k)\n    key: k\n    keep: {n: {last_seen: true}}\n");
    if (rule_set_load(folder, &options, &rules, &err) < 0)
        fail_msg("%s", err.text);
    struct detector_options with = {.rules = rules, .state = t.definitions, .found = found};
    assert_int_equal(detector_new(&with, &detector, &err), 0);
    run_keys(detector, &t, 0, 10);
    assert_false(rule_reports_forgotten(detector, &told, text));
    run_keys(detector, &t, 10, 15);
    assert_true(rule_reports_forgotten(detector, &told, text));
    assert_string_equal(text, "the state table small is full: 5 keys that were touched longest ago are forgotten; "
                              "raise its entries_max in content/state");
    run_keys(detector, &t, 15, 20);
    assert_false(rule_reports_forgotten(detector, &told, text));
    run_keys(detector, &t, 20, 21);
    assert_true(rule_reports_forgotten(detector, &told, text));
    detector_free(detector);
    rule_set_free(rules);
    tables_close(&t);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_table_that_is_full_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
