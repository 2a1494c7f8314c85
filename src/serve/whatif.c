#include "serve/whatif.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/json_tree.h"
#include "detect/detector.h"
#include "detect/finding_row.h"
#include "gate/gate_rehearse.h"
#include "serve/whatif_count.h"

#include <stdlib.h>

enum { STOPS_A_BATCH = 65536, FINDINGS_A_BATCH = 65536 };

/* Behind which row of the events a finding came; index: its row among findings. */
struct place {
    uint32_t row, index;
};

/* A stop that a finding set, behind the row that completed it. */
struct pending_stop {
    uint32_t row, index;
    struct slice scope, target, by;
};

struct ended_stop {
    int64_t at_ns;
    struct slice scope, target;
};

struct whatif {
    struct whatif_config config;
    struct detector *detector;
    struct rehearsal *gates[WHATIF_POLICIES_MAX];
    struct whatif_count counts[WHATIF_POLICIES_MAX];
    size_t count;              /* of policies */
    uint64_t events;
    struct arena *arena;       /* of all: labels, stops that will end */
    struct arena *batch_arena; /* of one batch */
    struct pending_stop *stops;
    size_t stop_count, stop_next;
    struct batch *findings;
    struct place *places;      /* of the findings, in order */
    uint32_t finding_next;
    struct map labels; /* withdrawal ids, accounts and addresses of thefts */
    bool labelled;
    struct ended_stop *ends;
    size_t end_count, end_next;
    uint64_t asked_without_id;
};

/* ---- what the history asked for ---- */

static struct slice text_at(struct whatif *whatif, const struct batch *batch, uint32_t row, const char *name)
{
    struct value v = batch_first(batch, row, slice_text(name));
    struct slice text = v.type == VALUE_NULL ? SLICE("") : value_text(v, whatif->batch_arena);
    return text.ptr ? text : SLICE("");
}

static bool has_word(struct slice action, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_find(action, slice_text(words[i])) >= 0)
            return true;
    return false;
}

#define HAS(action, ...) has_word(action, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* What the exchange would have asked the gate for, or none. docs/gate-whatif.md has the table. */
static struct slice action_of(struct slice dataset, struct slice action)
{
    if (slice_is(dataset, "exchange.withdrawal") && slice_is(action, "withdrawal_requested"))
        return SLICE("withdrawal");
    if (slice_is(dataset, "exchange.order") && HAS(action, "plac", "new", "creat", "submit"))
        return SLICE("order");
    if (slice_is(dataset, "exchange.account") && HAS(action, "address", "whitelist") && HAS(action, "add", "chang", "updat"))
        return SLICE("address_add");
    if (slice_is(dataset, "exchange.apikey") && HAS(action, "creat", "made", "added", "issued"))
        return SLICE("api_key_create");
    if (HAS(action, "second_factor", "2fa", "mfa", "otp") && HAS(action, "disab", "remov", "reset", "delet"))
        return SLICE("mfa_reset");
    return SLICE("");
}

static bool read_request(struct whatif *whatif, const struct batch *batch, uint32_t row, struct gate_request *out)
{
    struct slice action = action_of(text_at(whatif, batch, row, "event.dataset"), text_at(whatif, batch, row, "event.action"));
    if (!action.len)
        return false;
    bool order = slice_is(action, "order");
    *out = (struct gate_request){.action = action,
                                 .request_id = text_at(whatif, batch, row, "exchange.withdrawal_id"),
                                 .account = text_at(whatif, batch, row, "user.id"),
                                 .asset = text_at(whatif, batch, row, order ? "exchange.symbol" : "exchange.asset"),
                                 .destination = text_at(whatif, batch, row, "exchange.address"),
                                 .at_ns = rehearsal_now(whatif->gates[0])};
    out->has_amount = decimal_parse(text_at(whatif, batch, row, order ? "exchange.quantity" : "exchange.amount"), &out->amount);
    if (!out->request_id.len)
        out->request_id = text_at(whatif, batch, row, "event.id");
    if (!out->request_id.len)
        out->request_id = arena_printf(whatif->batch_arena, "#%llu", (unsigned long long)++whatif->asked_without_id);
    return true;
}

