/* Amounts in base units, and payloads that end early: what cannot be read to the end is never what was asked for. */
#include "test.h"

#include "base/limits.h"
#include "gate/payload.h"

static void writes_base_units(void **state)
{
    static const struct {
        const char *amount;
        uint8_t decimals;
        const char *units; /* NULL: none */
    } cases[] = {
        {"1.5", 6, "1500000"}, {"1.500", 1, "15"}, {"0", 8, "0"}, {"0.00000001", 8, "1"}, {"0.000000001", 8, NULL},
        {"12345678901234567890.123456789012345678", 18, "12345678901234567890123456789012345678"},
        {"99999999999999999999999999999999999999", 36, "99999999999999999999999999999999999999000000000000000000000000000000000000"},
        {"7", 0, "7"}, {"7.5", 0, NULL}, {"-1", 6, NULL}, {"1e3", 2, "100000"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct decimal amount;
        char units[BASE_UNITS_SIZE];
        assert_true(decimal_parse(slice_text(cases[i].amount), &amount));
        bool fits = payload_base_units(amount, cases[i].decimals, units);
        if (fits != (cases[i].units != NULL) || (fits && strcmp(units, cases[i].units) != 0))
            fail_msg("%s with %u decimals is %s", cases[i].amount, cases[i].decimals, fits ? units : "none");
    }
}

/* transfer(address,uint256) of 1.5 in a transaction of type 2 */
static const char whole[] = "0x"
                            "02f86d0107843b9aca008502540be40082520894aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa80b844a9059cbb00"
                            "0000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0000000000000000000000000000000000"
                            "00000000000000000000000016e360c0";
static const char policy_text[] = "version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: allow}\nassets:\n"
                                  "  A: {chain: evm, decimals: 6, contract: \"0xAAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n";

static bool matches(const struct policy *policy, struct slice payload, struct arena *arena)
{
    struct payload_sight sight;
    struct gate_request request = {.asset = SLICE("A"), .destination = SLICE("0xBBBBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
                                   .payload = payload, .has_amount = true};
    assert_true(decimal_parse(SLICE("1.50"), &request.amount));
    assert_true(payload_judge(policy, &request, arena, &sight));
    return sight.matches;
}

static void takes_only_the_whole(void **state)
{
    struct arena *arena = arena_new(64 * MIB);
    const struct policy *policy;
    struct slice payload;
    struct err err;
    (void)state;
    assert_int_equal(policy_parse(slice_text(policy_text), arena, &policy, &err), 0);
    assert_true(payload_from_text(slice_text(whole), arena, &payload));
    assert_true(matches(policy, payload, arena));
    assert_false(matches(NULL, payload, arena));
    for (size_t len = 0; len < payload.len; len++)
        assert_false(matches(policy, slice_sub(payload, 0, len), arena));
    char *changed = arena_string(arena, payload);
    size_t same = 0;
    for (size_t i = 0; i < payload.len; i++) {
        changed[i] ^= 1;
        same += matches(policy, slice_of(changed, payload.len), arena);
        changed[i] ^= 1;
    }
    assert_int_equal(same, 1 + 4 + 5 + 2); /* nonce, tip, fee, gas: not what the request speaks of */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_base_units),
        cmocka_unit_test(takes_only_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
