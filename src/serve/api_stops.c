/* What is stopped: listing it, stopping, and reopening step by step. */
#include "serve/api.h"

#include "base/time.h"
#include "event/decimal.h"
#include "gate/gate.h"
#include "serve/api_signature.h"

static struct decimal share_of(uint32_t hundredths)
{
    return decimal_trim((struct decimal){.coefficient = hundredths, .scale = 4});
}

static void put_share(struct json *json, const char *key, uint32_t share)
{
    char text[DECIMAL_TEXT_SIZE];
    json_key(json, key);
    json_raw(json, slice_of(text, decimal_format(share_of(share), text)));
}

static void put_stop(struct json *json, const struct gate_stop *stop)
{
    json_put_text(json, "id", slice_text(stop->id));
    json_put_text(json, "scope", stop->scope);
    json_put_text_or_null(json, "target", stop->target);
    put_share(json, "share", stop->share);
    put_share(json, "next_share", gate_stop_next_share(stop->share));
    json_put_text_or_null(json, "finding", stop->cause);
    json_put_text(json, "by", stop->by);
    json_put_text(json, "reason", stop->reason);
    json_put_time(json, "since", stop->since_ns);
    json_put_time(json, "changed", stop->changed_ns);
    json_put_i64(json, "approvals", stop->approvals);
    json_put_i64(json, "approvals_needed", stop->approvals_needed);
    json_key(json, "approvers");
    json_open(json, '[');
    for (uint32_t i = 0; i < stop->approvals; i++)
        json_text(json, stop->approvers[i]);
    json_close(json, ']');
}

static void reply_stop(struct api *api, const struct gate_stop *stop, int status)
{
    char gate[GATE_ID_SIZE];
    json_open(&api->json, '{');
    put_stop(&api->json, stop);
    gate_id(api->parts->gate, gate);
    json_put_text_or_null(&api->json, "gate", slice_text(gate));
    json_close(&api->json, '}');
    api_reply(api, status);
}

static void put_listed(void *context, const struct gate_stop *stop)
{
    struct json *json = context;
    json_open(json, '{');
    put_stop(json, stop);
    json_close(json, '}');
}

void api_gate_stops(struct api *api)
{
    json_open(&api->json, '{');
    json_key(&api->json, "stops");
    json_open(&api->json, '[');
    gate_stops(api->parts->gate, put_listed, &api->json);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* One of them, with what a person elsewhere needs to sign (hinomi approve). */
struct wanted {
    struct api *api;
    bool found;
};

static void reply_wanted(void *context, const struct gate_stop *stop)
{
    struct wanted *wanted = context;
    if (!slice_is(wanted->api->param, stop->id) || wanted->found)
        return;
    wanted->found = true;
    reply_stop(wanted->api, stop, 200);
}

void api_gate_stop(struct api *api)
{
    struct wanted wanted = {api, false};
    gate_stops(api->parts->gate, reply_wanted, &wanted);
    if (!wanted.found)
        api_error(api, 404, "not_found", "there is no such stop");
}

/* By a person or by a program: whoever may stop only makes things safer. */
void api_gate_stop_set(struct api *api)
{
    struct err err;
    struct gate_stop stop;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice name = api->caller.user.name;
    struct gate_stop_order order = {.scope = api_text(body, "scope"), .target = api_text(body, "target"),
                                    .reason = api_text(body, "reason"),
                                    .by = name.len ? name : SLICE("a program")};
    int result = gate_stop_set(api->parts->gate, &order, api->arena, &stop, &err);
    if (api_did(api, "gate.stop", order.target.len ? order.target : order.scope, order.reason, result, &err))
        reply_stop(api, &stop, 201);
}

/* 0.01, 0.1 or 1, exactly. */
static bool read_share(struct api *api, const struct json_node *body, uint32_t *out)
{
    struct decimal share;
    const struct json_node *node = json_get(body, "share");
    static const uint32_t steps[] = {100, 1000, GATE_SHARE_WHOLE};
    for (size_t i = 0; node && node->kind == JSON_NUMBER && decimal_parse(node->text, &share) && i < ARRAY_COUNT(steps); i++)
        if (decimal_compare(share, share_of(steps[i])) == 0) {
            *out = steps[i];
            return true;
        }
    api_error(api, 400, "invalid", "share is the next step: 0.01, 0.1 or 1");
    return false;
}

/* By a person who is signed in: a program's token cannot stand for a pair of eyes. */
void api_gate_stop_reopen(struct api *api)
{
    struct err err;
    struct gate_stop stop;
    uint32_t share;
    if (api->caller.is_token || !api->caller.user.name.len) {
        api_error(api, 403, "denied", "what is stopped is reopened by people who are signed in");
        return;
    }
    const struct json_node *body = api_body(api);
    if (!body || !read_share(api, body, &share))
        return;
    int result = gate_stop_reopen(api->parts->gate, api->param, share, api->caller.user.name, api->arena, &stop, &err);
    if (api_did(api, "gate.reopen", api->param, api_text(body, "share"), result, &err))
        reply_stop(api, &stop, 200);
}

/* The signature is what counts; who carries it only needs to be known here. */
void api_gate_stop_approve(struct api *api)
{
    struct err err;
    struct gate_signature signature;
    struct gate_stop stop;
    uint32_t share;
    const struct json_node *body = api_body(api);
    if (!body || !read_share(api, body, &share))
        return;
    if (!api_signature_read(api, body, "stop", &signature, &err)) {
        api_reply_err(api, &err);
        return;
    }
    int result = gate_stop_reopen_signed(api->parts->gate, api->param, share, &signature, api->arena, &stop, &err);
    if (api_did(api, "gate.reopen_signed", api->param, signature.approver, result, &err))
        reply_stop(api, &stop, 200);
}