static bool is_labelled(const struct whatif *whatif, const struct gate_request *request)
{
    return slice_is(request->action, "withdrawal") &&
           (map_has(&whatif->labels, request->request_id) || (request->account.len && map_has(&whatif->labels, request->account)) ||
            (request->destination.len && map_has(&whatif->labels, request->destination)));
}

static int ask(struct whatif *whatif, const struct batch *batch, uint32_t row, struct err *err)
{
    struct gate_request request;
    struct gate_answer answer;
    if (!read_request(whatif, batch, row, &request))
        return 0;
    struct whatif_case one = {.request = &request, .answer = &answer, .labelled = whatif->labelled,
                              .is_theft = is_labelled(whatif, &request)};
    one.has_usd = decimal_parse(text_at(whatif, batch, row, "exchange.usd"), &one.usd);
    for (size_t i = 0; i < whatif->count; i++) {
        rehearsal_ask(whatif->gates[i], &request, &answer);
        if (request.at_ns >= whatif->config.count_from_ns && whatif_count_add(&whatif->counts[i], &one, request.at_ns, err) < 0)
            return -1;
    }
    return 0;
}

/* That people approved it; what a machine approved was not waited for. */
static void see_approval(struct whatif *whatif, const struct batch *batch, uint32_t row)
{
    struct slice by = text_at(whatif, batch, row, "exchange.approval");
    if (!slice_ends(text_at(whatif, batch, row, "event.action"), SLICE("_approved")) ||
        (by.len ? HAS(by, "auto", "risk", "system", "policy") : !text_at(whatif, batch, row, "exchange.approver").len))
        return;
    for (size_t i = 0; i < whatif->count; i++)
        whatif_count_approved(&whatif->counts[i], text_at(whatif, batch, row, "exchange.withdrawal_id"), batch->rows[row].time_ns);
}

/* ---- findings and their stops ---- */

/* The detector tells rule by rule. What did not come in time is known with the last event until then. */
static uint32_t place_of(const struct finding *finding, const struct batch *batch, uint32_t row)
{
    if (row != UINT32_MAX)
        return row;
    for (row = batch->row_count; row > 1 && batch->rows[row - 1].time_ns > finding->raised_ns;)
        row--;
    return row ? row - 1 : 0;
}

static int by_row(uint32_t row_a, uint32_t index_a, uint32_t row_b, uint32_t index_b)
{
    return row_a != row_b ? (row_a > row_b) - (row_a < row_b) : (index_a > index_b) - (index_a < index_b);
}

static int places_in_order(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return by_row(x->row, x->index, y->row, y->index);
}

static int stops_in_order(const void *a, const void *b)
{
    const struct pending_stop *x = a, *y = b;
    return by_row(x->row, x->index, y->row, y->index);
}

static int add_stops(struct whatif *whatif, const struct finding *finding, uint32_t row, struct err *err)
{
    for (size_t i = 0; i < finding->hold_count; i++) {
        if (whatif->stop_count == STOPS_A_BATCH)
            return err_set(err, ERR_LIMIT, "rules set more than %d stops in one batch of events", STOPS_A_BATCH);
        struct pending_stop stop = {.row = row, .index = (uint32_t)whatif->stop_count,
                                    .scope = arena_copy(whatif->arena, finding->holds[i].type),
                                    .target = arena_copy(whatif->arena, finding->holds[i].value.ptr ? finding->holds[i].value : SLICE("")),
                                    .by = arena_copy(whatif->arena, finding->catalogue.len ? finding->catalogue : SLICE("a rule"))};
        if (!stop.scope.ptr || !stop.target.ptr || !stop.by.ptr)
            return err_nomem(err);
        whatif->stops[whatif->stop_count++] = stop;
    }
    return 0;
}

static int on_found(void *context, const struct finding *finding, const struct rule *rule, const struct batch *batch, uint32_t row,
                    struct err *err)
{
    struct whatif *whatif = context;
    uint32_t index = whatif->findings->row_count;
    (void)rule;
    if (index == FINDINGS_A_BATCH)
        return err_set(err, ERR_LIMIT, "more than %d findings in one batch of events", FINDINGS_A_BATCH);
    whatif->places[index] = (struct place){.row = place_of(finding, batch, row), .index = index};
    if (finding_row_add(whatif->findings, finding) < 0)
        return err_nomem(err);
    return add_stops(whatif, finding, whatif->places[index].row, err);
}

