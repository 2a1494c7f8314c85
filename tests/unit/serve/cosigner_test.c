/* What a co-signer may ask with: signatures, algorithms and times; what becomes of its fields; and what it is told. */
#include "serve/cosigner.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "net/jws.h"

#include "cosigner_keys.h"
#include "test.h"

#include <stdlib.h>

#define NOW INT64_C(1767225600000000000)

static struct arena *arena;
static struct cosigner_settings settings;
static struct cosigner *cosigner;

static struct slice signed_text(const char *head, const char *claims)
{
    struct buffer to;
    struct err err;
    buffer_init(&to, MIB);
    assert_int_equal(jws_sign_rs256(slice_text(TEST_PRIVATE_KEY), slice_text(head), slice_text(claims), &to, &err), 0);
    struct slice copy = arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    return copy;
}

#define RS256 "{\"typ\":\"JWT\",\"alg\":\"RS256\"}"

static const struct json_node *claims_of(const char *claims)
{
    const struct json_node *out;
    struct err err;
    if (cosigner_claims(cosigner, signed_text(RS256, claims), NOW, arena, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void refused(struct slice token, enum err_code code, const char *why)
{
    const struct json_node *out;
    struct err err = {0};
    assert_int_equal(cosigner_claims(cosigner, token, NOW, arena, &out, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

/* ---- who asks ---- */

static void a_signed_question_is_read(void **state)
{
    (void)state;
    const struct json_node *claims = claims_of("{\"requestId\":\"r1\",\"asset\":\"ETH\"}");
    assert_true(slice_is(json_text_of(json_get(claims, "requestId"), SLICE_NONE), "r1"));
}

static void other_algorithms_are_refused(void **state)
{
    static const char *const heads[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}", "{\"alg\":\"rs256\"}", "{\"alg\":\"RS512\"}", "{\"alg\":\"PS256\"}", "{\"alg\":\"ES256\"}",
        "{\"alg\":[\"RS256\"]}", "{}", "{\"alg\":null}", "[\"RS256\"]"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++)
        refused(signed_text(heads[i], "{\"requestId\":\"r1\"}"), ERR_DENIED, "RS256");
    refused(signed_text("{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "{}"), ERR_DENIED, "extension");
    refused(signed_text("no JSON", "{}"), ERR_DENIED, "head");
}

static void a_changed_byte_is_refused(void **state)
{
    struct slice whole = signed_text(RS256, "{\"requestId\":\"r1\",\"amountStr\":\"1\"}");
    (void)state;
    for (size_t i = 0; i < whole.len; i++) {
        const struct json_node *out;
        struct err err;
        char *copy = arena_string(arena, whole);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        assert_int_equal(cosigner_claims(cosigner, slice_of(copy, whole.len), NOW, arena, &out, &err), -1);
        assert_int_equal(err.code, ERR_DENIED);
    }
}

static void what_is_no_signed_text_is_refused(void **state)
{
    static const char *const texts[] = {"", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "e30=.e30.AAAA", "e30 .e30.AAAA", "....", "{\"requestId\":\"r1\"}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        refused(slice_text(texts[i]), ERR_DENIED, "");
    struct slice whole = signed_text(RS256, "{\"requestId\":\"r1\"}");
    ptrdiff_t end = (ptrdiff_t)whole.len;
    while (whole.ptr[end - 1] != '.')
        end--;
    refused(slice_sub(whole, 0, (size_t)end), ERR_DENIED, ""); /* without its signature */
    char *large = arena_alloc(arena, COSIGNER_TOKEN_BYTES_MAX + 1);
    memset(large, 'A', COSIGNER_TOKEN_BYTES_MAX + 1);
    refused(slice_of(large, COSIGNER_TOKEN_BYTES_MAX + 1), ERR_LIMIT, "bytes");
    refused(signed_text(RS256, "no JSON"), ERR_INPUT, "claims");
    refused(signed_text(RS256, "[1]"), ERR_INPUT, "claims");
}

static void times_are_checked(void **state)
{
    (void)state;
    long long now = NOW / NS_PER_SECOND;
    struct {
        struct slice claims;
        const char *why; /* NULL: taken */
    } cases[] = {
        {SLICE("{}"), NULL},
        {arena_printf(arena, "{\"exp\":%lld}", now + 1), NULL},
        {arena_printf(arena, "{\"exp\":%lld}", now), "expired"},
        {arena_printf(arena, "{\"exp\":%lld.5}", now - 1), "expired"},
        {arena_printf(arena, "{\"iat\":%lld}", now + 60), NULL},
        {arena_printf(arena, "{\"iat\":%lld}", now + 61), "future"},
        {arena_printf(arena, "{\"nbf\":%lld}", now + 3600), "future"},
        {SLICE("{\"exp\":\"later\"}"), "no number"},
        {SLICE("{\"iat\":true}"), "no number"},
        {arena_printf(arena, "{\"iat\":%lld}", now - 86400), NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if (cases[i].why)
            refused(signed_text(RS256, arena_string(arena, cases[i].claims)), ERR_DENIED, cases[i].why);
        else
            (void)claims_of(arena_string(arena, cases[i].claims));
    settings.max_age_ns = 300 * NS_PER_SECOND;
    refused(signed_text(RS256, "{}"), ERR_DENIED, "max_age");
    refused(signed_text(RS256, arena_string(arena, arena_printf(arena, "{\"iat\":%lld}", now - 301))), ERR_DENIED, "max_age");
    (void)claims_of(arena_string(arena, arena_printf(arena, "{\"iat\":%lld}", now - 300)));
    settings.max_age_ns = 0;
}

/* ---- what is asked ---- */

static const struct gate_ask *asks_of(enum cosigner_question question, const char *claims, size_t want)
{
    struct gate_ask *asks;
    struct err err;
    size_t count;
    if (cosigner_asks(cosigner, question, claims_of(claims), arena, &asks, &count, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(count, want);
    return asks;
}

static void same(struct slice got, const char *want)
{
    if (!slice_equal(got, slice_text(want)))
        fail_msg("got '%.*s', want '%s'", SLICE_ARG(got), want);
}

static void amount_is(const struct gate_request *request, const char *want)
{
    char text[DECIMAL_TEXT_SIZE];
    assert_true(request->has_amount);
    same(slice_of(text, decimal_format(request->amount, text)), want);
}

static void a_transfer_is_a_withdrawal(void **state)
{
    (void)state;
    const struct gate_request *request = &asks_of(COSIGNER_TRANSACTION,
        "{\"requestId\":\"r1\",\"txId\":\"t1\",\"operation\":\"TRANSFER\",\"sourceType\":\"VAULT\",\"sourceId\":\"3\",\"destType\":\"ONE_TIME_ADDRESS\","
        "\"destAddress\":\"0xabc\",\"asset\":\"USDT_ERC20\",\"amount\":1.1,\"amountStr\":\"1.100000000000000000000001\","
        "\"customerRefId\":\"u7\",\"externalTxId\":\"W9\"}", 1)->request;
    same(request->request_id, "r1");
    same(request->action, "withdrawal");
    same(request->wallet, "VAULT/3");
    same(request->destination, "0xabc");
    same(request->asset, "USDT");
    same(request->account, "u7");
    same(request->nonce, "W9");
    amount_is(request, "1.100000000000000000000001");
}

static void other_operations_never_look_harmless(void **state)
{
    (void)state;
    same(asks_of(COSIGNER_TRANSACTION, "{\"requestId\":\"r\",\"operation\":\"LOGIN\"}", 1)->request.action, "sign_login");
    same(asks_of(COSIGNER_TRANSACTION, "{\"requestId\":\"r\",\"operation\":\"CONTRACT_CALL\"}", 1)->request.action, "sign_contract_call");
    same(asks_of(COSIGNER_TRANSACTION, "{\"requestId\":\"r\",\"operation\":\"\"}", 1)->request.action, "sign_");
}

static void vaults_are_places(void **state)
{
    (void)state;
    const struct gate_request *request =
        &asks_of(COSIGNER_TRANSACTION, "{\"requestId\":\"r\",\"destType\":\"VAULT\",\"destId\":\"1\",\"destAddress\":\"\",\"amount\":2}", 1)->request;
    same(request->destination, "VAULT/1");
    amount_is(request, "2");
}

static void each_destination_is_asked_for(void **state)
{
    (void)state;
    const struct gate_ask *asks = asks_of(COSIGNER_TRANSACTION,
        "{\"requestId\":\"r1\",\"asset\":\"BTC\",\"amountStr\":\"3\",\"destAddress\":\"first\",\"destinations\":["
        "{\"amountNativeStr\":\"1\",\"displayDstAddress\":\"first\"},{\"amountNativeStr\":\"2\",\"displayDstAddress\":\"second\"},"
        "{\"dstType\":\"VAULT\",\"dstId\":\"9\"}]}", 3);
    same(asks[0].request.request_id, "r1");
    same(asks[1].request.request_id, "r1/2");
    same(asks[2].request.request_id, "r1/3");
    same(asks[1].request.destination, "second");
    same(asks[2].request.destination, "VAULT/9");
    amount_is(&asks[1].request, "2");
    assert_false(asks[2].request.has_amount);
}

static void an_amount_that_is_none_is_an_error(void **state)
{
    static const char *const texts[] = {"{\"requestId\":\"r\",\"amountStr\":\"lots\"}", "{\"requestId\":\"r\",\"amountStr\":true}",
                                        "{\"requestId\":\"r\",\"destinations\":[{\"amountNativeStr\":[]},{}]}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct gate_ask *asks;
        struct err err;
        size_t count;
        assert_int_equal(cosigner_asks(cosigner, COSIGNER_TRANSACTION, claims_of(texts[i]), arena, &asks, &count, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
    }
}

static void a_change_of_the_configuration_is_no_withdrawal(void **state)
{
    (void)state;
    const struct gate_request *request = &asks_of(COSIGNER_CONFIG_CHANGE,
        "{\"requestId\":\"c1\",\"type\":\"UNMANAGED_WALLET\",\"extraInfo\":{\"address\":\"bc1qnew\"}}", 1)->request;
    same(request->action, "config_change");
    same(request->wallet, "UNMANAGED_WALLET");
    same(request->destination, "bc1qnew");
}

/* ---- what it is told ---- */

static struct cosigner_verdict judged(const struct gate_ask *asks, size_t count)
{
    return cosigner_judge(cosigner, asks, count, NOW, arena);
}

static void the_worst_answer_counts(void **state)
{
    struct gate_ask asks[3] = {{.answer = {.decision = GATE_ALLOW}}, {.answer = {.decision = GATE_ALLOW}}, {.answer = {.decision = GATE_ALLOW}}};
    (void)state;
    assert_int_equal(judged(asks, 3).action, COSIGNER_APPROVE);
    asks[1].answer = (struct gate_answer){.decision = GATE_HOLD, .decided_ns = NOW};
    assert_int_equal(judged(asks, 3).action, COSIGNER_RETRY);
    asks[2].answer = (struct gate_answer){.decision = GATE_DENY, .row = SLICE("secret-row"), .id = "1234"};
    assert_int_equal(judged(asks, 3).action, COSIGNER_REJECT);
    assert_true(slice_find(judged(asks, 3).reason, SLICE("secret-row")) < 0);
    assert_true(slice_find(judged(asks, 3).reason, SLICE("1234")) >= 0);
    assert_int_equal(judged(asks, 0).action, COSIGNER_RETRY);
    asks[0] = (struct gate_ask){.refused = ERR_CONFLICT, .why = "x"};
    assert_int_equal(judged(asks, 1).action, COSIGNER_REJECT);
    asks[0] = (struct gate_ask){.refused = ERR_NOMEM, .why = "x"};
    assert_int_equal(judged(asks, 1).action, COSIGNER_RETRY);
}

static void an_old_hold_is_refused_where_that_is_wanted(void **state)
{
    const struct gate_ask ask = {.answer = {.decision = GATE_HOLD, .decided_ns = NOW - 600 * NS_PER_SECOND}};
    (void)state;
    assert_int_equal(judged(&ask, 1).action, COSIGNER_RETRY);
    settings.reject_after_ns = 601 * NS_PER_SECOND;
    assert_int_equal(judged(&ask, 1).action, COSIGNER_RETRY);
    settings.reject_after_ns = 600 * NS_PER_SECOND;
    assert_int_equal(judged(&ask, 1).action, COSIGNER_REJECT);
    settings.reject_after_ns = 0;
}

static void the_answer_is_signed_by_us(void **state)
{
    struct buffer to;
    struct err err;
    const struct json_node *claims;
    const struct cosigner_verdict verdict = {COSIGNER_REJECT, SLICE("because")};
    (void)state;
    buffer_init(&to, MIB);
    assert_int_equal(cosigner_answer(cosigner, SLICE("r\"1"), &verdict, NOW, &to, &err), 0);
    assert_int_equal(cosigner_claims(cosigner, buffer_slice(&to), NOW, arena, &claims, &err), 0); /* one pair of keys for both here */
    same(json_text_of(json_get(claims, "action"), SLICE_NONE), "REJECT");
    same(json_text_of(json_get(claims, "requestId"), SLICE_NONE), "r\"1");
    same(json_text_of(json_get(claims, "rejectionReason"), SLICE_NONE), "because");
    buffer_close(&to);
}

/* ---- the configuration ---- */

static void wrong_settings_are_named(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{}", "needs a public_key"},
        {"{public_key: x}", "needs a public_key"},
        {"{public_key: [], private_key: y}", "at most 8"},
        {"{public_key: x, private_key: y, reject_after: soon}", "duration"},
        {"{public_key: x, private_key: y, secret: z}", "no key 'secret'"},
        {"{public_key: x, private_key: y, assets: [a]}", "mapping"},
        {"{public_key: x, private_key: \"file:/nowhere/at/all\"}", "/nowhere/at/all"},
        {"[]", "mapping"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct yaml_node *const *documents;
        struct cosigner_settings read;
        struct err err;
        size_t count;
        assert_int_equal(yaml_parse(slice_text(cases[i].text), arena, &documents, &count, &err), 0);
        assert_int_equal(cosigner_settings_read(documents[0], arena, &read, &err), -1);
        if (!strstr(err.text, cases[i].why))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].why);
    }
}

static void wrong_keys_are_refused(void **state)
{
    struct cosigner_settings wrong = settings;
    struct cosigner *made;
    struct err err;
    (void)state;
    wrong.public_keys[0] = slice_text(TEST_PRIVATE_KEY);
    assert_int_equal(cosigner_open(&wrong, &made, &err), -1);
    assert_non_null(strstr(err.text, "public_key"));
    wrong = settings;
    wrong.private_key = slice_text(TEST_PUBLIC_KEY);
    assert_int_equal(cosigner_open(&wrong, &made, &err), -1);
    assert_non_null(strstr(err.text, "private_key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_question_is_read),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(a_changed_byte_is_refused),
        cmocka_unit_test(what_is_no_signed_text_is_refused),
        cmocka_unit_test(times_are_checked),
        cmocka_unit_test(a_transfer_is_a_withdrawal),
        cmocka_unit_test(other_operations_never_look_harmless),
        cmocka_unit_test(vaults_are_places),
        cmocka_unit_test(each_destination_is_asked_for),
        cmocka_unit_test(an_amount_that_is_none_is_an_error),
        cmocka_unit_test(a_change_of_the_configuration_is_no_withdrawal),
        cmocka_unit_test(the_worst_answer_counts),
        cmocka_unit_test(an_old_hold_is_refused_where_that_is_wanted),
        cmocka_unit_test(the_answer_is_signed_by_us),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(wrong_keys_are_refused),
    };
    static struct cosigner_asset usdt;
    struct err err;
    arena = arena_new(256 * MIB);
    usdt = (struct cosigner_asset){SLICE("USDT_ERC20"), SLICE("USDT")};
    settings = (struct cosigner_settings){.public_keys = {slice_text(TEST_PUBLIC_KEY)}, .key_count = 1,
                                          .private_key = slice_text(TEST_PRIVATE_KEY), .assets = &usdt, .asset_count = 1};
    if (cosigner_open(&settings, &cosigner, &err) < 0)
        fail_msg("%s", err.text);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    cosigner_close(cosigner);
    arena_free(arena);
    return result;
}
