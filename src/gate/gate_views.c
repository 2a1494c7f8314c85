/* What others ask the gate's thread for: each call copies in that thread, visits in the caller's. */
#include "gate/gate_parts.h"

#include "base/limits.h"

static bool keep(struct arena *arena, struct slice *text)
{
    *text = arena_copy(arena, text->ptr ? *text : SLICE(""));
    return text->ptr != NULL;
}

struct message *message_ask(struct gate *gate, struct message *message)
{
    if (!message)
        return NULL;
    if (!message_send(gate, message)) {
        message_leave(message);
        return NULL;
    }
    while (!message_wait(message, -1))
        ;
    return message;
}

struct message *message_with(gate_call call, size_t detail_size)
{
    struct message *message = message_new(call);
    if (message)
        message->detail = arena_calloc(message->arena, detail_size);
    if (message && !message->detail) {
        message->holders = 1;
        message_leave(message);
        return NULL;
    }
    return message;
}

int message_call(struct gate *gate, gate_call call, void *detail, size_t size, struct err *err)
{
    struct message *message = message_with(call, size);
    if (!message)
        return err_nomem(err);
    memcpy(message->detail, detail, size);
    message = message_ask(gate, message);
    if (!message)
        return err_set(err, ERR_CLOSED, "the gate is stopping");
    int result = message->result;
    memcpy(detail, message->detail, size);
    if (result < 0)
        *err = message->err;
    message_leave(message);
    return result;
}

/* ---- holds ---- */

/* Without the payload: lists would be large. */
static bool keep_request(struct arena *arena, struct gate_request *r)
{
    r->payload = SLICE_NONE;
    return keep(arena, &r->request_id) && keep(arena, &r->action) && keep(arena, &r->account) &&
           keep(arena, &r->asset) && keep(arena, &r->wallet) && keep(arena, &r->destination) &&
           keep(arena, &r->nonce);
}

static bool keep_hold(struct arena *arena, struct gate_hold *hold)
{
    for (uint32_t i = 0; i < hold->approvals; i++)
        if (!keep(arena, &hold->approvers[i]))
            return false;
    return keep(arena, &hold->id) && keep_request(arena, &hold->request) &&
           keep(arena, &hold->row) && keep(arena, &hold->incident) &&
           keep(arena, &hold->reason_en) && keep(arena, &hold->reason_ja);
}

static bool copy_hold(const struct record *record, struct arena *arena, struct gate_hold *to)
{
    *to = (struct gate_hold){.id = slice_text(record->answer.id),
                             .request = record->request,
                             .row = record->answer.row,
                             .incident = record->answer.incident,
                             .reason_en = record->answer.reasons_en[0],
                             .reason_ja = record->answer.reasons_ja[0],
                             .held_ns = record->answer.decided_ns,
                             .approvals = record->approval_count,
                             .approvals_needed = record->approvals_needed};
    if (record->words)
        memcpy(to->approvers, record->words->approvers, sizeof(to->approvers));
    return keep_hold(arena, to);
}

struct hold_list {
    struct slice incident; /* none: all */
    struct gate_hold *holds;
    size_t count;
};

static bool is_wanted(const struct hold_list *list, const struct record *record)
{
    return !list->incident.len || slice_equal(record->answer.incident, list->incident);
}

static int list_holds(struct gate *gate, struct message *message, struct err *err)
{
    struct hold_list *list = message->detail;
    size_t wanted = 0;
    for (struct record *r = book_next_hold(gate->book, NULL); r; r = book_next_hold(gate->book, r))
        wanted += is_wanted(list, r);
    list->holds = arena_array(message->arena, wanted + 1, sizeof(*list->holds));
    if (!list->holds)
        return err_nomem(err);
    for (struct record *r = book_next_hold(gate->book, NULL); r; r = book_next_hold(gate->book, r))
        if (is_wanted(list, r) && !copy_hold(r, message->arena, &list->holds[list->count++]))
            return err_nomem(err);
    return 0;
}

void gate_holds(struct gate *gate, struct slice incident, gate_hold_visit visit, void *context)
{
    struct message *message = message_with(list_holds, sizeof(struct hold_list));
    if (!message)
        return;
    struct hold_list *list = message->detail;
    list->incident = incident; /* the caller waits, so it may be borrowed */
    if (!message_ask(gate, message))
        return;
    for (size_t i = 0; message->result == 0 && i < list->count; i++)
        visit(context, &list->holds[i]);
    message_leave(message);
}

