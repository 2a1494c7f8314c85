#include "gate/gate_stops.h"

#include "base/mem.h"
#include "gate/approval.h"
#include "gate/gate_parts.h"

#include <sodium.h>

enum { RECORD_STOP = 5, ID_BYTES = 16 }; /* the record: beside those of gate_book.c */

static const char *const scopes[] = {"account", "asset", "wallet", "address", "partner", "all"};

struct stop {
    struct gate_stop known; /* texts in own memory */
    struct arena *arena;
};

struct stops {
    struct stop list[GATE_STOPS_MAX]; /* by time of setting; ended ones until their place is needed */
    size_t count;
    bool overflowed;
    struct gate_stop everything; /* then */
};

struct stops *stops_new(void)
{
    struct stops *stops = mem_calloc(1, sizeof(*stops));
    if (stops)
        stops->everything = (struct gate_stop){.id = "overflow", .scope = SLICE("all"), .target = SLICE(""), .by = SLICE("hinomi"),
                                               .reason = SLICE("more is stopped than can be told apart")};
    return stops;
}

void stops_free(struct stops *stops)
{
    for (size_t i = 0; stops && i < stops->count; i++)
        arena_free(stops->list[i].arena);
    mem_free(stops);
}

uint32_t gate_stop_next_share(uint32_t share)
{
    return share == 0 ? 100 : share < 1000 ? 1000 : GATE_SHARE_WHOLE;
}

/* ---- finding ---- */

static struct slice text_of_scope(const struct gate_request *request, struct slice scope)
{
    return slice_is(scope, "account")   ? request->account
           : slice_is(scope, "asset")   ? request->asset
           : slice_is(scope, "wallet")  ? request->wallet
           : slice_is(scope, "address") ? request->destination
                                        : SLICE("");
}

static bool touches(const struct gate_stop *stop, const struct policy *policy, const struct gate_request *request)
{
    if (stop->share == GATE_SHARE_WHOLE)
        return false;
    if (slice_is(stop->scope, "partner")) {
        const struct policy_partner *partner = policy ? policy_partner_find(policy, stop->target) : NULL;
        return !partner || policy_is_partner(partner, request->destination);
    }
    return slice_equal_nocase(stop->target, text_of_scope(request, stop->scope));
}

const struct gate_stop *stops_touching(const struct stops *stops, const struct policy *policy,
                                       const struct gate_request *request)
{
    const struct gate_stop *found = stops->overflowed ? &stops->everything : NULL;
    for (size_t i = 0; !stops->overflowed && i < stops->count; i++) {
        const struct gate_stop *one = &stops->list[i].known;
        if ((!found || one->share < found->share) && touches(one, policy, request))
            found = one;
    }
    return found;
}

uint64_t stops_open(const struct stops *stops)
{
    uint64_t count = stops->overflowed;
    for (size_t i = 0; i < stops->count; i++)
        count += stops->list[i].known.share < GATE_SHARE_WHOLE;
    return count;
}

static struct stop *find(struct stops *stops, struct slice id)
{
    for (size_t i = 0; i < stops->count; i++)
        if (slice_is(id, stops->list[i].known.id))
            return &stops->list[i];
    return NULL;
}

/* ---- as bytes ---- */

static void encode(const struct gate_stop *stop, struct buffer *payload)
{
    size_t begun = gate_journal_begin(payload);
    buffer_put_varint(payload, RECORD_STOP);
    buffer_put_block(payload, slice_text(stop->id));
    buffer_put_block(payload, stop->scope);
    buffer_put_block(payload, stop->target);
    buffer_put_block(payload, stop->cause);
    buffer_put_block(payload, stop->by);
    buffer_put_block(payload, stop->reason);
    buffer_put_varint(payload, stop->share);
    buffer_put_le64(payload, (uint64_t)stop->since_ns);
    buffer_put_le64(payload, (uint64_t)stop->changed_ns);
    buffer_put_varint(payload, stop->approvals_needed);
    buffer_put_varint(payload, stop->approvals);
    for (uint32_t i = 0; i < stop->approvals; i++)
        buffer_put_block(payload, stop->approvers[i]);
    gate_journal_end(payload, begun);
}

void stops_encode(const struct stops *stops, struct buffer *payload)
{
    for (size_t i = 0; i < stops->count; i++)
        encode(&stops->list[i].known, payload);
}

static bool take_texts(struct slice *from, struct gate_stop *out)
{
    struct slice id;
    if (!slice_take_block(from, &id) || id.len >= sizeof(out->id) || !slice_take_block(from, &out->scope) ||
        !slice_take_block(from, &out->target) || !slice_take_block(from, &out->cause) || !slice_take_block(from, &out->by) ||
        !slice_take_block(from, &out->reason))
        return false;
    memcpy(out->id, id.ptr, id.len);
    return true;
}

