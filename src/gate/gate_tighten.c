#include "gate/gate_tighten.h"

#include "gate/gate_parts.h"

enum { RECORD_TIGHTENING = 4 }; /* beside those of gate_book.c */

/* ---- as bytes ---- */

void tightening_encode(const struct tightening *tightening, struct buffer *payload)
{
    if (!tightening->since_ns)
        return;
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, RECORD_TIGHTENING);
    buffer_put_varint(payload, tightening->on);
    buffer_put_block(payload, slice_text(tightening->cause));
    buffer_put_block(payload, slice_text(tightening->undone_by));
    buffer_put_block(payload, slice_text(tightening->reason));
    buffer_put_le64(payload, (uint64_t)tightening->since_ns);
    buffer_put_le64(payload, (uint64_t)tightening->undone_ns);
    gate_journal_end(payload, begun);
}

static bool take_text(struct slice *from, char to[TIGHTEN_TEXT_MAX + 1])
{
    struct slice text;
    if (!slice_take_block(from, &text) || text.len > TIGHTEN_TEXT_MAX)
        return false;
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return true;
}

int tightening_replay(struct tightening *tightening, struct slice record, struct err *err)
{
    uint64_t kind, on, since, undone;
    struct tightening read = {0};
    if (!slice_take_varint(&record, &kind) || kind != RECORD_TIGHTENING)
        return 0;
    if (!slice_take_varint(&record, &on) || !take_text(&record, read.cause) || !take_text(&record, read.undone_by) ||
        !take_text(&record, read.reason) || !slice_take_le64(&record, &since) || !slice_take_le64(&record, &undone))
        return err_set(err, ERR_CORRUPT, "a tightening of the gate cannot be read");
    read.on = on != 0;
    read.since_ns = (int64_t)since;
    read.undone_ns = (int64_t)undone;
    *tightening = read;
    return 1;
}

/* ---- changing it ---- */

struct change {
    struct tightening to;
    struct slice cause; /* of a tightening; none: undoing */
    struct gate_tightening *out;
};

/* Durable first, then it counts; what closes the gate counts even when the journal is of no use any more. */
static int put(struct gate *gate, const struct tightening *to, struct err *err)
{
    if (gate->journal)
        tightening_encode(to, &gate->payload);
    bool kept = gate_commit(gate) == 0;
    if (kept || to->on)
        gate->tightening = *to;
    return kept ? 0 : err_set(err, ERR_IO, "the gate's journal cannot be written%s",
                              to->on ? "; it holds everything" : ", so it stays as it is");
}

static int tighten(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    struct tightening to = {.on = true, .since_ns = clock_wall_ns(gate->config.clock)};
    if (gate->tightening.since_ns && slice_is(change->cause, gate->tightening.cause)) /* known until a restart only, without a journal */
        return gate->journal ? 0 : err_set(err, ERR_IO, "the gate's journal cannot be written; it holds everything");
    memcpy(to.cause, change->cause.ptr, change->cause.len);
    return put(gate, &to, err);
}

static int loosen(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    struct tightening to = gate->tightening;
    if (!to.on)
        return err_set(err, ERR_CONFLICT, "the gate is not tightened");
    to.on = false;
    to.undone_ns = clock_wall_ns(gate->config.clock);
    memcpy(to.undone_by, change->to.undone_by, sizeof(to.undone_by));
    memcpy(to.reason, change->to.reason, sizeof(to.reason));
    return put(gate, &to, err);
}

int gate_tighten(struct gate *gate, struct slice cause, struct err *err)
{
    if (!cause.len || cause.len > TIGHTEN_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "why the gate is tightened has 1 to %d bytes", TIGHTEN_TEXT_MAX);
    struct change change = {.cause = cause};
    return message_call(gate, tighten, &change, sizeof(change), err);
}

int gate_loosen(struct gate *gate, struct slice person, struct slice reason, struct err *err)
{
    struct change change = {0};
    if (!person.len || !slice_trim(reason).len || person.len > TIGHTEN_TEXT_MAX || reason.len > TIGHTEN_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "a person's name and a reason of at most %d bytes are needed", TIGHTEN_TEXT_MAX);
    memcpy(change.to.undone_by, person.ptr, person.len);
    memcpy(change.to.reason, reason.ptr, reason.len);
    return message_call(gate, loosen, &change, sizeof(change), err);
}

/* ---- asking ---- */

static int look(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    const struct tightening *now = &gate->tightening;
    struct gate_tightening *out = change->out;
    (void)err;
    out->on = now->on;
    out->since_ns = now->since_ns;
    out->undone_ns = now->undone_ns;
    out->cause = arena_copy(message->arena, slice_text(now->cause));
    out->undone_by = arena_copy(message->arena, slice_text(now->undone_by));
    out->reason = arena_copy(message->arena, slice_text(now->reason));
    return 0;
}

int gate_tightening(struct gate *gate, struct arena *arena, struct gate_tightening *out, struct err *err)
{
    struct message *message = message_with(look, sizeof(struct change));
    *out = (struct gate_tightening){0};
    if (!message)
        return err_nomem(err);
    ((struct change *)message->detail)->out = out;
    message = message_ask(gate, message);
    if (!message)
        return err_set(err, ERR_CLOSED, "the gate is stopping");
    out->cause = arena_copy(arena, out->cause);
    out->undone_by = arena_copy(arena, out->undone_by);
    out->reason = arena_copy(arena, out->reason);
    message_leave(message);
    return out->cause.ptr && out->undone_by.ptr && out->reason.ptr ? 0 : err_nomem(err);
}