static int set_stop(struct whatif *whatif, const struct pending_stop *stop, struct err *err)
{
    for (size_t i = 0; i < whatif->count; i++)
        if (rehearsal_stop(whatif->gates[i], stop->scope, stop->target, stop->by, 0, err) < 0)
            return -1;
    if (!whatif->config.stop_minutes || whatif->end_count == GATE_STOPS_MAX)
        return 0;
    int64_t at_ns = rehearsal_now(whatif->gates[0]) + whatif->config.stop_minutes * NS_PER_MINUTE;
    whatif->ends[whatif->end_count++] = (struct ended_stop){at_ns, stop->scope, stop->target};
    return 0;
}

/* People have reopened what was stopped so long ago. */
static int end_stops(struct whatif *whatif, struct err *err)
{
    int64_t now_ns = rehearsal_now(whatif->gates[0]);
    for (; whatif->end_next < whatif->end_count && whatif->ends[whatif->end_next].at_ns <= now_ns; whatif->end_next++) {
        const struct ended_stop *end = &whatif->ends[whatif->end_next];
        for (size_t i = 0; i < whatif->count; i++)
            if (rehearsal_stop(whatif->gates[i], end->scope, end->target, SLICE("people"), GATE_SHARE_WHOLE, err) < 0)
                return -1;
    }
    return 0;
}

/* ---- the history ---- */

static int observe(struct whatif *whatif, enum rehearsal_source source, uint32_t row, struct err *err)
{
    for (size_t i = 0; i < whatif->count; i++)
        if (rehearsal_observe(whatif->gates[i], source, row, err) < 0)
            return -1;
    return 0;
}

/* What rules found by this row, and what they stopped. */
static int take_findings(struct whatif *whatif, uint32_t row, struct err *err)
{
    for (; whatif->finding_next < whatif->findings->row_count && whatif->places[whatif->finding_next].row <= row; whatif->finding_next++)
        if (observe(whatif, REHEARSAL_FINDINGS, whatif->places[whatif->finding_next].index, err) < 0)
            return -1;
    for (; whatif->stop_next < whatif->stop_count && whatif->stops[whatif->stop_next].row <= row; whatif->stop_next++)
        if (set_stop(whatif, &whatif->stops[whatif->stop_next], err) < 0)
            return -1;
    return 0;
}

static int take_row(struct whatif *whatif, const struct batch *batch, uint32_t row, struct err *err)
{
    for (size_t i = 0; i < whatif->count; i++)
        rehearsal_reach(whatif->gates[i], batch->rows[row].time_ns);
    if (end_stops(whatif, err) < 0 || ask(whatif, batch, row, err) < 0) /* asked before it is known that it was asked */
        return -1;
    see_approval(whatif, batch, row);
    return observe(whatif, REHEARSAL_EVENTS, row, err) < 0 ? -1 : take_findings(whatif, row, err);
}

int whatif_take(struct whatif *whatif, struct batch *batch, struct err *err)
{
    whatif->events += batch->row_count;
    whatif->stop_count = whatif->stop_next = 0;
    whatif->finding_next = 0;
    batch_reset(whatif->findings);
    if (detector_run(whatif->detector, batch, err) < 0)
        return -1;
    qsort(whatif->places, whatif->findings->row_count, sizeof(*whatif->places), places_in_order);
    qsort(whatif->stops, whatif->stop_count, sizeof(*whatif->stops), stops_in_order);
    for (size_t i = 0; i < whatif->count; i++)
        if (rehearsal_begin(whatif->gates[i], REHEARSAL_EVENTS, batch, err) < 0 ||
            rehearsal_begin(whatif->gates[i], REHEARSAL_FINDINGS, whatif->findings, err) < 0)
            return -1;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        arena_reset(whatif->batch_arena);
        if (take_row(whatif, batch, row, err) < 0)
            return -1;
    }
    return 0;
}

static const char *const FIELDS[] = {
    "@timestamp",    "hinomi.seq", "event.id",              "event.dataset",   "event.action",    "event.outcome",     "user.id",
    "exchange.withdrawal_id",      "exchange.symbol",       "exchange.asset",  "exchange.address", "exchange.quantity", "exchange.amount",
    "exchange.usd",  "exchange.approval",                   "exchange.approver",
};