static bool take_stop(struct slice *from, struct gate_stop *out)
{
    uint64_t share, since, changed, needed, approvals;
    if (!take_texts(from, out) || !slice_take_varint(from, &share) || share > GATE_SHARE_WHOLE ||
        !slice_take_le64(from, &since) || !slice_take_le64(from, &changed) || !slice_take_varint(from, &needed) ||
        needed > APPROVALS_MAX || !slice_take_varint(from, &approvals) || approvals > APPROVALS_MAX)
        return false;
    out->share = (uint32_t)share;
    out->since_ns = (int64_t)since;
    out->changed_ns = (int64_t)changed;
    out->approvals_needed = (uint32_t)needed;
    out->approvals = (uint32_t)approvals;
    for (uint32_t i = 0; i < out->approvals; i++)
        if (!slice_take_block(from, &out->approvers[i]))
            return false;
    return true;
}

/* ---- keeping ---- */

static bool keep(struct arena *arena, struct slice *text)
{
    *text = arena_copy(arena, text->ptr ? *text : SLICE(""));
    return text->ptr != NULL;
}

static bool copy_stop(const struct gate_stop *from, struct arena *arena, struct gate_stop *to)
{
    *to = *from;
    for (uint32_t i = 0; i < to->approvals; i++)
        if (!keep(arena, &to->approvers[i]))
            return false;
    return keep(arena, &to->scope) && keep(arena, &to->target) && keep(arena, &to->cause) && keep(arena, &to->by) &&
           keep(arena, &to->reason);
}

/* The place of one that ended longest ago; its cause is forgotten. */
static struct stop *oldest_ended(struct stops *stops)
{
    struct stop *found = NULL;
    for (size_t i = 0; i < stops->count; i++) {
        struct stop *one = &stops->list[i];
        if (one->known.share == GATE_SHARE_WHOLE && (!found || one->known.changed_ns < found->known.changed_ns))
            found = one;
    }
    return found;
}

/* Instead of the one with its id, else in a new place. False: memory, or no place; then everything is stopped. */
bool stops_add(struct stops *stops, const struct gate_stop *stop)
{
    struct stop fresh = {.arena = arena_new(MIB)};
    struct stop *place = find(stops, slice_text(stop->id));
    if (!place && stops->count < GATE_STOPS_MAX)
        place = &stops->list[stops->count++];
    if (!place)
        place = oldest_ended(stops);
    if (!place || !fresh.arena || !copy_stop(stop, fresh.arena, &fresh.known)) {
        arena_free(fresh.arena);
        stops->overflowed = true;
        if (place && !place->arena)
            stops->count--;
        return false;
    }
    arena_free(place->arena);
    *place = fresh;
    return true;
}

void stops_forget_approvals(struct stops *stops)
{
    for (size_t i = 0; i < stops->count; i++)
        stops->list[i].known.approvals = 0;
}

int stops_replay(struct stops *stops, struct slice record, struct err *err)
{
    uint64_t kind;
    struct gate_stop stop = {0};
    if (!slice_take_varint(&record, &kind) || kind != RECORD_STOP)
        return 0;
    if (!take_stop(&record, &stop))
        return err_set(err, ERR_CORRUPT, "a stop of the gate cannot be read");
    (void)stops_add(stops, &stop); /* else everything is stopped */
    return 1;
}

/* ---- changing ---- */

struct change {
    struct gate_stop_order order;
    struct slice id, person;
    uint32_t share;
    unsigned char key[APPROVER_KEY_SIZE]; /* that a signature was checked with */
    bool is_signed;
    struct arena *arena; /* the caller's, who waits */
    struct gate_stop *out;
};

static int answer(const struct change *change, const struct gate_stop *stop, struct err *err)
{
    return !change->out || copy_stop(stop, change->arena, change->out) ? 0 : err_nomem(err);
}

/* Durable first, then it counts; what closes the gate counts even when the journal is of no use any more. The texts of stop may be
 * those of the one that it replaces, so they are not read behind that. */
static int commit(struct gate *gate, const struct gate_stop *stop, struct slice person, struct err *err)
{
    if (gate->journal)
        encode(stop, &gate->payload);
    bool kept = gate_commit(gate) == 0;
    if ((kept || stop->share == 0) && !stops_add(gate->stops, stop))
        return err_nomem(err);
    if (!kept)
        return err_set(err, ERR_IO, "the gate's journal cannot be written%s",
                       stop->share ? ", so nothing is reopened" : "; it holds everything");
    if (gate->config.stopped)
        gate->config.stopped(gate->config.context, &find(gate->stops, slice_text(stop->id))->known, person);
    return 0;
}

