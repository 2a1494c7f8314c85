/* The gate: asking for a decision, what was decided, what is held, and letting it go. */
#include "serve/api_gate.h"
#include "serve/api_signature.h"

#include "base/time.h"
#include "gate/gate_request.h"
#include "gate/payload.h"

#include <sodium.h>

enum { GATE_WAIT_MS = 1000, GATE_HOLDS_MAX = 10000 };

/* ---- answers as JSON ---- */

static void put_reasons(struct json *json, const struct gate_answer *answer)
{
    json_key(json, "reasons");
    json_open(json, '{');
    json_key(json, "en");
    json_open(json, '[');
    for (size_t i = 0; i < answer->reason_count; i++)
        json_text(json, answer->reasons_en[i]);
    json_close(json, ']');
    json_key(json, "ja");
    json_open(json, '[');
    for (size_t i = 0; i < answer->reason_count; i++)
        json_text(json, answer->reasons_ja[i]);
    json_close(json, ']');
    json_close(json, '}');
}

void api_gate_put_judged(struct json *json, const struct gate_answer *answer)
{
    json_put_text_or_null(json, "id", slice_text(answer->id));
    json_put_text(json, "decision", slice_text(gate_decision_name(answer->decision)));
    json_put_text(json, "row", answer->row);
    put_reasons(json, answer);
    json_put_text_or_null(json, "incident", answer->incident);
    json_put_text_or_null(json, "policy_version", answer->policy_version);
    json_put_time_or_null(json, "at", answer->at_ns);
    json_put_bool(json, "shadow", answer->shadow);
}

void api_gate_put_answer(struct json *json, const struct gate_answer *answer)
{
    api_gate_put_judged(json, answer);
    json_put_text_or_null(json, "token", answer->token);
    json_put_time_or_null(json, "token_expires", answer->token.len ? answer->token_expiry_ns : 0);
}

