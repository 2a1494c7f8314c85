/* Breaking the glass: a second set of people, for when the usual approvers cannot be had. Each signature says why, is durable before it
 * counts, and is told of from the first one on. */
#include "gate/approval.h"
#include "gate/gate_break_glass.h"
#include "gate/gate_parts.h"

enum { RECORD_BREAK_GLASS = 30 }; /* beside those of gate_book.c */

struct breaking {
    struct slice hold_id, reason;
    const struct gate_signature *signature;
    unsigned char key[APPROVER_KEY_SIZE], digest[REQUEST_DIGEST_SIZE];
    bool released;
};

/* ---- as bytes ---- */

void break_glass_encode(const struct record *record, uint32_t i, struct buffer *payload)
{
    const struct glass_word *word = &record->words->glass[i];
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, RECORD_BREAK_GLASS);
    buffer_put_block(payload, slice_text(record->answer.id));
    buffer_put_block(payload, word->person);
    buffer_put_block(payload, word->reason);
    buffer_put_block(payload, word->proof);
    buffer_put_varint(payload, record->glass_needed);
    gate_journal_end(payload, begun);
}

int break_glass_replay(struct book *book, struct slice bytes, struct err *err)
{
    uint64_t kind, needed;
    struct slice id;
    struct glass_word word;
    if (!slice_take_varint(&bytes, &kind) || kind != RECORD_BREAK_GLASS)
        return 0;
    if (!slice_take_block(&bytes, &id) || !slice_take_block(&bytes, &word.person) || !slice_take_block(&bytes, &word.reason) ||
        !slice_take_block(&bytes, &word.proof) || !slice_take_varint(&bytes, &needed) || needed > APPROVALS_MAX)
        return err_set(err, ERR_CORRUPT, "a breaking of the glass cannot be read");
    struct record *record = book_find_hold(book, id);
    if (!record || record->glass_count == APPROVALS_MAX)
        return err_set(err, ERR_CORRUPT, "a breaking of the glass belongs to no hold");
    if (book_keep_word(book, record, &word) < 0)
        return err_nomem(err);
    record->words->glass[record->glass_count++] = word;
    record->glass_needed = (uint32_t)needed;
    return 1;
}

/* ---- signing ---- */

static const struct policy_approver *find_person(const struct gate *gate, struct slice name)
{
    return gate->policy ? policy_glass_find(gate->policy, name) : NULL;
}

static int look_up(struct gate *gate, struct message *message, struct err *err)
{
    struct breaking *breaking = message->detail;
    const struct record *record = book_find_hold(gate->book, breaking->hold_id);
    const struct policy_approver *known = find_person(gate, breaking->signature->approver);
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (!known)
        return err_set(err, ERR_DENIED, "the gate's policy does not let %.*s break the glass", SLICE_ARG(breaking->signature->approver));
    if (gate->clock_doubt_until_ns && clock_mono_ns(gate->config.clock) < gate->clock_doubt_until_ns)
        return err_set(err, ERR_DENIED, "the clock was moved, so the signature's time cannot be judged; try again in a minute");
    memcpy(breaking->digest, record->digest, sizeof(breaking->digest));
    memcpy(breaking->key, known->key, sizeof(breaking->key));
    return 0;
}

static int may_count(const struct gate *gate, const struct breaking *breaking, const struct record *record, struct err *err)
{
    struct slice person = breaking->signature->approver;
    const struct policy_approver *known = find_person(gate, person);
    if (!known || memcmp(known->key, breaking->key, sizeof(known->key)) != 0)
        return err_set(err, ERR_DENIED, "the policy does not name this key of %.*s any more", SLICE_ARG(person));
    if (slice_equal_nocase(record->request.account, person))
        return err_set(err, ERR_DENIED, "%.*s asked for this and cannot break the glass for it", SLICE_ARG(person));
    if (record_released(record))
        return err_set(err, ERR_CONFLICT, "the hold has been released already");
    for (uint32_t i = 0; i < record->glass_count; i++)
        if (slice_equal_nocase(record->words->glass[i].person, person))
            return err_set(err, ERR_CONFLICT, "%.*s has broken the glass already; another person must", SLICE_ARG(person));
    return record->glass_count < APPROVALS_MAX ? 0 : err_set(err, ERR_CONFLICT, "the hold has all the signatures it can have");
}

static void tell(struct gate *gate, const struct record *record)
{
    const struct glass_word *word = &record->words->glass[record->glass_count - 1];
    const struct gate_approval told = {.hold_id = slice_text(record->answer.id), .approver = word->person, .row = record->answer.row,
                                       .incident = record->answer.incident, .approvals = record->glass_count,
                                       .approvals_needed = record->glass_needed, .released = record_released(record),
                                       .is_signed = true, .break_glass = word->reason,
                                       .time_ns = clock_wall_ns(gate->config.clock)};
    if (gate->config.approved)
        gate->config.approved(gate->config.context, &record->request, &told);
}

static int count(struct gate *gate, struct message *message, struct err *err)
{
    struct breaking *breaking = message->detail;
    struct record *record = book_find_hold(gate->book, breaking->hold_id);
    char proof[PROOF_SIZE];
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (may_count(gate, breaking, record, err) < 0)
        return -1;
    approval_put_proof(breaking->key, breaking->signature, proof);
    struct glass_word word = {breaking->signature->approver, breaking->reason, slice_of(proof, sizeof(proof))};
    if (book_keep_word(gate->book, record, &word) < 0)
        return err_nomem(err);
    uint32_t needed = record->glass_needed;
    record->words->glass[record->glass_count] = word;
    record->glass_needed = gate->policy->glass_needed;
    if (gate->journal)
        break_glass_encode(record, record->glass_count, &gate->payload);
    if (gate_commit(gate) < 0) {
        record->glass_needed = needed;
        return err_set(err, ERR_IO, "the gate's journal cannot be written, so nothing is released");
    }
    record->glass_count++;
    breaking->released = record_released(record);
    tell(gate, record);
    return 0;
}

int gate_break_glass(struct gate *gate, struct slice hold_id, const struct gate_signature *signature, struct slice reason,
                     bool *released, struct err *err)
{
    struct breaking breaking = {.hold_id = hold_id, .reason = slice_trim(reason), .signature = signature};
    char id[GATE_ID_SIZE];
    *released = false;
    if (!signature->approver.len)
        return err_set(err, ERR_DENIED, "a signature needs a person's name");
    if (!breaking.reason.len || reason.len > GATE_GLASS_REASON_MAX)
        return err_set(err, ERR_CONFIG, "a reason of 1 to %d bytes is needed", GATE_GLASS_REASON_MAX);
    if (message_call(gate, look_up, &breaking, sizeof(breaking), err) < 0)
        return -1;
    gate_id(gate, id);
    struct approval_text text = {.gate_id = slice_text(id), .hold_id = hold_id, .approver = signature->approver,
                                 .digest = breaking.digest, .expires_ns = signature->expires_ns, .break_glass = reason};
    if (approval_check(&text, breaking.key, signature->bytes, clock_wall_ns(gate->config.clock), err) < 0)
        return -1;
    int result = message_call(gate, count, &breaking, sizeof(breaking), err);
    *released = breaking.released;
    return result;
}