void gate_stop_id(struct gate_stop *stop)
{
    unsigned char hash[ID_BYTES];
    struct buffer text;
    buffer_init(&text, 8 * KIB);
    buffer_printf(&text, "%.*s:%.*s", SLICE_ARG(stop->scope), SLICE_ARG(stop->target));
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL, 0);
    sodium_bin2hex(stop->id, sizeof(stop->id), hash, sizeof(hash));
    buffer_close(&text);
}

/* A stop that the journal did not take is known until a restart only, so nobody is told that it is set. */
static int answer_as_it_is(const struct gate *gate, const struct change *change, const struct gate_stop *stop, struct err *err)
{
    return gate->journal ? answer(change, stop, err) : err_set(err, ERR_IO, "the gate's journal cannot be written; it holds everything");
}

/* A clock that was set back must not make a stop older than the holds that it is stronger than. */
static int64_t after_all_holds(const struct gate *gate)
{
    int64_t now_ns = clock_wall_ns(gate->config.clock), hold_ns = book_latest_hold_ns(gate->book);
    return hold_ns > now_ns ? hold_ns : now_ns;
}

static int set(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    const struct gate_stop_order *order = &change->order;
    int64_t now_ns = after_all_holds(gate);
    struct gate_stop stop = {.scope = order->scope, .target = order->target, .cause = order->cause, .by = order->by,
                             .reason = order->reason, .since_ns = now_ns, .changed_ns = now_ns,
                             .approvals_needed = STOP_REOPEN_APPROVALS};
    gate_stop_id(&stop);
    const struct stop *before = find(gate->stops, slice_text(stop.id));
    if (before && order->cause.len && slice_equal(before->known.cause, order->cause))
        return answer_as_it_is(gate, change, &before->known, err); /* also when people have reopened it since */
    if (before && before->known.share == 0)
        return answer_as_it_is(gate, change, &before->known, err);
    if (commit(gate, &stop, order->cause.len ? SLICE("") : order->by, err) < 0)
        return -1;
    return answer(change, &stop, err);
}

static int check_order(const struct gate_stop_order *order, struct err *err)
{
    bool known = false, all = slice_is(order->scope, "all");
    for (size_t i = 0; i < ARRAY_COUNT(scopes); i++)
        known |= slice_is(order->scope, scopes[i]);
    if (!known)
        return err_set(err, ERR_CONFIG, "the scope is account, asset, wallet, address, partner or all");
    if (all != (order->target.len == 0))
        return err_set(err, ERR_CONFIG, all ? "all has no target" : "the target says what is to be stopped");
    if (!order->by.len || !slice_trim(order->reason).len)
        return err_set(err, ERR_CONFIG, "a reason is needed");
    if (order->target.len > GATE_STOP_TEXT_MAX || order->by.len > GATE_STOP_TEXT_MAX || order->cause.len > GATE_STOP_TEXT_MAX ||
        order->reason.len > GATE_STOP_REASON_MAX)
        return err_set(err, ERR_CONFIG, "a target has at most %d bytes, a reason %d", GATE_STOP_TEXT_MAX, GATE_STOP_REASON_MAX);
    return 0;
}

int gate_stop_set(struct gate *gate, const struct gate_stop_order *order, struct arena *arena, struct gate_stop *out,
                  struct err *err)
{
    struct change change = {.order = *order, .arena = arena, .out = out};
    if (slice_is(order->scope, "all"))
        change.order.target = SLICE("");
    return check_order(order, err) < 0 ? -1 : message_call(gate, set, &change, sizeof(change), err);
}

/* ---- reopening ---- */

static int find_step(struct gate *gate, const struct change *change, struct stop **out, struct err *err)
{
    struct stop *stop = find(gate->stops, change->id);
    if (!stop)
        return err_set(err, ERR_NOT_FOUND, "there is no such stop");
    if (stop->known.share == GATE_SHARE_WHOLE)
        return err_set(err, ERR_CONFLICT, "the stop has ended already");
    if (change->share != gate_stop_next_share(stop->known.share))
        return err_set(err, ERR_CONFLICT, "the next step is %g %%", gate_stop_next_share(stop->known.share) / 100.0);
    *out = stop;
    return 0;
}

static int may_count(const struct gate *gate, const struct change *change, const struct gate_stop *stop, struct err *err)
{
    for (uint32_t i = 0; i < stop->approvals; i++)
        if (slice_equal_nocase(stop->approvers[i], change->person))
            return err_set(err, ERR_CONFLICT, "%.*s has approved this step already; another person must",
                           SLICE_ARG(change->person));
    if (slice_is(stop->scope, "account") && slice_equal_nocase(stop->target, change->person))
        return err_set(err, ERR_DENIED, "%.*s cannot reopen the own account", SLICE_ARG(change->person));
    if (duty_check(gate, change->person, err) < 0)
        return -1;
    if (!change->is_signed)
        return 0;
    const struct policy_approver *known = gate->policy ? policy_approver_find(gate->policy, change->person) : NULL;
    if (!known || memcmp(known->key, change->key, sizeof(known->key)) != 0)
        return err_set(err, ERR_DENIED, "the policy does not name this key of %.*s any more", SLICE_ARG(change->person));
    return 0;
}

