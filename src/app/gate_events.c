#include "app/gate_events.h"

#include "app/service.h"
#include "base/hash.h"

#include <sodium.h>
#include <stdio.h>

enum { EVENT_ID_SIZE = 64 };

/* ---- an event being written ---- */

void gate_event_lines_init(struct gate_event_lines *lines)
{
    *lines = (struct gate_event_lines){0};
    buffer_init(&lines->bytes, 64 * MIB);
}

static void begin(struct gate_event_lines *event, const char *action, int64_t time_ns)
{
    if (event->count)
        buffer_put_char(&event->bytes, '\n');
    event->time_ns = time_ns;
    event->begun = event->bytes.len;
    event->action = action;
    event->count++;
    json_init(&event->json, &event->bytes);
    json_open(&event->json, '{');
    json_put_time(&event->json, "@timestamp", time_ns);
    json_put_text(&event->json, "event.dataset", SLICE("hinomi.gate"));
    json_put_text(&event->json, "event.kind", SLICE("event"));
    json_put_text(&event->json, "event.action", slice_text(action));
}

static void put_if_any(struct gate_event_lines *event, const char *key, struct slice text)
{
    if (text.len)
        json_put_text(&event->json, key, text);
}

/* The last line, for programs that are told what the gate does; key: the same whenever it is told again. */
static void call(struct service *service, const struct gate_event_lines *event, struct slice key, bool plain)
{
    const struct respond_gate_call to = {.key = key, .event = slice_text(event->action), .plain = plain,
                                         .payload = slice_from(buffer_slice(&event->bytes), event->begun)};
    if (service->respond && !buffer_failed(&event->bytes) && respond_gate_is_called(service->respond))
        respond_gate_call(service->respond, &to);
}

static void send(struct service *service, struct gate_event_lines *event)
{
    struct delivery delivery = {
        .origin = {.source = SLICE("hinomi.gate"), .stream = SLICE("gate")},
        .received_ns = event->time_ns,
        .framing = FRAMING_LINES,
        .event_count = event->count,
        .body = buffer_slice(&event->bytes),
    };
    if (buffer_failed(&event->bytes) ||
        journal_append(service->engine.journal, &delivery, NULL, NULL, NULL) < 0)
        engine_note(NULL, "something the gate did could not be added to the event stream; the gate's "
                          "own journal has its decisions and approvals");
    buffer_close(&event->bytes);
}

/* Of the decision and what happened to it, so that timelines can name it. */
static struct slice event_id(char to[EVENT_ID_SIZE], struct slice decision, const char *what,
                             uint32_t number)
{
    int len = number ? snprintf(to, EVENT_ID_SIZE, "%.*s.%s.%u", SLICE_ARG(decision), what, number)
                     : snprintf(to, EVENT_ID_SIZE, "%.*s.%s", SLICE_ARG(decision), what);
    return slice_of(to, (size_t)(len < EVENT_ID_SIZE ? len : EVENT_ID_SIZE - 1));
}

static void put_request(struct gate_event_lines *event, const struct gate_request *request)
{
    char amount[DECIMAL_TEXT_SIZE];
    json_put_text(&event->json, "hinomi.gate.request_id", request->request_id);
    json_put_text(&event->json, "hinomi.gate.action", request->action);
    put_if_any(event, "user.id", request->account);
    put_if_any(event, "exchange.asset", request->asset);
    put_if_any(event, "exchange.address", request->destination);
    if (request->has_amount) {
        json_key(&event->json, "exchange.amount");
        json_raw(&event->json, slice_of(amount, decimal_format(request->amount, amount)));
    }
}

/* ---- what stands on timelines ---- */

struct telling {
    struct buffer en, ja;
    struct entity entities[GATE_REQUEST_ENTITIES_MAX];
    struct respond_gate_entry entry;
    char event[EVENT_ID_SIZE], hold[EVENT_ID_SIZE];
};

static void begin_telling(struct telling *telling, const struct gate_request *request)
{
    buffer_init(&telling->en, 16 * KIB);
    buffer_init(&telling->ja, 16 * KIB);
    telling->entry = (struct respond_gate_entry){
        .entities = telling->entities,
        .entity_count = gate_request_entities(request, telling->entities)};
}

static void end_telling(struct telling *telling, struct service *service)
{
    telling->entry.en = buffer_slice(&telling->en); /* cut when memory is out */
    telling->entry.ja = buffer_slice(&telling->ja);
    if (service->respond)
        respond_gate(service->respond, &telling->entry);
    buffer_close(&telling->en);
    buffer_close(&telling->ja);
}

