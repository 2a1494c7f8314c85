/* People's words for a hold: durable first, then they count. */
#include "gate/gate_parts.h"

struct approval {
    struct slice hold_id, approver;
    bool released;
};

static void tell(struct gate *gate, const struct record *record, struct slice approver)
{
    const struct gate_approval approval = {.hold_id = slice_text(record->answer.id),
                                           .approver = approver,
                                           .row = record->answer.row,
                                           .incident = record->answer.incident,
                                           .approvals = record->approval_count,
                                           .approvals_needed = record->approvals_needed,
                                           .released = record_released(record),
                                           .time_ns = clock_wall_ns(gate->config.clock)};
    if (gate->config.approved)
        gate->config.approved(gate->config.context, &record->request, &approval);
}

static int approve(struct gate *gate, struct message *message, struct err *err)
{
    struct approval *approval = message->detail;
    struct record *record = book_find_hold(gate->book, approval->hold_id);
    struct slice kept;
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (book_prepare_approval(gate->book, record, approval->approver, &kept, err) < 0)
        return -1;
    if (gate->journal)
        book_encode_approval(record, kept, &gate->payload);
    if (gate_commit(gate) < 0)
        return err_set(err, ERR_IO, "the gate's journal cannot be written, so nothing is released");
    book_approve(record, kept);
    approval->released = record_released(record);
    tell(gate, record, kept);
    return 0;
}

int gate_approve(struct gate *gate, struct slice hold_id, struct slice approver, bool *released,
                 struct err *err)
{
    *released = false;
    if (!approver.len)
        return err_set(err, ERR_DENIED, "an approval needs a person's name");
    struct message *message = message_with(approve, sizeof(struct approval));
    if (!message)
        return err_nomem(err);
    struct approval *approval = message->detail;
    *approval = (struct approval){hold_id, approver, false};
    if (!message_ask(gate, message))
        return err_set(err, ERR_CLOSED, "the gate is stopping");
    int result = message->result;
    *released = approval->released;
    if (result < 0)
        *err = message->err;
    message_leave(message);
    return result;
}
