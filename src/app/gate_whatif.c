#include "app/gate_whatif.h"

#include "app/offline.h"
#include "app/rules.h"
#include "app/whatif_count.h"
#include "base/file.h"
#include "base/limits.h"
#include "cut/json_tree.h"
#include "detect/detector.h"
#include "detect/finding_row.h"
#include "gate/gate_rehearse.h"

#include <stdio.h>
#include <string.h>

enum { POLICIES_MAX = 2, STOPS_A_BATCH = 4096, FINDINGS_A_BATCH = 65536, MINUTES_MOST = 1000000 };

/* A stop that a finding set, behind the row that completed it. */
struct pending_stop {
    uint32_t row;
    struct slice scope, target, by;
};

struct ended_stop {
    int64_t at_ns;
    struct slice scope, target;
};

struct whatif {
    struct offline offline;
    struct detector *detector;
    const struct state_definitions *state;
    struct rehearsal *gates[POLICIES_MAX]; /* the candidate, then what it is compared with */
    struct whatif_count counts[POLICIES_MAX];
    size_t count;
    struct arena *arena;       /* of all: labels, stops that will end */
    struct arena *batch_arena; /* of one batch */
    struct pending_stop *stops;
    size_t stop_count, stop_next;
    struct batch *findings;
    uint32_t *finding_at;      /* by row of findings: behind which row of the events */
    uint32_t finding_next, last_row;
    struct map labels; /* withdrawal ids, accounts and addresses of thefts */
    bool labelled;
    int64_t hold_minutes, stop_minutes; /* stop_minutes 0: to the end */
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
        if (whatif_count_add(&whatif->counts[i], &one, request.at_ns, err) < 0)
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

static int on_found(void *context, const struct finding *finding, const struct rule *rule, const struct batch *batch, uint32_t row,
                    struct err *err)
{
    struct whatif *whatif = context;
    (void)rule;
    (void)batch;
    if (row != UINT32_MAX) /* else something did not come: known by the latest row */
        whatif->last_row = row;
    if (whatif->findings->row_count == FINDINGS_A_BATCH)
        return err_set(err, ERR_LIMIT, "more than %d findings in one batch of events", FINDINGS_A_BATCH);
    whatif->finding_at[whatif->findings->row_count] = whatif->last_row;
    if (finding_row_add(whatif->findings, finding) < 0)
        return err_nomem(err);
    for (size_t i = 0; i < finding->hold_count && whatif->stop_count < STOPS_A_BATCH; i++) {
        struct pending_stop stop = {.row = whatif->last_row,
                                    .scope = arena_copy(whatif->arena, finding->holds[i].type),
                                    .target = arena_copy(whatif->arena, finding->holds[i].value.ptr ? finding->holds[i].value : SLICE("")),
                                    .by = arena_copy(whatif->arena, finding->catalogue.len ? finding->catalogue : SLICE("a rule"))};
        if (!stop.scope.ptr || !stop.target.ptr || !stop.by.ptr)
            return err_nomem(err);
        whatif->stops[whatif->stop_count++] = stop;
    }
    return 0;
}

static int set_stop(struct whatif *whatif, const struct pending_stop *stop, struct err *err)
{
    for (size_t i = 0; i < whatif->count; i++)
        if (rehearsal_stop(whatif->gates[i], stop->scope, stop->target, stop->by, 0, err) < 0)
            return -1;
    if (!whatif->stop_minutes || whatif->end_count == GATE_STOPS_MAX)
        return 0;
    int64_t at_ns = rehearsal_now(whatif->gates[0]) + whatif->stop_minutes * NS_PER_MINUTE;
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
    for (; whatif->finding_next < whatif->findings->row_count && whatif->finding_at[whatif->finding_next] <= row; whatif->finding_next++)
        if (observe(whatif, REHEARSAL_FINDINGS, whatif->finding_next, err) < 0)
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

static int on_batch(void *context, struct batch *batch, const char *path, uint64_t first_record, struct err *err)
{
    struct whatif *whatif = context;
    (void)path;
    (void)first_record;
    whatif->stop_count = whatif->stop_next = 0;
    whatif->finding_next = whatif->last_row = 0;
    batch_reset(whatif->findings);
    if (detector_run(whatif->detector, batch, err) < 0)
        return -1;
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

/* ---- labels ---- */

static int add_label(struct whatif *whatif, struct slice line, struct err *err)
{
    static const char *const keys[] = {"withdrawal_id", "request_id", "account", "address"};
    const struct json_node *node;
    size_t found = 0;
    if (json_tree_parse(line, whatif->arena, &node, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        struct slice text = json_text_of(json_get(node, keys[i]), SLICE_NONE);
        if (!text.len)
            continue;
        found++;
        if (map_put(&whatif->labels, text, whatif) < 0)
            return err_nomem(err);
    }
    return found ? 0 : err_set(err, ERR_CONFIG, "a label has withdrawal_id, request_id, account or address");
}

static int read_labels(struct whatif *whatif, const char *path, struct err *err)
{
    struct slice text, line;
    if (file_read(path, 64 * MIB, whatif->arena, &text, err) < 0)
        return -1;
    whatif->labelled = true;
    for (size_t number = 1; slice_next_line(&text, &line); number++)
        if (slice_trim(line).len && add_label(whatif, slice_trim(line), err) < 0)
            return err_within(err, "%s line %zu", path, number);
    return 0;
}

/* ---- the command ---- */

static int say(const struct whatif *whatif, bool as_json, struct err *err)
{
    static const char *const names[] = {"candidate", "current"};
    struct buffer out;
    struct json json;
    buffer_init(&out, 64 * MIB);
    json_init(&json, &out);
    if (as_json) {
        json_open(&json, '{');
        json_put_i64(&json, "events", (int64_t)whatif->offline.events);
    }
    for (size_t i = 0; i < whatif->count; i++) {
        if (!as_json) {
            buffer_printf(&out, "%s ", names[i]);
            whatif_count_print(&whatif->counts[i], whatif->hold_minutes, whatif->labelled, &out);
            continue;
        }
        json_key(&json, names[i]);
        whatif_count_json(&whatif->counts[i], whatif->hold_minutes, whatif->labelled, &json);
    }
    if (as_json) {
        json_close(&json, '}');
        buffer_put_char(&out, '\n');
    }
    int result = buffer_failed(&out) ? err_nomem(err) : 0;
    if (result == 0)
        (void)!cli_write(buffer_slice(&out));
    buffer_close(&out);
    cli_flush();
    return result;
}

static int open_policy(struct whatif *whatif, const char *path, struct err *err)
{
    size_t i = whatif->count;
    if (rehearsal_open(path, whatif->state, &whatif->gates[i], err) < 0)
        return -1;
    whatif->count++;
    return whatif_count_init(&whatif->counts[i], rehearsal_version(whatif->gates[i]), err);
}

static int rehearse(struct whatif *whatif, const struct rulebook *book, const char *const paths[3], const struct cli_words *words,
                    struct err *err)
{
    const struct detector_options options = {.rules = book->rules, .state = book->state, .found = on_found, .context = whatif};
    struct decoders *decoders = NULL;
    whatif->state = book->state;
    whatif->arena = arena_new(GIB);
    whatif->batch_arena = arena_new(16 * MIB);
    whatif->findings = batch_new(64 * MIB);
    if (!whatif->arena || !whatif->batch_arena || !whatif->findings)
        return err_nomem(err);
    map_init(&whatif->labels, whatif->arena);
    whatif->stops = arena_array(whatif->arena, STOPS_A_BATCH, sizeof(*whatif->stops));
    whatif->ends = arena_array(whatif->arena, GATE_STOPS_MAX, sizeof(*whatif->ends));
    whatif->finding_at = arena_array(whatif->arena, FINDINGS_A_BATCH, sizeof(*whatif->finding_at));
    if (!whatif->stops || !whatif->ends || !whatif->finding_at)
        return err_nomem(err);
    if (open_policy(whatif, paths[0], err) < 0 || (paths[1] && open_policy(whatif, paths[1], err) < 0) ||
        (paths[2] && read_labels(whatif, paths[2], err) < 0) || detector_new(&options, &whatif->detector, err) < 0 ||
        cli_load_decoders(NULL, &decoders, err) < 0)
        return -1;
    int result = offline_run(&whatif->offline, decoders, words->words, words->count, err);
    decoders_free(decoders);
    return result;
}

static void close_all(struct whatif *whatif)
{
    detector_free(whatif->detector);
    for (size_t i = 0; i < whatif->count; i++) {
        rehearsal_close(whatif->gates[i]);
        whatif_count_close(&whatif->counts[i]);
    }
    batch_free(whatif->findings);
    arena_free(whatif->batch_arena);
    arena_free(whatif->arena);
}

static bool minutes_of(const char *text, int64_t *out)
{
    return !text || (slice_to_i64(slice_text(text), out) && *out >= 0 && *out <= MINUTES_MOST);
}

int gate_whatif(int argc, char **argv)
{
    static struct whatif whatif = {.hold_minutes = 30, .offline = {.batch = on_batch, .context = &whatif}};
    const char *paths[3] = {0}, *rules = NULL, *hold = NULL, *stop = NULL;
    bool json = false;
    const struct cli_option options[] = {{"--policy", &paths[0], NULL}, {"--against", &paths[1], NULL}, {"--labels", &paths[2], NULL},
                                         {"--rules", &rules, NULL},     {"--hold-minutes", &hold, NULL}, {"--stop-minutes", &stop, NULL},
                                         {"--source", &whatif.offline.source, NULL}, {"--json", NULL, &json}};
    struct cli_words words;
    struct rulebook *book;
    struct err err;
    int status = cli_parse("gate", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!paths[0] || words.count < 2)
        return cli_usage("gate", "whatif needs --policy FILE and files of events");
    if (!minutes_of(hold, &whatif.hold_minutes) || !minutes_of(stop, &whatif.stop_minutes))
        return cli_usage("gate", "--hold-minutes and --stop-minutes take 0 to %d", MINUTES_MOST);
    words = (struct cli_words){words.words + 1, words.count - 1}; /* behind "whatif" */
    if (cli_load_rules(rules, false, &book, &err) < 0)
        return cli_fail(&err);
    int result = rehearse(&whatif, book, paths, &words, &err);
    if (result == 0)
        result = say(&whatif, json, &err);
    close_all(&whatif);
    rulebook_release(book);
    return result < 0 ? cli_fail(&err) : whatif.offline.files_failed ? EXIT_FAILED : EXIT_DONE;
}
