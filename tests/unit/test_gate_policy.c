/* The policy's life: broken at the start, read again while the gate runs, and who may approve by it. */
#include "gate_fixture.h"

#include "gate/policy.h"

#define POLICY(version, effect) \
    "version: \"" version "\"\nmode: enforce\nrows:\n" \
    "  - {name: all-" version ", effect: " effect ", reason: {en: e, ja: j}}\n"
#define BROKEN "version: \"3\"\nmode: enforce\nrows:\n  - name: x\n    effect: allwo\n"

static struct gate_policy_info info_of(struct fixture *f)
{
    struct gate_policy_info info;
    struct err err;
    if (gate_policy(f->gate, f->arena, &info, &err) < 0)
        fail_msg("%s", err.text);
    return info;
}

static void holds_and_says_what_is_broken(void **state)
{
    struct fixture *f = *state;
    own_policy(f, SLICE(BROKEN));
    struct gate_answer answer = ask(f, withdrawal("a", "1"));
    is(answer, GATE_HOLD, "policy");
    assert_int_equal(answer.reason_count, 2);
    assert_true(slice_find(answer.reasons_en[0], SLICE("/v1/gate/policy/reload")) >= 0);
    assert_true(slice_find(answer.reasons_en[1], SLICE("policy.yaml: line 4: ")) >= 0);
    assert_true(slice_find(answer.reasons_en[1], SLICE("needs an effect: allow, hold or deny")) >= 0);
    assert_int_equal(answer.policy_version.len, 0);
    assert_false(gate_stats(f->gate).healthy);
    assert_non_null(strstr(gate_stats(f->gate).reason, "policy.yaml: line 4: "));
    assert_int_equal(info_of(f).version.len, 0);
}

static void holds_without_a_file(void **state)
{
    struct fixture *f = *state;
    f->config.policy_path = "/nonexistent/policy.yaml";
    restart(f);
    struct gate_answer answer = ask(f, withdrawal("a", "1"));
    is(answer, GATE_HOLD, "policy");
    assert_true(slice_find(answer.reasons_en[1], SLICE("cannot open /nonexistent/policy.yaml")) >= 0);
}

static void mends_itself_by_a_reload(void **state)
{
    struct fixture *f = *state;
    struct err err;
    own_policy(f, SLICE(BROKEN));
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "policy");
    assert_int_equal(gate_policy_reload(f->gate, SLICE("admin"), &err), -1); /* still broken */
    is(ask(f, withdrawal("b", "1")), GATE_HOLD, "policy");
    write_policy(f, SLICE(POLICY("4", "allow")));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("admin"), &err), 0);
    struct gate_answer answer = ask(f, withdrawal("c", "1"));
    is(answer, GATE_ALLOW, "all-4");
    assert_true(slice_is(answer.policy_version, "4"));
    is(ask(f, withdrawal("a", "1")), GATE_HOLD, "policy"); /* that one waits for people */
}

static void keeps_the_old_one_when_the_new_is_broken(void **state)
{
    struct fixture *f = *state;
    struct err err;
    own_policy(f, SLICE(POLICY("1", "allow")));
    is(ask(f, withdrawal("a", "1")), GATE_ALLOW, "all-1");
    struct gate_policy_info before = info_of(f);
    assert_int_equal(before.digest.len, 64);
    write_policy(f, SLICE(BROKEN));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("admin"), &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "line 4: "));
    is(ask(f, withdrawal("b", "1")), GATE_ALLOW, "all-1");
    struct gate_policy_info info = info_of(f);
    assert_true(slice_is(info.version, "1") && slice_equal(info.digest, before.digest));
    assert_true(slice_find(info.refused, SLICE("line 4: ")) >= 0 && info.refused_ns == NOW);
    write_policy(f, SLICE(POLICY("1", "hold"))); /* another file of the same version */
    assert_int_equal(gate_policy_reload(f->gate, SLICE("admin"), &err), 0);
    is(ask(f, withdrawal("c", "1")), GATE_HOLD, "all-1");
    info = info_of(f);
    assert_true(slice_is(info.version, "1") && !slice_equal(info.digest, before.digest));
    assert_int_equal(info.refused.len, 0);
}

/* ---- what is told ---- */

struct told {
    int good, refused;
    char by[16], version[16], why[ERR_TEXT_SIZE];
};