static int find_hold(struct gate *gate, struct message *message, struct err *err)
{
    struct gate_hold *hold = message->detail;
    const struct record *record = book_find_hold(gate->book, hold->id);
    if (!record)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    if (!copy_hold(record, message->arena, hold))
        return err_nomem(err);
    hold->request.payload = record->request.payload;
    return keep(message->arena, &hold->request.payload) ? 0 : err_nomem(err);
}

int gate_hold_get(struct gate *gate, struct slice id, struct arena *arena, struct gate_hold *out,
                  struct err *err)
{
    struct message *message = message_with(find_hold, sizeof(*out));
    if (!message)
        return err_nomem(err);
    ((struct gate_hold *)message->detail)->id = id;
    if (!message_ask(gate, message))
        return err_set(err, ERR_CLOSED, "the gate is stopping");
    int result = message->result;
    if (result < 0)
        *err = message->err;
    *out = *(struct gate_hold *)message->detail;
    struct slice payload = out->request.payload;
    if (result == 0 && (!keep_hold(arena, out) || !keep(arena, &payload)))
        result = err_nomem(err);
    out->request.payload = result == 0 ? payload : SLICE_NONE;
    message_leave(message);
    return result;
}

/* ---- decisions ---- */

struct decision_list {
    size_t limit, count;
    struct gate_request *requests;
    struct gate_answer *answers;
};

static int list_decisions(struct gate *gate, struct message *message, struct err *err)
{
    struct decision_list *list = message->detail;
    struct arena *arena = message->arena;
    list->requests = arena_array(arena, list->limit + 1, sizeof(*list->requests));
    list->answers = arena_array(arena, list->limit + 1, sizeof(*list->answers));
    if (!list->requests || !list->answers)
        return err_nomem(err);
    while (list->count < list->limit) {
        const struct record *record = book_latest(gate->book, list->count);
        if (!record)
            break;
        list->requests[list->count] = record->request;
        list->answers[list->count] = record->answer;
        if (!keep_request(arena, &list->requests[list->count]) ||
            !gate_answer_copy(arena, &list->answers[list->count]))
            return err_nomem(err);
        list->count++;
    }
    return 0;
}

void gate_decisions(struct gate *gate, size_t limit, gate_decision_visit visit, void *context)
{
    struct message *message = message_with(list_decisions, sizeof(struct decision_list));
    if (!message)
        return;
    struct decision_list *list = message->detail;
    list->limit = limit < GATE_DECISIONS_KEPT ? limit : GATE_DECISIONS_KEPT;
    if (!message_ask(gate, message))
        return;
    for (size_t i = 0; message->result == 0 && i < list->count; i++)
        visit(context, &list->requests[i], &list->answers[i]);
    message_leave(message);
}

/* ---- incidents ---- */

struct news {
    struct slice id;
    enum severity severity;
    bool open;
    struct entity *entities;
    size_t count;
};

static int take_news(struct gate *gate, struct message *message, struct err *err)
{
    const struct news *news = message->detail;
    (void)err;
    incidents_set(gate->incidents, news->id, news->severity, news->open, news->entities,
                  news->count);
    return 0;
}

static bool copy_news(struct message *message, const struct entity *entities)
{
    struct news *news = message->detail;
    news->entities = arena_array(message->arena, news->count + 1, sizeof(*news->entities));
    if (!news->entities || !keep(message->arena, &news->id))
        return false;
    for (size_t i = 0; i < news->count; i++) {
        news->entities[i] = entities[i];
        if (!keep(message->arena, &news->entities[i].type) ||
            !keep(message->arena, &news->entities[i].value))
            return false;
    }
    return true;
}

/* Not waited for. An incident the gate could not take in must not be missed: then it holds all. */
void gate_incident(struct gate *gate, struct slice incident_id, enum severity severity, bool open,
                   const struct entity *entities, size_t entity_count)
{
    struct message *message = message_with(take_news, sizeof(struct news));
    bool sent = false;
    if (message) {
        struct news *news = message->detail;
        *news = (struct news){incident_id, severity, open, NULL, entity_count};
        if (!copy_news(message, entities))
            message->holders = 1;
        else
            sent = message_send(gate, message);
        message_leave(message);
    }
    if (!sent) {
        pthread_mutex_lock(&gate->inbox.lock);
        gate->inbox.lost = true;
        pthread_mutex_unlock(&gate->inbox.lock);
    }
}

