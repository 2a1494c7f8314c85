#include "gate/gate_support.h"

#include "gate/gate_parts.h"

#include <stdlib.h>

enum { RECORD_WAITED = 40 }; /* beside those of the other files */

/* ---- how long it took ---- */

void waited_encode(struct slice row, int64_t waited_ns, struct buffer *payload)
{
    gate_journal_put_named(payload, RECORD_WAITED, row, waited_ns);
}

void waited_encode_all(const struct waited *waited, struct buffer *payload)
{
    for (size_t i = 0; i < waited->count; i++) {
        const struct waited_row *row = &waited->rows[i];
        for (uint32_t k = 0; k < row->count; k++)
            waited_encode(slice_text(row->name), row->waited_ns[(row->next + WAITED_KEPT - row->count + k) % WAITED_KEPT], payload);
    }
}

static struct waited_row *find(const struct waited *waited, struct slice name)
{
    for (size_t i = 0; i < waited->count; i++)
        if (slice_is(name, waited->rows[i].name))
            return (struct waited_row *)(uintptr_t)&waited->rows[i];
    return NULL;
}

void waited_add(struct waited *waited, struct slice name, int64_t waited_ns)
{
    struct waited_row *row = find(waited, name);
    if (!row && waited->count < WAITED_ROWS_MAX && name.len && name.len <= WAITED_NAME_MAX) {
        row = &waited->rows[waited->count++];
        *row = (struct waited_row){0};
        memcpy(row->name, name.ptr, name.len);
    }
    if (!row || waited_ns < 0)
        return;
    row->waited_ns[row->next] = waited_ns;
    row->next = (row->next + 1) % WAITED_KEPT;
    row->count += row->count < WAITED_KEPT;
}

int waited_replay(struct waited *waited, struct slice record, struct err *err)
{
    int64_t waited_ns;
    struct slice name;
    int taken = gate_journal_take_named(record, RECORD_WAITED, &name, &waited_ns);
    if (taken < 0)
        return err_set(err, ERR_CORRUPT, "how long a hold waited cannot be read");
    if (taken > 0)
        waited_add(waited, name, waited_ns);
    return taken;
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t waited_median_ns(const struct waited *waited, struct slice name)
{
    int64_t sorted[WAITED_KEPT];
    const struct waited_row *row = find(waited, name);
    if (!row || row->count < WAITED_LEAST)
        return 0;
    memcpy(sorted, row->waited_ns, sizeof(sorted));
    qsort(sorted, row->count, sizeof(sorted[0]), by_length);
    return sorted[row->count / 2];
}

/* ---- what may be said ---- */

struct support_call {
    struct slice id, request_id; /* one of them */
    struct gate_support said;
};

#define TEXT(literal) {literal, sizeof(literal) - 1}

static const struct {
    struct slice en, ja;
} general[] = {
    [GATE_SUPPORT_HELD] = {TEXT("This request is being checked before it goes on. Nothing is lost, and nothing needs to be done for now."),
                           TEXT("このお手続きは、実行前の確認を行っています。内容は失われません。現在お客様に必要な操作はありません。")},
    [GATE_SUPPORT_RELEASED] = {TEXT("The check is finished. The request goes on the next time it is processed."),
                               TEXT("確認は完了しました。次回の処理で手続きが進みます。")},
    [GATE_SUPPORT_REFUSED] = {TEXT("This request could not be accepted."), TEXT("このお手続きは受け付けられませんでした。")},
    [GATE_SUPPORT_NOT_HELD] = {TEXT("This request is not waiting for a check."), TEXT("このお手続きは確認待ちではありません。")},
};

static enum gate_support_state state_of(const struct record *record)
{
    switch (record->answer.decision) {
    case GATE_HOLD:
        return record_released(record) ? GATE_SUPPORT_RELEASED : GATE_SUPPORT_HELD;
    case GATE_DENY:
        return GATE_SUPPORT_REFUSED;
    case GATE_ALLOW:
        break;
    }
    return GATE_SUPPORT_NOT_HELD;
}

static const struct policy_row *row_of(const struct gate *gate, const struct record *record)
{
    for (size_t i = 0; gate->policy && i < gate->policy->row_count; i++)
        if (slice_equal(gate->policy->rows[i].name, record->answer.row))
            return &gate->policy->rows[i];
    return NULL;
}

static void say_minutes(const struct gate *gate, const struct record *record, const struct policy_row *row, struct gate_support *said)
{
    int64_t median_ns = waited_median_ns(&gate->waited, record->answer.row);
    if (row && row->support_minutes) {
        said->minutes = row->support_minutes;
    } else if (median_ns) {
        said->minutes = (median_ns + NS_PER_MINUTE - 1) / NS_PER_MINUTE;
        said->minutes_learned = true;
    }
}

static int look(struct gate *gate, struct message *message, struct err *err)
{
    struct support_call *call = message->detail;
    struct gate_support *said = &call->said;
    const struct record *record = call->id.len ? book_find_hold(gate->book, call->id) : book_find(gate->book, call->request_id);
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "the gate knows no such request");
    const struct policy_row *row = row_of(gate, record);
    said->state = state_of(record);
    bool own = row && row->support_en.len && (said->state == GATE_SUPPORT_HELD || said->state == GATE_SUPPORT_REFUSED);
    said->en = own ? row->support_en : general[said->state].en;
    said->ja = own ? row->support_ja : general[said->state].ja;
    said->request_id = record->request.request_id;
    if (said->state == GATE_SUPPORT_HELD) {
        said->since_ns = record->answer.decided_ns;
        say_minutes(gate, record, row, said);
    }
    said->request_id = arena_copy(message->arena, said->request_id);
    said->en = arena_copy(message->arena, said->en);
    said->ja = arena_copy(message->arena, said->ja);
    return said->request_id.ptr && said->en.ptr && said->ja.ptr ? 0 : err_nomem(err);
}

int gate_support(struct gate *gate, struct slice id, struct slice request_id, struct arena *arena, struct gate_support *out,
                 struct err *err)
{
    struct message *message = message_with(look, sizeof(struct support_call));
    *out = (struct gate_support){0};
    if (!message)
        return err_nomem(err);
    *(struct support_call *)message->detail = (struct support_call){.id = id, .request_id = request_id};
    message = message_ask(gate, message);
    if (!message)
        return err_set(err, ERR_CLOSED, "the gate is stopping");
    int result = message->result;
    if (result < 0)
        *err = message->err;
    else
        *out = ((struct support_call *)message->detail)->said;
    out->request_id = arena_copy(arena, out->request_id);
    out->en = arena_copy(arena, out->en);
    out->ja = arena_copy(arena, out->ja);
    message_leave(message);
    return result == 0 && !(out->request_id.ptr && out->en.ptr && out->ja.ptr) ? err_nomem(err) : result;
}

const char *gate_support_state_name(enum gate_support_state state)
{
    static const char *const names[] = {"held", "released", "refused", "not_held"};
    return names[state];
}