static void hear(void *context, const struct gate_policy_news *news)
{
    struct told *told = context;
    told->good += !news->refused.len;
    told->refused += news->refused.len > 0;
    (void)snprintf(told->by, sizeof(told->by), "%.*s", SLICE_ARG(news->by));
    (void)snprintf(told->version, sizeof(told->version), "%.*s", SLICE_ARG(news->version));
    (void)snprintf(told->why, sizeof(told->why), "%.*s", SLICE_ARG(news->refused));
}

static void tells_of_every_reading(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct told told = {0};
    f->config.policy_read = hear;
    f->config.context = &told;
    own_policy(f, SLICE(POLICY("1", "allow")));
    write_policy(f, SLICE(POLICY("2", "allow")));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("tanaka"), &err), 0);
    assert_true(told.good == 1 && told.refused == 0);
    assert_string_equal(told.by, "tanaka");
    assert_string_equal(told.version, "2");
    write_policy(f, SLICE(BROKEN));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("SIGHUP"), &err), -1);
    assert_true(told.good == 1 && told.refused == 1);
    assert_string_equal(told.version, "2");
    assert_non_null(strstr(told.why, "line 4: "));
}

/* ---- at once for all ---- */

enum { SWAPS = 200 };

static void *swap(void *context)
{
    struct fixture *f = context;
    for (int i = 0; i < SWAPS; i++) {
        struct err err;
        write_policy(f, i % 2 ? SLICE(POLICY("1", "allow")) : SLICE(POLICY("2", "hold")));
        if (gate_policy_reload(f->gate, SLICE("admin"), &err) < 0)
            return f;
    }
    return NULL;
}

/* Row, effect and version of every answer belong to one file. */
static void swaps_as_a_whole(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    void *failed;
    own_policy(f, SLICE(POLICY("1", "allow")));
    assert_int_equal(pthread_create(&thread, NULL, swap, f), 0);
    for (int i = 0; i < 2000; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "s%d", i);
        struct gate_answer answer = ask(f, withdrawal(id, "1"));
        if (answer.decision == GATE_ALLOW)
            assert_true(slice_is(answer.row, "all-1") && slice_is(answer.policy_version, "1"));
        else
            assert_true(slice_is(answer.row, "all-2") && slice_is(answer.policy_version, "2"));
    }
    pthread_join(thread, &failed);
    assert_null(failed);
}

/* ---- approvers ---- */

#define KEY1 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define KEY2 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI="

static void expect_refused(struct slice approvers, const char *why)
{
    struct arena *arena = arena_new(4 * MIB);
    const struct policy *policy;
    struct err err;
    struct slice text = arena_printf(arena, "%sapprovers: %.*s\n", POLICY("1", "hold"), SLICE_ARG(approvers));
    assert_int_equal(policy_parse(text, arena, &policy, &err), -1);
    assert_null(policy);
    if (!strstr(err.text, why))
        fail_msg("%s", err.text);
    arena_free(arena);
}

static void reads_approvers(void **state)
{
    struct arena *arena = arena_new(4 * MIB);
    const struct policy *policy;
    struct err err;
    (void)state;
    struct slice text = SLICE(POLICY("1", "hold") "approvers: {sato: " KEY1 ", suzuki: \"" KEY2 "\"}\n");
    assert_int_equal(policy_parse(text, arena, &policy, &err), 0);
    assert_int_equal(policy->approver_count, 2);
    const struct policy_approver *sato = policy_approver_find(policy, SLICE("SATO"));
    assert_non_null(sato);
    assert_int_equal(sato->key[31], 1);
    assert_null(policy_approver_find(policy, SLICE("tanaka")));
    arena_free(arena);
    expect_refused(SLICE("{sato: AAAA}"), "line 5: the key of 'sato' is no Ed25519 public key");
    expect_refused(SLICE("{sato: " KEY1 ", Sato: " KEY2 "}"), "'Sato' is an approver twice");
    expect_refused(SLICE("{sato: " KEY1 ", suzuki: " KEY1 "}"), "have the same key");
    expect_refused(SLICE("[sato]"), "approvers is a mapping");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_and_says_what_is_broken),
        TEST(holds_without_a_file),
        TEST(mends_itself_by_a_reload),
        TEST(keeps_the_old_one_when_the_new_is_broken),
        TEST(tells_of_every_reading),
        TEST(swaps_as_a_whole),
        cmocka_unit_test(reads_approvers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