/* ---- figures ---- */

static int read_stats(struct gate *gate, struct message *message, struct err *err)
{
    struct gate_stats *stats = message->detail;
    const char *doubt = gate_doubt(gate);
    (void)err;
    *stats = gate->stats;
    stats->holds_open = book_holds_open(gate->book);
    stats->healthy = doubt == NULL;
    stats->shadow = gate->shadow;
    stats->mode = gate->config.mode;
    stats->tightened = gate->tightening.on;
    stats->stops = stops_open(gate->stops);
    struct slice why = doubt ? own_hold(doubt, 0).reasons_en[0] : SLICE("");
    if (doubt && doubt_detail(gate, doubt)[0])
        why = slice_text(doubt_detail(gate, doubt));
    why = slice_sub(why, 0, sizeof(stats->reason) - 1);
    memcpy(stats->reason, why.ptr, why.len);
    stats->reason[why.len] = '\0';
    return 0;
}

struct gate_stats gate_stats(struct gate *gate)
{
    struct gate_stats stats = {.reason = "the gate does not answer"};
    struct message *message = message_ask(gate, message_with(read_stats, sizeof(stats)));
    if (message) {
        stats = *(struct gate_stats *)message->detail;
        message_leave(message);
    }
    return stats;
}

enum { ASSETS_MAX = 10000 };

struct asset_list {
    struct gate *gate;
    struct arena *arena;
    struct gate_asset *assets;
    size_t count;
    int64_t now_ns;
};

static struct slice read_number(const struct asset_list *list, const char *table, struct slice key, const char *field)
{
    struct value_list found;
    if (!state_read(list->gate->state, slice_text(table), key, slice_text(field), list->now_ns,
                    list->arena, &found))
        return SLICE_NONE;
    return value_text(found.values[0], list->arena);
}

static bool add_asset(void *context, struct slice key)
{
    struct asset_list *list = context;
    struct gate_request request = {.asset = key};
    struct gate_asset *asset = &list->assets[list->count];
    struct incident_touch touch = incidents_touching(list->gate->incidents, &request);
    bool hold = gate_doubt(list->gate) || touch.severity >= SEVERITY_HIGH;
    asset->asset = arena_copy(list->arena, key);
    asset->state = hold ? SLICE("hold") : SLICE("allow");
    asset->balance = read_number(list, "asset", key, "balance");
    bool on_chain = read_number(list, "asset", key, "outflow_since").ptr != NULL;
    asset->outflow_1h = read_number(list, "asset", key, on_chain ? "outflow_1h" : "requested_1h");
    struct slice source = arena_printf(list->arena, "balance/%.*s", SLICE_ARG(key));
    asset->heard = source.ptr ? read_number(list, "heard", source, "last_seen") : SLICE_NONE;
    asset->usual_1h = read_number(list, "asset", key, on_chain ? "outflow_usual_1h" : "requested_usual_1h");
    return asset->asset.ptr && ++list->count < ASSETS_MAX;
}

static int list_assets(struct gate *gate, struct message *message, struct err *err)
{
    struct asset_list *list = message->detail;
    list->gate = gate;
    list->arena = message->arena;
    list->now_ns = clock_wall_ns(gate->config.clock);
    list->assets = arena_array(message->arena, ASSETS_MAX, sizeof(*list->assets));
    if (!list->assets)
        return err_nomem(err);
    state_walk(gate->state, SLICE("asset"), add_asset, list);
    return 0;
}

void gate_assets(struct gate *gate, struct arena *arena, gate_asset_visit visit, void *context)
{
    struct message *message = message_ask(gate, message_with(list_assets, sizeof(struct asset_list)));
    if (!message)
        return;
    const struct asset_list *list = message->detail;
    for (size_t i = 0; message->result == 0 && i < list->count; i++) {
        struct gate_asset asset = list->assets[i];
        if (keep(arena, &asset.asset) && keep(arena, &asset.balance) &&
            keep(arena, &asset.outflow_1h) && keep(arena, &asset.usual_1h) && keep(arena, &asset.heard))
            visit(context, &asset);
    }
    message_leave(message);
}
