#include "app/gate_events.h"

#include "app/service.h"

#include <stdio.h>

enum { EVENT_ID_SIZE = 64 };

/* ---- an event being written ---- */

struct writing {
    struct buffer bytes;
    struct json json;
    int64_t time_ns;
};

static void begin(struct writing *event, const char *action, int64_t time_ns)
{
    event->time_ns = time_ns;
    buffer_init(&event->bytes, 64 * KIB);
    json_init(&event->json, &event->bytes);
    json_open(&event->json, '{');
    json_put_time(&event->json, "@timestamp", time_ns);
    json_put_text(&event->json, "event.dataset", SLICE("hinomi.gate"));
    json_put_text(&event->json, "event.kind", SLICE("event"));
    json_put_text(&event->json, "event.action", slice_text(action));
}

static void put_if_any(struct writing *event, const char *key, struct slice text)
{
    if (text.len)
        json_put_text(&event->json, key, text);
}

static void end(struct service *service, struct writing *event)
{
    json_close(&event->json, '}');
    struct delivery delivery = {
        .origin = {.source = SLICE("hinomi.gate"), .stream = SLICE("gate")},
        .received_ns = event->time_ns,
        .framing = FRAMING_LINES,
        .event_count = 1,
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

static void put_request(struct writing *event, const struct gate_request *request)
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
    telling.entry.event = event_id(telling.event, approval->hold_id, "approval", have);
    telling.entry.follows = event_id(telling.hold, approval->hold_id, "hold", 0);
    buffer_printf(&telling.en, "%.*s approved letting it go%s (%u of %u%s): ",
                  SLICE_ARG(approval->approver), approval->is_signed ? " by signature" : "", have, need,
                  approval->released ? ", released" : "");
    buffer_printf(&telling.ja, "%.*s が%s解除を承認（%u/%u%s）: ", SLICE_ARG(approval->approver),
                  approval->is_signed ? "署名により" : "", have, need, approval->released ? "、解除済み" : "");
    put_what(&telling.en, request);
    put_what(&telling.ja, request);
    buffer_printf(&telling.en, " (request %.*s)", SLICE_ARG(request->request_id));
    buffer_printf(&telling.ja, "（要求 %.*s）", SLICE_ARG(request->request_id));
    end_telling(&telling, service);
}

/* ---- what the gate calls ---- */

void gate_events_decided(void *context, const struct gate_request *request,
                         const struct gate_answer *answer)
{
    struct writing event;
    char id[EVENT_ID_SIZE];
    const char *decision = gate_decision_name(answer->decision);
    begin(&event, decision, answer->decided_ns);
    json_put_text(&event.json, "event.id", event_id(id, slice_text(answer->id), decision, 0));
    json_put_text(&event.json, "hinomi.gate.id", slice_text(answer->id));
    json_put_text(&event.json, "hinomi.gate.row", answer->row.ptr ? answer->row : SLICE(""));
    json_put_bool(&event.json, "hinomi.gate.shadow", answer->shadow);
    put_if_any(&event, "hinomi.gate.policy_version", answer->policy_version);
    put_if_any(&event, "hinomi.gate.incident", answer->incident);
    put_request(&event, request);
    json_put_texts(&event.json, "message", answer->reasons_en, answer->reason_count);
    end(context, &event);
    if (answer->decision == GATE_HOLD || slice_is(answer->row, "released"))
        note_decision(context, request, answer);
}

void gate_events_approved(void *context, const struct gate_request *request,
                          const struct gate_approval *approval)
{
    struct writing event;
    char id[EVENT_ID_SIZE];
    begin(&event, "approval", approval->time_ns);
    json_put_text(&event.json, "event.id",
                  event_id(id, approval->hold_id, "approval", approval->approvals));
    json_put_text(&event.json, "user.name", approval->approver);
    json_put_text(&event.json, "hinomi.gate.id", approval->hold_id);
    json_put_text(&event.json, "hinomi.gate.row", approval->row);
    json_put_i64(&event.json, "hinomi.gate.approvals", approval->approvals);
    json_put_i64(&event.json, "hinomi.gate.approvals_needed", approval->approvals_needed);
    json_put_bool(&event.json, "hinomi.gate.released", approval->released);
    json_put_bool(&event.json, "hinomi.gate.signed", approval->is_signed);
    put_if_any(&event, "hinomi.gate.incident", approval->incident);
    put_request(&event, request);
    end(context, &event);
    note_approval(context, request, approval);
}

void gate_events_policy(void *context, const struct gate_policy_news *news)
{
    struct writing event;
    begin(&event, "policy_reload", news->time_ns);
    json_put_text(&event.json, "event.outcome", news->refused.len ? SLICE("failure") : SLICE("success"));
    json_put_text(&event.json, "user.name", news->by);
    put_if_any(&event, "hinomi.gate.policy_version", news->version);
    put_if_any(&event, "hinomi.gate.policy_digest", news->digest);
    json_put_text(&event.json, "message",
                  news->refused.len ? news->refused : SLICE("the policy was read again and is in force"));
    end(context, &event);
}