/* "withdrawal 5 XEM" */
static void put_what(struct buffer *to, const struct gate_request *request)
{
    char amount[DECIMAL_TEXT_SIZE];
    buffer_put(to, request->action);
    if (request->has_amount) {
        buffer_put_char(to, ' ');
        buffer_put(to, slice_of(amount, decimal_format(request->amount, amount)));
    }
    if (request->asset.len) {
        buffer_put_char(to, ' ');
        buffer_put(to, request->asset);
    }
}

static void note_decision(struct service *service, const struct gate_request *request,
                          const struct gate_answer *answer)
{
    struct telling telling;
    struct slice id = slice_text(answer->id), request_id = request->request_id;
    bool held = answer->decision == GATE_HOLD;
    begin_telling(&telling, request);
    telling.entry.time_ns = answer->decided_ns;
    telling.entry.incident = answer->incident;
    telling.entry.event = event_id(telling.event, id, gate_decision_name(answer->decision), 0);
    if (!held)
        telling.entry.follows = event_id(telling.hold, id, "hold", 0);
    buffer_put_text(&telling.en, held ? "Held: " : "Let go after people released it: ");
    buffer_put_text(&telling.ja, held ? "保留: " : "担当者の解除により許可: ");
    put_what(&telling.en, request);
    put_what(&telling.ja, request);
    buffer_printf(&telling.en, " (request %.*s, row %.*s). ", SLICE_ARG(request_id), SLICE_ARG(answer->row));
    buffer_printf(&telling.ja, "（要求 %.*s、行 %.*s）。", SLICE_ARG(request_id), SLICE_ARG(answer->row));
    for (size_t i = 0; held && i < answer->reason_count; i++) {
        buffer_put(&telling.en, answer->reasons_en[i]);
        buffer_put(&telling.ja, answer->reasons_ja[i]);
    }
    end_telling(&telling, service);
}

static void note_approval(struct service *service, const struct gate_request *request,
                          const struct gate_approval *approval)
{
    struct telling telling;
    unsigned have = approval->approvals, need = approval->approvals_needed;
    begin_telling(&telling, request);
    telling.entry.time_ns = approval->time_ns;
    telling.entry.incident = approval->incident;
    telling.entry.user = approval->approver;
    bool glass = approval->break_glass.len > 0;
    telling.entry.event = event_id(telling.event, approval->hold_id, glass ? "break_glass" : "approval", have);
    telling.entry.follows = event_id(telling.hold, approval->hold_id, "hold", 0);
    buffer_printf(&telling.en, "%.*s %s%s (%u of %u%s): ", SLICE_ARG(approval->approver),
                  glass ? "broke the glass" : "approved letting it go", approval->is_signed ? " by signature" : "", have, need,
                  approval->released ? ", released" : "");
    buffer_printf(&telling.ja, "%.*s が%s%s（%u/%u%s）: ", SLICE_ARG(approval->approver),
                  approval->is_signed ? "署名により" : "", glass ? "緊急解除" : "解除を承認", have, need, approval->released ? "、解除済み" : "");
    put_what(&telling.en, request);
    put_what(&telling.ja, request);
    buffer_printf(&telling.en, " (request %.*s)", SLICE_ARG(request->request_id));
    buffer_printf(&telling.ja, "（要求 %.*s）", SLICE_ARG(request->request_id));
    end_telling(&telling, service);
}

/* ---- what the gate calls ---- */

static void put_decided(struct service *service, struct gate_event_lines *event, const struct gate_request *request,
                        const struct gate_answer *answer, const struct gate_journal_frame *frame)
{
    char id[EVENT_ID_SIZE], chain[2 * GATE_CHAIN_SIZE + 1];
    const char *decision = gate_decision_name(answer->decision);
    begin(event, decision, answer->decided_ns);
    json_put_text(&event->json, "event.id", event_id(id, slice_text(answer->id), decision, 0));
    json_put_text(&event->json, "hinomi.gate.id", slice_text(answer->id));
    json_put_text(&event->json, "hinomi.gate.row", answer->row);
    json_put_bool(&event->json, "hinomi.gate.shadow", answer->shadow);
    put_if_any(event, "hinomi.gate.policy_version", answer->policy_version);
    put_if_any(event, "hinomi.gate.incident", answer->incident);
    if (frame) {
        json_put_i64(&event->json, "hinomi.gate.commit", (int64_t)frame->number);
        sodium_bin2hex(chain, sizeof(chain), frame->chain, GATE_CHAIN_SIZE);
        json_put_text(&event->json, "hinomi.gate.chain", slice_text(chain));
    }
    put_request(event, request);
    json_put_texts(&event->json, "message", answer->reasons_en, answer->reason_count);
    json_close(&event->json, '}');
    call(service, event, event_id(id, slice_text(answer->id), decision, 0),
         answer->decision == GATE_ALLOW && !slice_is(answer->row, "released"));
}

