/* Why: every row with what it read; nothing is decided, recorded or counted by asking. */
#include "gate_fixture.h"

static struct gate_explained explain(struct fixture *f, struct gate_request request)
{
    struct gate_explained explained;
    struct err err;
    if (gate_explain(f->gate, &request, f->arena, &explained, &err) < 0)
        fail_msg("%s", err.text);
    return explained;
}

static const struct gate_row_explained *row(const struct gate_explained *explained, const char *name)
{
    for (size_t i = 0; i < explained->row_count; i++)
        if (slice_is(explained->rows[i].name, name))
            return &explained->rows[i];
    fail_msg("no row %s", name);
    return NULL;
}

/* "-": it was read and is not known; NULL: it was not read. */
static void reads(const struct gate_row_explained *row, const char *name, const char *value)
{
    for (size_t i = 0; i < row->read_count; i++)
        if (slice_is(row->reads[i].name, name)) {
            struct slice is = row->reads[i].value.ptr ? row->reads[i].value : SLICE("-");
            if (!value || !slice_is(is, value))
                fail_msg("%s is %.*s", name, SLICE_ARG(is));
            return;
        }
    if (value)
        fail_msg("%.*s does not read %s", SLICE_ARG(row->name), name);
}

static void says_what_every_row_read(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    struct gate_explained explained = explain(f, withdrawal("a", "500"));
    is(explained.answer, GATE_HOLD, "large-share");
    assert_false(explained.decided_before);
    const struct gate_row_explained *large = row(&explained, "large-share"), *unknown = row(&explained, "balance-unknown");
    assert_true(large->decides && large->applies == GATE_ROW_APPLIES && large->effect == GATE_HOLD);
    assert_int_equal(large->approvals, 2);
    assert_true(slice_is(large->condition, "moves_money AND request.amount > limits.asset_share * balance"));
    reads(large, "request.amount", "500");
    reads(large, "limits.asset_share", "0.05");
    reads(large, "balance", "1000");
    reads(large, "moves_money", "true");
    reads(large, "request.action", "withdrawal"); /* behind moves_money */
    reads(large, "state(asset, ABC, balance)", "1000");
    reads(large, "incident_rank", NULL);
    assert_true(unknown->applies == GATE_ROW_NOT && !unknown->decides);
    const struct gate_row_explained *otherwise = row(&explained, "otherwise");
    assert_true(otherwise->applies == GATE_ROW_APPLIES && !otherwise->decides && !otherwise->condition.ptr);
    size_t deciding = 0;
    for (size_t i = 0; i < explained.row_count; i++)
        deciding += explained.rows[i].decides;
    assert_int_equal(deciding, 1);
}

static void tells_unknown_from_no(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE("version: \"2\"\nmode: enforce\nvalues: {balance: 'state(\"asset\", request.asset, \"balance\")'}\nrows:\n"
                        "  - {name: small, when: request.amount < balance, effect: allow}\n"
                        "  - {name: big, when: request.amount > balance, effect: deny, reason: {en: e, ja: j}}\n"));
    struct gate_explained explained = explain(f, withdrawal("a", "1"));
    is(explained.answer, GATE_HOLD, "big");
    assert_true(row(&explained, "small")->applies == GATE_ROW_UNKNOWN && !row(&explained, "small")->decides);
    assert_true(row(&explained, "big")->applies == GATE_ROW_UNKNOWN && row(&explained, "big")->decides);
    reads(row(&explained, "big"), "balance", "-");
    reads(row(&explained, "big"), "state(asset, ABC, balance)", "-");
}

static void decides_nothing(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    for (int i = 0; i < 30; i++) /* would be more than the account may have, if it counted */
        is(explain(f, withdrawal("a", "5")).answer, GATE_ALLOW, "otherwise");
    struct gate_stats stats = gate_stats(f->gate);
    assert_int_equal(stats.decisions, 0);
    assert_int_equal(holds(f).count, 0);
    struct gate_answer answer = ask(f, withdrawal("a", "5"));
    is(answer, GATE_ALLOW, "otherwise");
    struct gate_explained explained = explain(f, withdrawal("a", "5"));
    assert_true(explained.decided_before && !explained.answer.token.len);
    reads(row(&explained, "account-velocity"), "allowed_account_24h", "5");
}

static void explains_in_doubt_too(void **state)
{
    struct fixture *f = *state;
    observe_balance(f, "1000");
    gate_set_health(f->gate, false, "a test");
    struct gate_explained explained = explain(f, withdrawal("a", "500"));
    is(explained.answer, GATE_HOLD, "unhealthy");
    assert_true(row(&explained, "large-share")->decides);
    gate_set_health(f->gate, true, NULL);
    f->config.policy_path = "/nonexistent/policy.yaml";
    restart(f);
    explained = explain(f, withdrawal("b", "500"));
    is(explained.answer, GATE_HOLD, "policy");
    assert_int_equal(explained.row_count, 0);
    struct err err;
    struct slice text;
    assert_int_equal(gate_policy_text(f->gate, f->arena, &text, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void refuses_what_decide_refuses(void **state)
{
    struct fixture *f = *state;
    struct gate_explained explained;
    struct err err;
    struct gate_request request = withdrawal("", "1");
    assert_int_equal(gate_explain(f->gate, &request, f->arena, &explained, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_what_every_row_read), TEST(tells_unknown_from_no), TEST(decides_nothing),
        TEST(explains_in_doubt_too),    TEST(refuses_what_decide_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
