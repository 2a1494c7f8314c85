/* What customers may be told: the words of a row, how long holds took, and that it is remembered. */
#include "gate_fixture.h"

#include "gate/gate_support.h"
#include "gate/policy.h"

static const char POLICY[] = "version: \"1\"\n"
                             "mode: enforce\n"
                             "rows:\n"
                             "  - name: secret-row\n"
                             "    when: request.amount > 10\n"
                             "    effect: hold\n"
                             "    approvals: 1\n"
                             "    reason: {en: \"secret {request.amount}\", ja: \"x\"}\n"
                             "    support: {en: \"Please wait.\", ja: \"お待ちください。\"MINUTES}\n"
                             "  - {name: other, when: request.amount > 5, effect: hold, approvals: 1, reason: {en: e, ja: j}}\n"
                             "  - {name: denied, when: request.amount < 1, effect: deny, reason: {en: e, ja: j}}\n"
                             "  - {name: fine, effect: allow, reason: {en: e, ja: j}}\n";

static void use_policy(struct fixture *f, const char *minutes)
{
    char path[128];
    const char *at = strstr(POLICY, "MINUTES");
    (void)snprintf(path, sizeof(path), "%s/policy.yaml", f->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%.*s%s%s", (int)(at - POLICY), POLICY, minutes, at + strlen("MINUTES"));
    assert_int_equal(fclose(file), 0);
    f->config.policy_path = arena_string(f->arena, slice_text(path));
    restart(f);
}

static struct gate_answer ask_for(struct fixture *f, const char *id, int64_t amount)
{
    struct err err;
    struct gate_answer answer;
    const struct gate_request request = {.request_id = slice_text(id), .action = SLICE("withdrawal"), .account = SLICE("u1"), .asset = SLICE("X"),
                                         .destination = SLICE("d"), .amount = {.coefficient = amount}, .has_amount = true};
    if (gate_decide(f->gate, &request, 5000, f->arena, &answer, &err) < 0)
        fail_msg("%s", err.text);
    return answer;
}

static struct gate_support said(struct fixture *f, const char *request_id)
{
    struct err err;
    struct gate_support out;
    if (gate_support(f->gate, SLICE_NONE, slice_text(request_id), f->arena, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void release(struct fixture *f, const char *id, int64_t amount, int64_t after_ns)
{
    struct err err;
    bool released;
    struct gate_answer answer = ask_for(f, id, amount);
    clock_manual_advance(&f->clock, after_ns);
    assert_int_equal(gate_approve(f->gate, slice_text(answer.id), SLICE("sato"), &released, &err), 0);
    assert_true(released);
}

static void each_state_has_its_words(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct gate_support out;
    use_policy(f, ", minutes: 30");
    struct gate_answer held = ask_for(f, "h", 11);
    (void)ask_for(f, "o", 6);
    (void)ask_for(f, "n", 0);
    (void)ask_for(f, "a", 2);
    assert_true(said(f, "h").state == GATE_SUPPORT_HELD && slice_is(said(f, "h").en, "Please wait.") && slice_is(said(f, "h").ja, "お待ちください。"));
    assert_int_equal(said(f, "h").minutes, 30);
    assert_false(said(f, "h").minutes_learned);
    assert_int_equal(said(f, "h").since_ns, held.decided_ns);
    assert_int_equal(gate_support(f->gate, slice_text(held.id), SLICE_NONE, f->arena, &out, &err), 0);
    assert_true(slice_is(out.request_id, "h"));
    assert_true(said(f, "o").state == GATE_SUPPORT_HELD && slice_starts(said(f, "o").en, SLICE("This request is being checked")));
    assert_int_equal(said(f, "o").minutes, 0);
    assert_int_equal(said(f, "n").state, GATE_SUPPORT_REFUSED);
    assert_int_equal(said(f, "a").state, GATE_SUPPORT_NOT_HELD);
    assert_int_equal(gate_support(f->gate, SLICE_NONE, SLICE("nobody asked"), f->arena, &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void how_long_it_took_is_learned_and_kept(void **state)
{
    struct fixture *f = *state;
    use_policy(f, "");
    release(f, "r1", 11, 10 * NS_PER_MINUTE);
    release(f, "r2", 11, 90 * NS_PER_MINUTE);
    (void)ask_for(f, "h", 11);
    assert_int_equal(said(f, "h").minutes, 0); /* two are too few */
    release(f, "r3", 11, 21 * NS_PER_MINUTE + 1);
    assert_int_equal(said(f, "h").minutes, 22);
    assert_true(said(f, "h").minutes_learned);
    assert_int_equal(said(f, "r3").state, GATE_SUPPORT_RELEASED);
    assert_int_equal(said(f, "r3").minutes, 0);
    (void)ask_for(f, "o", 6);
    assert_int_equal(said(f, "o").minutes, 0); /* another row */
    restart(f);
    assert_int_equal(said(f, "h").minutes, 22);
}

static int keep(void *context, struct slice record, struct err *err)
{
    return waited_replay(context, record, err) < 0 ? -1 : 0;
}

static void waits_go_along_when_the_journal_rotates(void **state)
{
    static struct waited waited, again;
    struct buffer payload;
    struct err err;
    (void)state;
    for (int i = 0; i < WAITED_KEPT + 5; i++)
        waited_add(&waited, SLICE("a"), i * NS_PER_MINUTE);
    for (int i = 0; i < WAITED_ROWS_MAX + 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "row-%d", i);
        for (int k = 0; k < WAITED_LEAST; k++)
            waited_add(&waited, slice_text(name), i);
    }
    buffer_init(&payload, 16 * MIB);
    waited_encode_all(&waited, &payload);
    for (struct slice rest = buffer_slice(&payload), record; rest.len;) {
        uint32_t len = 0;
        memcpy(&len, rest.ptr, sizeof(len));
        record = slice_sub(rest, sizeof(len), len);
        assert_int_equal(keep(&again, record, &err), 0);
        rest = slice_from(rest, sizeof(len) + len);
    }
    buffer_close(&payload);
    assert_int_equal(waited_median_ns(&again, SLICE("a")), waited_median_ns(&waited, SLICE("a")));
    assert_int_equal(waited_median_ns(&again, SLICE("a")), (5 + WAITED_KEPT / 2) * NS_PER_MINUTE);
    assert_int_equal(waited_median_ns(&again, SLICE("row-62")), 62);
    assert_int_equal(waited_median_ns(&again, SLICE("row-66")), 0); /* no room for it */
    const char damaged[] = {40, 1, 'a'};
    assert_int_equal(waited_replay(&again, slice_of(damaged, sizeof(damaged)), &err), -1);
}

static void wrong_texts_are_named(void **state)
{
    static const char *const wrong[] = {"support: x", "support: {en: a}", "support: {en: a, ja: \"{request.amount}\"}", "support: {en: a, ja: b, minutes: 0}",
                                        "support: {en: a, ja: b, rule: c}"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        const struct policy *policy;
        struct err err;
        struct slice text = arena_printf(f->arena, "version: \"1\"\nmode: enforce\nrows:\n  - {name: n, effect: hold, reason: {en: e, ja: j}, %s}\n", wrong[i]);
        assert_int_equal(policy_parse(text, f->arena, &policy, &err), -1);
        assert_non_null(strstr(err.text, "line 4"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_state_has_its_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(how_long_it_took_is_learned_and_kept, set_up, tear_down),
        cmocka_unit_test(waits_go_along_when_the_journal_rotates),
        cmocka_unit_test_setup_teardown(wrong_texts_are_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