void gate_events_put_decision(struct service *service, struct gate_event_lines *lines, const struct gate_journal_frame *frame,
                              const struct book_decision *decision)
{
    put_decided(service, lines, &decision->request, &decision->answer, frame);
}

void gate_events_note_decision(struct service *service, const struct book_decision *decision)
{
    if (decision->answer.decision == GATE_HOLD || slice_is(decision->answer.row, "released"))
        note_decision(service, &decision->request, &decision->answer);
}

void gate_events_approved(void *context, const struct gate_request *request,
                          const struct gate_approval *approval)
{
    struct gate_event_lines event;
    gate_event_lines_init(&event);
    char id[EVENT_ID_SIZE];
    const char *what = approval->break_glass.len ? "break_glass" : "approval";
    begin(&event, what, approval->time_ns);
    json_put_text(&event.json, "event.id", event_id(id, approval->hold_id, what, approval->approvals));
    put_if_any(&event, "hinomi.gate.reason", approval->break_glass);
    json_put_text(&event.json, "user.name", approval->approver);
    json_put_text(&event.json, "hinomi.gate.id", approval->hold_id);
    json_put_text(&event.json, "hinomi.gate.row", approval->row);
    json_put_i64(&event.json, "hinomi.gate.approvals", approval->approvals);
    json_put_i64(&event.json, "hinomi.gate.approvals_needed", approval->approvals_needed);
    json_put_bool(&event.json, "hinomi.gate.released", approval->released);
    json_put_bool(&event.json, "hinomi.gate.signed", approval->is_signed);
    put_if_any(&event, "hinomi.gate.incident", approval->incident);
    put_request(&event, request);
    json_close(&event.json, '}');
    call(context, &event, event_id(id, approval->hold_id, "approval", approval->approvals), false);
    send(context, &event);
    note_approval(context, request, approval);
}

/* "wallet hot-1", or "everything" */
static void put_stopped(struct buffer *to, const struct gate_stop *stop)
{
    if (stop->target.len)
        buffer_printf(to, "%.*s %.*s", SLICE_ARG(stop->scope), SLICE_ARG(stop->target));
    else
        buffer_put_text(to, "everything");
}

static void note_stop(struct service *service, const struct gate_stop *stop, struct slice person)
{
    struct telling telling;
    const struct gate_request none = {0};
    begin_telling(&telling, &none);
    telling.entities[0] = (struct entity){stop->scope, stop->target};
    telling.entry.entity_count = stop->target.len > 0;
    telling.entry.time_ns = clock_wall_ns(clock_real());
    telling.entry.user = person;
    if (stop->approvals) {
        buffer_printf(&telling.en, "%.*s approved the next step of reopening ", SLICE_ARG(person));
        buffer_printf(&telling.ja, "%.*s が再開の次の段階を承認しました：", SLICE_ARG(person));
    } else {
        buffer_printf(&telling.en, stop->share ? "%g %% may pass again: " : "Stopped: ", stop->share / 100.0);
        buffer_printf(&telling.ja, stop->share ? "%g %% まで再開：" : "停止：", stop->share / 100.0);
    }
    put_stopped(&telling.en, stop);
    put_stopped(&telling.ja, stop);
    buffer_printf(&telling.en, " (%.*s)", SLICE_ARG(stop->by));
    buffer_printf(&telling.ja, "（%.*s）", SLICE_ARG(stop->by));
    end_telling(&telling, service);
}

static void put_stop(struct service *service, struct gate_event_lines *to, const struct gate_stop *stop, struct slice person)
{
    char key[GATE_ID_SIZE + EVENT_ID_SIZE];
    begin(to, stop->approvals ? "reopen_approval" : stop->share ? "reopen" : "stop", clock_wall_ns(clock_real()));
    json_put_text(&to->json, "hinomi.gate.stop", slice_text(stop->id));
    json_put_text(&to->json, "hinomi.gate.scope", stop->scope);
    put_if_any(to, "hinomi.gate.target", stop->target);
    json_put_i64(&to->json, "hinomi.gate.share", stop->share);
    json_put_text(&to->json, "hinomi.gate.by", stop->by);
    put_if_any(to, "hinomi.gate.finding", stop->cause);
    put_if_any(to, "user.name", person);
    json_put_text(&to->json, "message", stop->reason);
    json_close(&to->json, '}');
    int len = snprintf(key, sizeof(key), "%s.%lld.%u.%u", stop->id, (long long)stop->changed_ns, stop->share, stop->approvals);
    call(service, to, slice_of(key, (size_t)len), false);
}

