#include "app/gate_events.h"

#include "app/service.h"

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

static void put_texts(struct json *json, const char *key, const struct slice *texts, size_t count)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_close(json, ']');
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

/* ---- what becomes one ---- */

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

void gate_events_decided(void *context, const struct gate_request *request,
                         const struct gate_answer *answer)
{
    struct writing event;
    begin(&event, gate_decision_name(answer->decision), answer->decided_ns);
    json_put_text(&event.json, "hinomi.gate.id", slice_text(answer->id));
    json_put_text(&event.json, "hinomi.gate.row", answer->row.ptr ? answer->row : SLICE(""));
    json_put_bool(&event.json, "hinomi.gate.shadow", answer->shadow);
    put_if_any(&event, "hinomi.gate.policy_version", answer->policy_version);
    put_if_any(&event, "hinomi.gate.incident", answer->incident);
    put_request(&event, request);
    put_texts(&event.json, "message", answer->reasons_en, answer->reason_count);
    end(context, &event);
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