void whatif_fields(expr_field_visit visit, void *context)
{
    for (size_t i = 0; i < ARRAY_COUNT(FIELDS); i++)
        visit(context, slice_text(FIELDS[i]));
}

/* ---- labels ---- */

int whatif_label(struct whatif *whatif, const struct json_node *label, struct err *err)
{
    static const char *const keys[] = {"withdrawal_id", "request_id", "account", "address"};
    size_t found = 0;
    whatif->labelled = true;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        struct slice text = json_text_of(json_get(label, keys[i]), SLICE_NONE);
        if (!text.len)
            continue;
        found++;
        text = arena_copy(whatif->arena, text);
        if (!text.ptr || map_put(&whatif->labels, text, whatif) < 0)
            return err_nomem(err);
    }
    return found ? 0 : err_set(err, ERR_CONFIG, "a label has withdrawal_id, request_id, account or address");
}

/* ---- what came of it ---- */

static const char *const NAMES[WHATIF_POLICIES_MAX] = {"candidate", "current"};

void whatif_json(const struct whatif *whatif, struct json *json)
{
    json_put_i64(json, "events", (int64_t)whatif->events);
    for (size_t i = 0; i < whatif->count; i++) {
        json_key(json, NAMES[i]);
        whatif_count_json(&whatif->counts[i], whatif->config.hold_minutes, whatif->labelled, json);
    }
}

void whatif_print(const struct whatif *whatif, struct buffer *to)
{
    for (size_t i = 0; i < whatif->count; i++) {
        buffer_printf(to, "%s ", NAMES[i]);
        whatif_count_print(&whatif->counts[i], whatif->config.hold_minutes, whatif->labelled, to);
    }
}

const struct rulebook *whatif_book(const struct whatif *whatif)
{
    return whatif->config.book;
}

uint64_t whatif_events(const struct whatif *whatif)
{
    return whatif->events;
}

/* ---- life ---- */

static int open_policies(struct whatif *whatif, struct err *err)
{
    for (size_t i = 0; i < WHATIF_POLICIES_MAX && whatif->config.policies[i].name; i++) {
        const struct whatif_policy *policy = &whatif->config.policies[i];
        if (rehearsal_open(policy->name, policy->text, whatif->config.book->state, &whatif->gates[i], err) < 0)
            return -1;
        whatif->count++;
        if (whatif_count_init(&whatif->counts[i], rehearsal_version(whatif->gates[i]), err) < 0)
            return -1;
    }
    return 0;
}

static int make_room(struct whatif *whatif, struct err *err)
{
    whatif->arena = arena_new(GIB);
    whatif->batch_arena = arena_new(16 * MIB);
    whatif->findings = batch_new(64 * MIB);
    if (!whatif->arena || !whatif->batch_arena || !whatif->findings)
        return err_nomem(err);
    map_init(&whatif->labels, whatif->arena);
    whatif->stops = arena_array(whatif->arena, STOPS_A_BATCH, sizeof(*whatif->stops));
    whatif->ends = arena_array(whatif->arena, GATE_STOPS_MAX, sizeof(*whatif->ends));
    whatif->places = arena_array(whatif->arena, FINDINGS_A_BATCH, sizeof(*whatif->places));
    return whatif->stops && whatif->ends && whatif->places ? 0 : err_nomem(err);
}

int whatif_new(const struct whatif_config *config, struct whatif **out, struct err *err)
{
    struct whatif *whatif = *out = mem_calloc(1, sizeof(*whatif));
    if (!whatif)
        return err_nomem(err);
    whatif->config = *config;
    const struct detector_options options = {.rules = config->book->rules, .state = config->book->state, .found = on_found,
                                             .context = whatif};
    if (make_room(whatif, err) == 0 && open_policies(whatif, err) == 0 && detector_new(&options, &whatif->detector, err) == 0)
        return 0;
    whatif_free(whatif);
    *out = NULL;
    return -1;
}

void whatif_free(struct whatif *whatif)
{
    if (!whatif)
        return;
    detector_free(whatif->detector);
    for (size_t i = 0; i < whatif->count; i++) {
        rehearsal_close(whatif->gates[i]);
        whatif_count_close(&whatif->counts[i]);
    }
    batch_free(whatif->findings);
    arena_free(whatif->batch_arena);
    arena_free(whatif->arena);
    mem_free(whatif);
}