static int reopen(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    struct stop *found;
    if (find_step(gate, change, &found, err) < 0 || may_count(gate, change, &found->known, err) < 0)
        return -1;
    struct gate_stop stop = found->known;
    stop.approvers[stop.approvals++] = change->person;
    if (stop.approvals >= stop.approvals_needed) {
        stop.share = change->share;
        stop.approvals = 0;
        stop.changed_ns = clock_wall_ns(gate->config.clock);
    }
    return commit(gate, &stop, change->person, err) < 0 ? -1 : answer(change, &find(gate->stops, change->id)->known, err);
}

int gate_stop_reopen(struct gate *gate, struct slice id, uint32_t share, struct slice person, struct arena *arena,
                     struct gate_stop *out, struct err *err)
{
    struct change change = {.id = id, .share = share, .person = person, .arena = arena, .out = out};
    if (!person.len || person.len > GATE_STOP_TEXT_MAX)
        return err_set(err, ERR_DENIED, "reopening needs a person's name");
    return message_call(gate, reopen, &change, sizeof(change), err);
}

/* ---- by signature ---- */

/* What the signature must be of; checking it takes longer than the gate's thread has. */
static int look_up(struct gate *gate, struct message *message, struct err *err)
{
    struct change *change = message->detail;
    struct stop *stop;
    const struct policy_approver *known = gate->policy ? policy_approver_find(gate->policy, change->person) : NULL;
    if (find_step(gate, change, &stop, err) < 0)
        return -1;
    if (!known)
        return err_set(err, ERR_DENIED, "the gate's policy names no approver %.*s with a key", SLICE_ARG(change->person));
    if (gate->clock_doubt_until_ns && clock_mono_ns(gate->config.clock) < gate->clock_doubt_until_ns)
        return err_set(err, ERR_DENIED, "the clock was moved, so the approval's time cannot be judged; try again in a minute");
    memcpy(change->key, known->key, sizeof(change->key));
    return answer(change, &stop->known, err);
}

int gate_stop_reopen_signed(struct gate *gate, struct slice id, uint32_t share, const struct gate_signature *signature,
                            struct arena *arena, struct gate_stop *out, struct err *err)
{
    struct change change = {.id = id, .share = share, .person = signature->approver, .arena = arena, .out = out,
                            .is_signed = true};
    char gate_name[GATE_ID_SIZE];
    unsigned char digest[REQUEST_DIGEST_SIZE];
    if (!signature->approver.len)
        return err_set(err, ERR_DENIED, "reopening needs a person's name");
    if (message_call(gate, look_up, &change, sizeof(change), err) < 0)
        return -1;
    gate_id(gate, gate_name);
    if (!reopening_digest(out, share, digest))
        return err_nomem(err);
    struct approval_text text = {.gate_id = slice_text(gate_name), .hold_id = id, .approver = signature->approver,
                                 .digest = digest, .expires_ns = signature->expires_ns};
    if (approval_check(&text, change.key, signature->bytes, clock_wall_ns(gate->config.clock), err) < 0)
        return -1;
    return message_call(gate, reopen, &change, sizeof(change), err);
}

/* ---- looking ---- */

struct looking {
    struct gate_stop *list;
    size_t count;
};

static int look(struct gate *gate, struct message *message, struct err *err)
{
    struct looking *looking = message->detail;
    const struct stops *stops = gate->stops;
    looking->list = arena_array(message->arena, stops->count + 2, sizeof(*looking->list));
    if (!looking->list)
        return err_nomem(err);
    if (stops->overflowed)
        looking->list[looking->count++] = stops->everything;
    for (size_t i = 0; i < stops->count; i++)
        if (stops->list[i].known.share < GATE_SHARE_WHOLE &&
            !copy_stop(&stops->list[i].known, message->arena, &looking->list[looking->count++]))
            return err_nomem(err);
    return 0;
}

void gate_stops(struct gate *gate, gate_stop_visit visit, void *context)
{
    struct message *message = message_ask(gate, message_with(look, sizeof(struct looking)));
    if (!message)
        return;
    const struct looking *looking = message->detail;
    for (size_t i = 0; message->result == 0 && i < looking->count; i++)
        visit(context, &looking->list[i]);
    message_leave(message);
}
