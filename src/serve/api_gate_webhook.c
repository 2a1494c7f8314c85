/* Questions to the gate in somebody else's words: signed, mapped, decided, and answered with our signature. */
#include "serve/api_gate.h"
#include "serve/gate_webhook.h"

#include "base/rand.h"
#include "respond/notify/signature.h"

enum { WAIT_MS = 1000 };

static void refuse(struct api *api, const struct gate_webhook *webhook, const struct err *why)
{
    if (api_record_claim(api, webhook->name, "gate.webhook_refused", SLICE(""), why))
        api_error(api, 401, "unauthorized", why->text);
}

/* nonce is the question's: an answer to another one is told from this one. */
static void reply(struct api *api, const struct gate_webhook *webhook, const struct gate_request *request, const struct gate_answer *answer,
                  struct slice nonce)
{
    char signature[SIGNATURE_SIZE];
    json_open(&api->json, '{');
    json_put_text(&api->json, "request_id", request->request_id);
    json_put_text(&api->json, "in_reply_to", nonce);
    api_gate_put_answer(&api->json, answer);
    json_close(&api->json, '}');
    if (buffer_failed(&api->body)) {
        api_reply(api, 200);
        return;
    }
    signature_make(webhook->secret, webhook->secret_next, buffer_slice(&api->body), clock_wall_ns(api->parts->clock), rand_real(), signature);
    struct slice headers = arena_printf(api->arena, "X-Hinomi-Signature: %s\r\nCache-Control: no-store\r\n", signature);
    http_reply(api->request, 200, "application/json", headers, buffer_slice(&api->body));
}

void api_gate_webhook(struct api *api)
{
    struct err err;
    struct slice nonce;
    struct gate_request request;
    struct gate_answer answer;
    const struct gate_webhook *webhook = gate_webhook_find(api->parts->webhooks, api->param);
    if (!webhook) {
        api_error(api, 404, "not_found", "no webhook of that name is configured (gate_webhooks:)");
        return;
    }
    if (signature_check(webhook->secret, webhook->secret_next, http_header(api->request, "x-hinomi-signature"), http_body(api->request),
                        clock_wall_ns(api->parts->clock), &nonce, &err) < 0) {
        refuse(api, webhook, &err);
        return;
    }
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    if (gate_webhook_request(webhook, body, api->arena, &request, &err) < 0 ||
        gate_decide(api->parts->gate, &request, WAIT_MS, api->arena, &answer, &err) < 0)
        api_reply_err(api, &err);
    else
        reply(api, webhook, &request, &answer, nonce);
}
