#include "gate/gate_identity.h"

#include "gate/gate_parts.h"

enum { RECORD_GATE = 31 }; /* beside those of the other files */

void identity_encode(const struct gate_identity *identity, struct buffer *payload)
{
    gate_journal_put_named(payload, RECORD_GATE, slice_text(identity->id), identity->restored_ns);
}

/* What people let go before is not let go any more; they did not know what has been lost since. */
static void become(struct gate *gate, const struct gate_identity *identity)
{
    book_forget_approvals(gate->book);
    stops_forget_approvals(gate->stops);
    gate->identity = *identity;
}

int identity_replay(struct gate *gate, struct slice record, struct err *err)
{
    struct gate_identity identity = {0};
    struct slice id;
    int taken = gate_journal_take_named(record, RECORD_GATE, &id, &identity.restored_ns);
    if (taken < 0 || (taken > 0 && id.len >= sizeof(identity.id)))
        return err_set(err, ERR_CORRUPT, "whose journal it is cannot be read");
    if (taken == 0)
        return 0;
    memcpy(identity.id, id.ptr, id.len);
    if (strcmp(identity.id, gate->identity.id) != 0)
        become(gate, &identity);
    return 1;
}

static struct gate_stop stop_of_all(int64_t now_ns)
{
    struct gate_stop stop = {
        .scope = SLICE("all"), .target = SLICE(""), .cause = SLICE("restored"), .by = SLICE("hinomi"),
        .reason = SLICE("This gate was restored from a backup: what was paid, stopped and approved since then is not known. Compare "
                        "books, chain and requests, then reopen in steps. / バックアップから復元されました。それ以降の送金・停止・承認は"
                        "不明です。帳簿・チェーン・要求を照合してから段階的に再開してください。"),
        .since_ns = now_ns, .changed_ns = now_ns, .approvals_needed = STOP_REOPEN_APPROVALS};
    gate_stop_id(&stop);
    return stop;
}

void identity_begin(struct gate *gate)
{
    struct gate_identity own = {0};
    if (!gate->journal || !gate->has_key)
        return;
    token_gate_id(&gate->key, own.id);
    if (strcmp(own.id, gate->identity.id) == 0)
        return;
    bool restored = gate_journal_number(gate->journal) > 0;
    if (restored) {
        struct gate_stop stop = stop_of_all(clock_wall_ns(gate->config.clock));
        own.restored_ns = stop.since_ns;
        (void)stops_add(gate->stops, &stop); /* else everything is stopped */
        stops_encode(gate->stops, &gate->payload);
        if (gate->config.note)
            gate->config.note(gate->config.context, "the gate's files are those of another gate, or come from a backup: approvals from before "
                              "are void, and everything is stopped until people reopen it (docs/operations.md)");
    }
    become(gate, &own);
    identity_encode(&own, &gate->payload);
    (void)gate_commit(gate);
}

bool identity_is_older(const struct gate_identity *identity, const struct gate_request *request)
{
    return request->at_ns < identity->restored_ns;
}