void gate_events_stopped(void *context, const struct gate_stop *stop, struct slice person)
{
    struct gate_event_lines event;
    gate_event_lines_init(&event);
    put_stop(context, &event, stop, person);
    send(context, &event);
    note_stop(context, stop, person);
}

/* ---- what notifiers may not know ---- */

static void tell_stop(void *context, const struct gate_stop *stop)
{
    struct gate_event_lines event;
    gate_event_lines_init(&event);
    put_stop(context, &event, stop, SLICE_NONE);
    buffer_close(&event.bytes);
}

static void tell_decision(void *context, const struct gate_request *request, const struct gate_answer *answer)
{
    struct gate_event_lines event;
    gate_event_lines_init(&event);
    put_decided(context, &event, request, answer, NULL);
    buffer_close(&event.bytes);
}

static void tell_hold(void *context, const struct gate_hold *hold)
{
    struct gate_answer answer = {.decision = GATE_HOLD, .row = hold->row, .incident = hold->incident, .reason_count = 1,
                                 .reasons_en = {hold->reason_en}, .reasons_ja = {hold->reason_ja}, .decided_ns = hold->held_ns};
    snprintf(answer.id, sizeof(answer.id), "%.*s", SLICE_ARG(hold->id));
    tell_decision(context, &hold->request, &answer);
}

void gate_events_tell_again(void *context)
{
    struct service *service = context;
    if (!respond_gate_is_called(service->respond))
        return;
    gate_stops(service->gate, tell_stop, service);
    gate_holds(service->gate, SLICE_NONE, tell_hold, service);
    gate_decisions(service->gate, GATE_DECISIONS_KEPT, tell_decision, service);
}

void gate_events_policy(void *context, const struct gate_policy_news *news)
{
    struct gate_event_lines event;
    gate_event_lines_init(&event);
    begin(&event, "policy_reload", news->time_ns);
    json_put_text(&event.json, "event.outcome", news->refused.len ? SLICE("failure") : SLICE("success"));
    json_put_text(&event.json, "user.name", news->by);
    put_if_any(&event, "hinomi.gate.policy_version", news->version);
    put_if_any(&event, "hinomi.gate.policy_digest", news->digest);
    json_put_text(&event.json, "message",
                  news->refused.len ? news->refused : SLICE("the policy was read again and is in force"));
    json_close(&event.json, '}');
    send(context, &event);
}

/* ---- what callers decided alone ---- */

static void put_reported(struct gate_event_lines *event, const struct gate_report *report, const char id[EVENT_ID_SIZE])
{
    static const char *const actions[] = {"caller_allow", "caller_hold", "caller_deny"};
    begin(event, actions[report->decision], report->decided_ns);
    json_put_text(&event->json, "event.id", slice_text(id));
    json_put_text(&event->json, "hinomi.gate.row", report->rule);
    put_request(event, &report->request);
    json_put_text(&event->json, "message",
                  SLICE("The gate did not answer in time; the caller decided by its own table."));
    json_close(&event->json, '}');
}

int gate_events_reported(void *context, const struct gate_report *reports, size_t count, struct err *err)
{
    struct service *service = context;
    for (size_t i = 0; i < count; i++) {
        struct gate_event_lines event;
    gate_event_lines_init(&event);
        struct journal_ack ack;
        char id[EVENT_ID_SIZE];
        struct slice request_id = reports[i].request.request_id;
        struct hash128 hash = hash_bytes128(request_id);
        (void)snprintf(id, sizeof(id), "%016llx%llx.caller", (unsigned long long)hash.high, (long long)reports[i].decided_ns);
        put_reported(&event, &reports[i], id);
        struct delivery delivery = {
            .origin = {.source = SLICE("hinomi.gate"), .stream = SLICE("gate")},
            .received_ns = clock_wall_ns(clock_real()),
            .key = slice_text(id),
            .framing = FRAMING_LINES,
            .event_count = 1,
            .body = buffer_slice(&event.bytes),
        };
        int result = buffer_failed(&event.bytes) ? err_nomem(err)
                                                 : journal_append_wait(service->engine.journal, &delivery, &ack, err);
        buffer_close(&event.bytes);
        if (result < 0)
            return -1;
    }
    return 0;
}