void api_gate_decide(struct api *api)
{
    struct err err;
    struct gate_request request;
    struct gate_answer answer;
    const struct caller *caller = &api->caller;
    bool may = caller->is_token && slice_is(caller->token_kind, "gate");
    if (!may && !role_allows(caller->role, ROLE_RESPONDER)) {
        api_error(api, caller->known ? 403 : 401, caller->known ? "denied" : "unauthorized",
                  "a token of kind gate is needed");
        return;
    }
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    if (gate_request_read(body, api->arena, &request, &err) < 0 ||
        gate_decide(api->parts->gate, &request, GATE_WAIT_MS, api->arena, &answer, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_open(&api->json, '{');
    api_gate_put_answer(&api->json, &answer);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* ---- how it stands, and its policy ---- */

static void put_policy(struct json *json, const struct gate_policy_info *info)
{
    json_key(json, "policy");
    json_open(json, '{');
    json_put_text(json, "path", info->path);
    json_put_text_or_null(json, "version", info->version);
    json_put_text_or_null(json, "digest", info->digest);
    json_put_time_or_null(json, "loaded", info->loaded_ns);
    json_put_i64(json, "approvers", (int64_t)info->approvers);
    json_put_text_or_null(json, "refused", info->refused);
    json_put_time_or_null(json, "refused_at", info->refused_ns);
    json_close(json, '}');
}

void api_gate_state(struct api *api)
{
    struct err err;
    struct gate_policy_info info;
    struct gate_stats stats = gate_stats(api->parts->gate);
    struct json *json = &api->json;
    if (gate_policy(api->parts->gate, api->arena, &info, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "mode", stats.shadow ? SLICE("shadow") : SLICE("enforce"));
    json_put_text(json, "mode_set_by", stats.mode == GATE_MODE_POLICY ? SLICE("policy") : SLICE("configuration"));
    json_put_bool(json, "healthy", stats.healthy);
    json_put_text(json, "reason", slice_text(stats.reason));
    json_put_i64(json, "decisions", (int64_t)stats.decisions);
    json_put_i64(json, "allowed", (int64_t)stats.allowed);
    json_put_i64(json, "held", (int64_t)stats.held);
    json_put_i64(json, "denied", (int64_t)stats.denied);
    json_put_i64(json, "would_have_held", (int64_t)stats.shadow_held);
    json_put_i64(json, "would_have_denied", (int64_t)stats.shadow_denied);
    json_put_i64(json, "holds_open", (int64_t)stats.holds_open);
    json_put_i64(json, "stops", (int64_t)stats.stops);
    json_put_bool(json, "tightened", stats.tightened);
    put_policy(json, &info);
    json_close(json, '}');
    api_reply(api, 200);
}

void api_gate_policy_reload(struct api *api)
{
    struct err err;
    int result = gate_policy_reload(api->parts->gate, api->caller.user.name, &err);
    if (api_did(api, "gate.policy_reload", SLICE(""), SLICE(""), result, &err))
        api_gate_state(api);
}

void api_gate_tightening(struct api *api)
{
    struct err err;
    struct gate_tightening now;
    if (gate_tightening(api->parts->gate, api->arena, &now, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_open(&api->json, '{');
    json_put_bool(&api->json, "on", now.on);
    json_put_text_or_null(&api->json, "cause", now.cause);
    json_put_time_or_null(&api->json, "since", now.since_ns);
    json_put_text_or_null(&api->json, "undone_by", now.undone_by);
    json_put_time_or_null(&api->json, "undone", now.undone_ns);
    json_put_text_or_null(&api->json, "reason", now.reason);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_gate_loosen(struct api *api)
{
    struct err err;
    if (api->caller.is_token || !api->caller.user.name.len) {
        api_error(api, 403, "denied", "the gate is loosened by people who are signed in");
        return;
    }
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice reason = api_text(body, "reason");
    int result = gate_loosen(api->parts->gate, api->caller.user.name, reason, &err);
    if (api_did(api, "gate.loosen", SLICE(""), reason, result, &err))
        api_gate_tightening(api);
}

/* ---- decisions ---- */

static void put_request(struct json *json, const struct gate_request *request)
{
    char amount[DECIMAL_TEXT_SIZE];
    size_t len = request->has_amount ? decimal_format(request->amount, amount) : 0;
    json_put_text(json, "request_id", request->request_id);
    json_put_text(json, "action", request->action);
    json_put_text_or_null(json, "account", request->account);
    json_put_text_or_null(json, "asset", request->asset);
    json_put_text_or_null(json, "amount", slice_of(amount, len));
    json_put_text_or_null(json, "wallet", request->wallet);
    json_put_text_or_null(json, "destination", request->destination);
}

static void put_decision(void *context, const struct gate_request *request,
                         const struct gate_answer *answer)
{
    struct json *json = context;
    json_open(json, '{');
    json_put_time(json, "time", answer->decided_ns);
    put_request(json, request);
    api_gate_put_judged(json, answer);
    json_close(json, '}');
}

void api_gate_decisions(struct api *api)
{
    int64_t limit = api_number(api, "limit", 100, GATE_DECISIONS_KEPT);
    json_open(&api->json, '{');
    json_key(&api->json, "decisions");
    json_open(&api->json, '[');
    gate_decisions(api->parts->gate, (size_t)limit, put_decision, &api->json);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* ---- holds ---- */

struct hold_page {
    struct json *json;
    int64_t shown, total;
};

static void put_one_reason(struct json *json, const char *language, struct slice text)
{
    json_key(json, language);
    json_open(json, '[');
    if (text.len)
        json_text(json, text);
    json_close(json, ']');
}

static void put_hold(struct json *json, const struct gate_hold *hold)
{
    json_put_text(json, "id", hold->id);
    json_put_time(json, "time", hold->held_ns);
    put_request(json, &hold->request);
    json_put_text(json, "decision", SLICE("hold"));
    json_put_text(json, "row", hold->row);
    json_key(json, "reasons");
    json_open(json, '{');
    put_one_reason(json, "en", hold->reason_en);
    put_one_reason(json, "ja", hold->reason_ja);
    json_close(json, '}');
    json_put_text_or_null(json, "incident", hold->incident);
    json_put_i64(json, "approvals", hold->approvals);
    json_put_i64(json, "approvals_needed", hold->approvals_needed);
}

static void put_listed(void *context, const struct gate_hold *hold)
{
    struct hold_page *page = context;
    if (page->total++ >= GATE_HOLDS_MAX)
        return;
    json_open(page->json, '{');
    put_hold(page->json, hold);
    json_close(page->json, '}');
}

void api_gate_holds(struct api *api)
{
    struct hold_page page = {.json = &api->json};
    json_open(&api->json, '{');
    json_key(&api->json, "holds");
    json_open(&api->json, '[');
    gate_holds(api->parts->gate, SLICE_NONE, put_listed, &page);
    json_close(&api->json, ']');
    json_put_i64(&api->json, "total", page.total);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* The bytes, and what they do as this server reads them; whoever signs reads them again. */
static void put_payload(struct api *api, struct slice payload)
{
    struct effects effects;
    struct json *json = &api->json;
    bool any = payload.len && effects_read(payload, api->arena, &effects);
    json_put_text_or_null(json, "payload", any ? payload_to_text(payload, api->arena) : SLICE_NONE);
    json_key(json, "payload_effects");
    json_open(json, '[');
    for (size_t i = 0; any && i < effects.count; i++)
        json_text(json, effect_text(&effects.list[i], api->arena));
    json_close(json, ']');
}

/* All that was asked, so that a person elsewhere can judge and sign it (hinomi approve). */
void api_gate_hold(struct api *api)
{
    struct err err;
    struct gate_hold hold;
    struct json *json = &api->json;
    char id[GATE_ID_SIZE];
    if (gate_hold_get(api->parts->gate, api->param, api->arena, &hold, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_open(json, '{');
    put_hold(json, &hold);
    gate_id(api->parts->gate, id);
    json_put_text_or_null(json, "gate", slice_text(id));
    json_put_text_or_null(json, "nonce", hold.request.nonce);
    json_put_time_or_null(json, "at", hold.request.at_ns);
    json_put_time_or_null(json, "expiry", hold.request.expiry_ns);
    put_payload(api, hold.request.payload);
    json_key(json, "approvers");
    json_open(json, '[');
    for (uint32_t i = 0; i < hold.approvals; i++)
        json_text(json, hold.approvers[i]);
    json_close(json, ']');
    json_close(json, '}');
    api_reply(api, 200);
}

static void reply_approved(struct api *api, bool released)
{
    json_open(&api->json, '{');
    json_put_text(&api->json, "id", api->param);
    json_put_bool(&api->json, "released", released);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* By a person who is signed in: a program's token cannot stand for a pair of eyes. */
void api_gate_release(struct api *api)
{
    struct err err;
    bool released;
    if (api->caller.is_token || !api->caller.user.name.len) {
        api_error(api, 403, "denied", "a hold is released by people who are signed in");
        return;
    }
    int result = gate_approve(api->parts->gate, api->param, api->caller.user.name, &released, &err);
    if (!api_did(api, "gate.approve", api->param,
                 result == 0 && released ? SLICE("released") : SLICE(""), result, &err))
        return;
    reply_approved(api, released);
}

/* ---- approvals that were signed elsewhere ---- */

bool api_signature_read(const struct api *api, const struct json_node *body, const char *about, struct gate_signature *out,
                        struct err *err)
{
    bool zone;
    size_t len = 0;
    struct slice signature = api_text(body, "signature"), expires = api_text(body, "expires");
    struct slice object = api_text(body, about);
    *out = (struct gate_signature){.approver = api_text(body, "approver")};
    if (!object.ptr || !slice_equal(object, api->param))
        err_set(err, ERR_CONFIG, "this approval is for another %s: %.*s", about, SLICE_ARG(object.ptr ? object : SLICE("-")));
    else if (!expires.ptr || !time_parse_rfc3339(expires, &out->expires_ns, &zone) || !zone)
        err_set(err, ERR_CONFIG, "expires is a time such as 2026-01-26T00:02:13Z");
    else if (!signature.ptr ||
             sodium_base642bin(out->bytes, sizeof(out->bytes), signature.ptr, signature.len, NULL,
                               &len, NULL, sodium_base64_VARIANT_ORIGINAL) < 0 ||
             len != sizeof(out->bytes))
        err_set(err, ERR_CONFIG, "signature is no Ed25519 signature in base64");
    else
        return true;
    return false;
}

/* NULL: it is answered what is wrong. */
static const struct json_node *read_signature(struct api *api, struct gate_signature *out)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body || api_signature_read(api, body, "hold", out, &err))
        return body;
    api_reply_err(api, &err);
    return NULL;
}

/* The signature is what counts; who carries it only needs to be known here. */
void api_gate_approve(struct api *api)
{
    struct err err;
    struct gate_signature signature;
    bool released;
    if (!read_signature(api, &signature))
        return;
    int result =
        gate_approve_signed(api->parts->gate, api->param, &signature, &released, &err);
    if (api_did(api, "gate.approve_signed", api->param, signature.approver, result, &err))
        reply_approved(api, released);
}

/* As above, by one whom the policy names for that; the reason was signed, too. */
void api_gate_break_glass(struct api *api)
{
    struct err err;
    struct gate_signature signature;
    bool released;
    const struct json_node *body = read_signature(api, &signature);
    if (!body)
        return;
    struct slice reason = api_text(body, "break_glass");
    int result = gate_break_glass(api->parts->gate, api->param, &signature, reason.ptr ? reason : SLICE(""), &released, &err);
    if (api_did(api, "gate.break_glass", api->param, signature.approver, result, &err))
        reply_approved(api, released);
}
