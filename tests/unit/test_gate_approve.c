/* Approvals by signature: whose, of what, until when; and that one person is one person. */
#include "gate_fixture.h"

#include "gate/approval.h"

#include <sodium.h>

static const unsigned char sato_seed[APPROVER_SEED_SIZE] = {1}, suzuki_seed[APPROVER_SEED_SIZE] = {2};

static struct slice public_text(struct fixture *f, const unsigned char seed[APPROVER_SEED_SIZE])
{
    unsigned char key[APPROVER_KEY_SIZE];
    char text[64];
    approval_public_key(seed, key);
    sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
    return arena_copy(f->arena, slice_text(text));
}

/* Everything is held; sato may sign, suzuki too when with_suzuki. */
static struct slice policy_of(struct fixture *f, bool with_suzuki)
{
    return arena_printf(f->arena,
                        "version: \"1\"\nmode: enforce\nrows:\n"
                        "  - {name: all, effect: hold, approvals: 2, reason: {en: e, ja: j}}\n"
                        "approvers:\n  sato: %s\n%s%s\n",
                        public_text(f, sato_seed).ptr, with_suzuki ? "  suzuki: " : "",
                        with_suzuki ? public_text(f, suzuki_seed).ptr : "");
}

static struct slice hold(struct fixture *f, const char *id)
{
    struct gate_answer answer = ask(f, withdrawal(id, "500"));
    is(answer, GATE_HOLD, "all");
    return arena_copy(f->arena, slice_text(answer.id));
}

static struct gate_signature sign(struct fixture *f, const char *request_id, struct slice approver,
                                  const unsigned char *seed, int64_t expires_ns)
{
    unsigned char digest[REQUEST_DIGEST_SIZE];
    char gate[GATE_ID_SIZE], hold_id[33];
    struct gate_request request = withdrawal(request_id, "500");
    assert_true(request_digest(&request, digest));
    sodium_bin2hex(hold_id, sizeof(hold_id), digest, 16);
    gate_id(f->gate, gate);
    struct gate_signature signature = {.approver = approver, .expires_ns = expires_ns};
    struct approval_text text = {slice_text(gate), slice_text(hold_id), approver, digest, expires_ns, SLICE_NONE};
    assert_true(approval_sign(&text, seed, signature.bytes));
    return signature;
}

static int approve(struct fixture *f, struct slice id, const struct gate_signature *signature,
                   bool *released, struct err *err)
{
    return gate_approve_signed(f->gate, id, signature, released, err);
}

static void refused(struct fixture *f, struct slice id, const struct gate_signature *signature,
                    enum err_code code, const char *why)
{
    struct err err;
    bool released;
    uint32_t before = holds(f).approvals;
    assert_int_equal(approve(f, id, signature, &released, &err), -1);
    if (err.code != code || !strstr(err.text, why))
        fail_msg("%s", err.text);
    assert_int_equal(holds(f).approvals, before);
    assert_false(released);
}

#define SOON (NOW + 10 * NS_PER_MINUTE)

