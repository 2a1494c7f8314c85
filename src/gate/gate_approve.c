/* People's words for a hold, by session or by signature: durable first, then they count. */
#include "gate/approval.h"
#include "gate/gate_parts.h"

struct approval {
    struct slice hold_id, approver;
    struct slice proof;                   /* PROOF_SIZE, or none: by session */
    unsigned char key[APPROVER_KEY_SIZE]; /* that the signature was checked with */
    unsigned char digest[REQUEST_DIGEST_SIZE];
    bool released;
};

static void tell(struct gate *gate, const struct record *record)
{
    uint32_t last = record->approval_count - 1;
    const struct gate_approval approval = {.hold_id = slice_text(record->answer.id),
                                           .approver = record->words->approvers[last],
                                           .row = record->answer.row,
                                           .incident = record->answer.incident,
                                           .approvals = record->approval_count,
                                           .approvals_needed = record->approvals_needed,
                                           .released = record_released(record),
                                           .is_signed = record->words->proofs[last].len > 0,
                                           .time_ns = clock_wall_ns(gate->config.clock)};
    if (gate->config.approved)
        gate->config.approved(gate->config.context, &record->request, &approval);
}

/* Not who asked, and by a key that is still an approver's. */
static int may_count(const struct gate *gate, const struct approval *approval,
                     const struct record *record, struct err *err)
{
    if (slice_equal_nocase(record->request.account, approval->approver))
        return err_set(err, ERR_DENIED, "%.*s asked for this and cannot approve it",
                       SLICE_ARG(approval->approver));
    if (duty_check(gate, approval->approver, err) < 0)
        return -1;
    if (!approval->proof.len)
        return 0;
    const struct policy_approver *known =
        gate->policy ? policy_approver_find(gate->policy, approval->approver) : NULL;
    if (!known || memcmp(known->key, approval->key, sizeof(known->key)) != 0)
        return err_set(err, ERR_DENIED, "the policy does not name this key of %.*s any more",
                       SLICE_ARG(approval->approver));
    return 0;
}

static int approve(struct gate *gate, struct message *message, struct err *err)
{
    struct approval *approval = message->detail;
    struct record *record = book_find_hold(gate->book, approval->hold_id);
    struct slice approver = approval->approver, proof = approval->proof;
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (may_count(gate, approval, record, err) < 0 ||
        book_prepare_approval(gate->book, record, &approver, &proof, err) < 0)
        return -1;
    bool last = record->approval_count + 1 >= record->approvals_needed;
    int64_t waited_ns = clock_wall_ns(gate->config.clock) - record->answer.decided_ns;
    if (gate->journal)
        book_encode_approval(record, approver, proof, &gate->payload);
    if (gate->journal && last)
        waited_encode(record->answer.row, waited_ns, &gate->payload);
    if (gate_commit(gate) < 0)
        return err_set(err, ERR_IO, "the gate's journal cannot be written, so nothing is released");
    book_approve(record, approver, proof);
    if (last)
        waited_add(&gate->waited, record->answer.row, waited_ns);
    approval->released = record_released(record);
    tell(gate, record);
    return 0;
}

int gate_approve(struct gate *gate, struct slice hold_id, struct slice approver, bool *released,
                 struct err *err)
{
    struct approval approval = {.hold_id = hold_id, .approver = approver};
    *released = false;
    if (!approver.len)
        return err_set(err, ERR_DENIED, "an approval needs a person's name");
    int result = message_call(gate, approve, &approval, sizeof(approval), err);
    *released = approval.released;
    return result;
}

/* ---- by signature ---- */

/* What the signature must be of; checking it takes longer than the gate's thread has. */
static int look_up(struct gate *gate, struct message *message, struct err *err)
{
    struct approval *approval = message->detail;
    const struct record *record = book_find_hold(gate->book, approval->hold_id);
    const struct policy_approver *known =
        gate->policy ? policy_approver_find(gate->policy, approval->approver) : NULL;
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (!known)
        return err_set(err, ERR_DENIED, "the gate's policy names no approver %.*s with a key",
                       SLICE_ARG(approval->approver));
    if (gate->clock_doubt_until_ns && clock_mono_ns(gate->config.clock) < gate->clock_doubt_until_ns)
        return err_set(err, ERR_DENIED, "the clock was moved, so the approval's time cannot be judged; "
                       "try again in a minute");
    memcpy(approval->digest, record->digest, sizeof(approval->digest));
    memcpy(approval->key, known->key, sizeof(approval->key));
    return 0;
}

int gate_approve_signed(struct gate *gate, struct slice hold_id,
                        const struct gate_signature *signature, bool *released, struct err *err)
{
    struct approval approval = {.hold_id = hold_id, .approver = signature->approver};
    char id[GATE_ID_SIZE], proof[PROOF_SIZE];
    *released = false;
    if (!signature->approver.len)
        return err_set(err, ERR_DENIED, "an approval needs a person's name");
    if (message_call(gate, look_up, &approval, sizeof(approval), err) < 0)
        return -1;
    gate_id(gate, id);
    struct approval_text text = {.gate_id = slice_text(id), .hold_id = hold_id,
                                 .approver = signature->approver, .digest = approval.digest,
                                 .expires_ns = signature->expires_ns};
    if (approval_check(&text, approval.key, signature->bytes, clock_wall_ns(gate->config.clock), err) < 0)
        return -1;
    approval_put_proof(approval.key, signature, proof);
    approval.proof = slice_of(proof, sizeof(proof));
    int result = message_call(gate, approve, &approval, sizeof(approval), err);
    *released = approval.released;
    return result;
}

void gate_id(const struct gate *gate, char to[GATE_ID_SIZE])
{
    to[0] = '\0';
    if (gate->has_key)
        token_gate_id(&gate->key, to);
}
