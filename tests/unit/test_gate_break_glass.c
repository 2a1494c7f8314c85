/* Breaking the glass: the time and the gate that it was signed for, and that it moves along when the journal rotates. */
#include "gate_fixture.h"

#include "gate/approval.h"
#include "gate/gate_book.h"
#include "gate/gate_break_glass.h"
#include "gate/gate_payload.h"

#include <sodium.h>

static const unsigned char seed[APPROVER_SEED_SIZE] = {7};

static struct slice begin(struct fixture *f)
{
    unsigned char key[APPROVER_KEY_SIZE];
    char text[64];
    approval_public_key(seed, key);
    sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
    own_policy(f, arena_printf(f->arena, "version: \"1\"\nmode: enforce\nrows:\n  - {name: all, effect: hold, reason: {en: e, ja: j}}\n"
                               "break_glass: {needed: 1, approvers: {mori: \"%s\"}}\n", text));
    struct gate_answer answer = ask(f, withdrawal("a", "500"));
    is(answer, GATE_HOLD, "all");
    return arena_copy(f->arena, slice_text(answer.id));
}

static int break_glass(struct fixture *f, struct slice hold, struct slice gate, int64_t expires_ns, bool *released, struct err *err)
{
    unsigned char digest[REQUEST_DIGEST_SIZE];
    struct gate_request request = withdrawal("a", "500");
    struct gate_signature signature = {.approver = SLICE("mori"), .expires_ns = expires_ns};
    assert_true(request_digest(&request, digest));
    struct approval_text text = {gate, hold, signature.approver, digest, expires_ns, SLICE("the vault burns")};
    assert_true(approval_sign(&text, seed, signature.bytes));
    return gate_break_glass(f->gate, hold, &signature, SLICE("the vault burns"), released, err);
}

static void is_of_its_time_and_gate(void **state)
{
    struct fixture *f = *state;
    struct err err;
    bool released;
    char gate[GATE_ID_SIZE];
    struct slice hold = begin(f);
    gate_id(f->gate, gate);
    assert_int_equal(break_glass(f, hold, slice_text(gate), NOW, &released, &err), -1);
    assert_non_null(strstr(err.text, "is over"));
    assert_int_equal(break_glass(f, hold, slice_text(gate), NOW + 31 * NS_PER_MINUTE, &released, &err), -1);
    assert_non_null(strstr(err.text, "more than 30 minutes"));
    assert_int_equal(break_glass(f, hold, SLICE("another gate"), NOW + NS_PER_MINUTE, &released, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_false(released);
    is(ask(f, withdrawal("a", "500")), GATE_HOLD, "all");
    if (break_glass(f, hold, slice_text(gate), NOW + NS_PER_MINUTE, &released, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(released);
    is(ask(f, withdrawal("a", "500")), GATE_ALLOW, "released");
}

static struct record *add_hold(struct book *book)
{
    unsigned char digest[REQUEST_DIGEST_SIZE] = {1};
    struct gate_request request = withdrawal("a", "500");
    struct gate_answer answer = {.decision = GATE_HOLD, .id = "h1", .row = SLICE("all")};
    request.payload = SLICE("bytes");
    return book_add(book, &request, digest, &answer, 2);
}

static int replay(void *context, struct slice record, struct err *err)
{
    struct book *book = context;
    int known = break_glass_replay(book, record, err);
    return known != 0 ? (known < 0 ? -1 : 0) : book_replay(book, record, err);
}

static void moves_along(void **state)
{
    struct book *book = book_new(), *again = book_new();
    struct buffer payload;
    struct err err;
    (void)state;
    buffer_init(&payload, MIB);
    struct record *record = add_hold(book);
    struct glass_word word = {SLICE("mori"), SLICE("the vault burns"), SLICE("proof")};
    assert_int_equal(book_keep_word(book, record, &word), 0);
    record->words->glass[record->glass_count++] = word;
    record->glass_needed = 2;
    assert_int_equal(book_rotate(book, &payload, &err), 0);
    struct slice rest = buffer_slice(&payload), one;
    for (uint32_t length; slice_take_le32(&rest, &length) && slice_take(&rest, length, &one);)
        assert_int_equal(replay(again, one, &err), 0);
    struct book *both[] = {book, again};
    for (size_t i = 0; i < 2; i++) {
        const struct record *found = book_find_hold(both[i], SLICE("h1"));
        assert_non_null(found);
        assert_int_equal(found->glass_count, 1);
        assert_int_equal(found->glass_needed, 2);
        assert_true(slice_is(found->words->glass[0].person, "mori") && slice_is(found->words->glass[0].reason, "the vault burns") &&
                    slice_is(found->words->glass[0].proof, "proof"));
        assert_true(slice_is(found->request.payload, "bytes"));
        assert_false(record_released(found));
    }
    buffer_close(&payload);
    book_free(book);
    book_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_of_its_time_and_gate, set_up, tear_down),
        cmocka_unit_test(moves_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