static void counts_two_signatures(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    own_policy(f, policy_of(f, true));
    struct slice id = hold(f, "a");
    struct gate_signature one = sign(f, "a", SLICE("sato"), sato_seed, SOON);
    struct gate_signature two = sign(f, "a", SLICE("suzuki"), suzuki_seed, SOON);
    if (approve(f, id, &one, &released, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(released);
    restart(f); /* it is durable, and its name is that of the same gate */
    assert_int_equal(holds(f).approvals, 1);
    assert_int_equal(approve(f, id, &two, &released, &err), 0);
    assert_true(released);
    restart(f);
    is(ask(f, withdrawal("a", "500")), GATE_ALLOW, "released");
    assert_int_equal(approve(f, id, &one, &released, &err), -1); /* it has been used */
}

static void counts_a_person_once(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    own_policy(f, policy_of(f, true));
    struct slice id = hold(f, "a");
    struct gate_signature one = sign(f, "a", SLICE("sato"), sato_seed, SOON);
    struct gate_signature later = sign(f, "a", SLICE("SATO"), sato_seed, SOON + 1);
    assert_int_equal(approve(f, id, &one, &released, &err), 0);
    refused(f, id, &one, ERR_CONFLICT, "has approved already");
    refused(f, id, &later, ERR_CONFLICT, "has approved already");
    assert_int_equal(gate_approve(f->gate, id, SLICE("sato"), &released, &err), -1); /* by a session */
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(gate_approve(f->gate, id, SLICE("ito"), &released, &err), 0);
    assert_true(released); /* one by signature, one by session */
}

static void takes_only_what_was_signed(void **state)
{
    struct fixture *f = *state;
    own_policy(f, policy_of(f, true));
    struct slice id = hold(f, "a");
    struct gate_signature good = sign(f, "a", SLICE("sato"), sato_seed, SOON), bad = good;
    bad.bytes[5] ^= 1;
    refused(f, id, &bad, ERR_DENIED, "the signature is not that of sato");
    bad = good;
    bad.expires_ns++;
    refused(f, id, &bad, ERR_DENIED, "the signature is not that of sato");
    bad = good;
    bad.approver = SLICE("suzuki");
    refused(f, id, &bad, ERR_DENIED, "the signature is not that of suzuki");
    bad.approver = SLICE("tanaka");
    refused(f, id, &bad, ERR_DENIED, "names no approver tanaka");
    bad.approver = SLICE("");
    refused(f, id, &bad, ERR_DENIED, "needs a person's name");
    refused(f, SLICE("none"), &good, ERR_NOT_FOUND, "no such hold");
    bad = sign(f, "b", SLICE("sato"), sato_seed, SOON); /* another request */
    refused(f, id, &bad, ERR_DENIED, "the signature is not that of sato");
    bad = sign(f, "a", SLICE("sato"), suzuki_seed, SOON); /* another's key */
    refused(f, id, &bad, ERR_DENIED, "the signature is not that of sato");
}

static void takes_it_only_in_time(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    own_policy(f, policy_of(f, true));
    struct slice id = hold(f, "a");
    struct gate_signature over = sign(f, "a", SLICE("sato"), sato_seed, NOW);
    struct gate_signature far = sign(f, "a", SLICE("sato"), sato_seed, NOW + 31 * NS_PER_MINUTE);
    refused(f, id, &over, ERR_DENIED, "the time of this approval is over");
    refused(f, id, &far, ERR_DENIED, "more than 30 minutes");
    f->clock.wall_ns -= 5 * NS_PER_MINUTE; /* to make the old one young again */
    ask(f, withdrawal("look", "500"));     /* the gate looks at its clock once a round */
    refused(f, id, &over, ERR_DENIED, "the clock was moved");
    clock_manual_advance(&f->clock, 61 * NS_PER_SECOND);
    assert_int_equal(approve(f, id, &over, &released, &err), 0); /* its four minutes are there again */
}

static void stops_with_the_policy(void **state)
{
    struct fixture *f = *state;
    struct err err;
    own_policy(f, policy_of(f, true));
    struct slice id = hold(f, "a");
    struct gate_signature signature = sign(f, "a", SLICE("suzuki"), suzuki_seed, SOON);
    write_policy(f, policy_of(f, false));
    assert_int_equal(gate_policy_reload(f->gate, SLICE("admin"), &err), 0);
    refused(f, id, &signature, ERR_DENIED, "names no approver suzuki");
}

static void is_of_one_gate(void **state)
{
    struct fixture *f = *state;
    own_policy(f, policy_of(f, true));
    struct gate_signature elsewhere = sign(f, "a", SLICE("sato"), sato_seed, SOON);
    gate_stop(f->gate);
    remove_file(f, "gate.key"); /* another gate with the same policy, asked the same */
    start(f);
    refused(f, hold(f, "a"), &elsewhere, ERR_DENIED, "the signature is not that of sato");
}

static void does_not_let_people_approve_their_own(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    own_policy(f, policy_of(f, true));
    struct gate_request request = withdrawal("own", "500");
    request.account = SLICE("Sato");
    struct gate_answer answer = ask(f, request);
    assert_int_equal(gate_approve(f->gate, slice_text(answer.id), SLICE("sato"), &released, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(gate_approve(f->gate, slice_text(answer.id), SLICE("ito"), &released, &err), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_two_signatures),
        TEST(counts_a_person_once),
        TEST(takes_only_what_was_signed),
        TEST(takes_it_only_in_time),
        TEST(stops_with_the_policy),
        TEST(is_of_one_gate),
        TEST(does_not_let_people_approve_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
