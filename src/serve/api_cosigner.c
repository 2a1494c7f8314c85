/* An API co-signer of Fireblocks asks before it signs or takes a change of the configuration. Who asks is said by the question's own
 * signature; there is no session and no token. */
#include "serve/api.h"
#include "serve/cosigner.h"

#include "base/limits.h"

enum { WAIT_MS = 1000 };

static void reply(struct api *api, struct slice request_id, const struct cosigner_verdict *verdict, int64_t now_ns)
{
    struct err err;
    buffer_clear(&api->body);
    if (cosigner_answer(api->parts->cosigner, request_id, verdict, now_ns, &api->body, &err) < 0)
        api_reply_err(api, &err);
    else
        http_reply(api->request, 200, "text/plain; charset=utf-8", SLICE("Cache-Control: no-store\r\n"), buffer_slice(&api->body));
}

/* Nobody we know, or nothing that can be answered: in the audit trail, and no signed answer. */
static void refuse(struct api *api, const struct err *why)
{
    if (!api_record_claim(api, SLICE("co-signer"), "cosigner.refused", http_path(api->request), why))
        return;
    if (why->code == ERR_DENIED)
        api_error(api, 401, "unauthorized", why->text);
    else
        api_reply_err(api, why);
}

static void ask(struct api *api, enum cosigner_question question)
{
    struct err err;
    const struct cosigner *cosigner = api->parts->cosigner;
    const struct json_node *claims;
    struct gate_ask *asks;
    size_t count;
    if (!cosigner) {
        api_error(api, 404, "not_found", "no co-signer is configured (fireblocks:)");
        return;
    }
    if (cosigner_claims(cosigner, http_body(api->request), clock_wall_ns(api->parts->clock), api->arena, &claims, &err) < 0) {
        refuse(api, &err);
        return;
    }
    struct slice request_id = json_text_of(json_get(claims, "requestId"), SLICE_NONE);
    if (!request_id.len) {
        err_set(&err, ERR_INPUT, "the question has no requestId");
        refuse(api, &err);
        return;
    }
    struct cosigner_verdict verdict;
    if (cosigner_asks(cosigner, question, claims, api->arena, &asks, &count, &err) < 0) {
        verdict = (struct cosigner_verdict){err.code == ERR_NOMEM ? COSIGNER_RETRY : COSIGNER_REJECT, slice_text(err.text)};
    } else {
        gate_decide_many(api->parts->gate, asks, count, WAIT_MS, api->arena);
        verdict = cosigner_judge(cosigner, asks, count, clock_wall_ns(api->parts->clock), api->arena);
    }
    reply(api, request_id, &verdict, clock_wall_ns(api->parts->clock));
}

void api_cosigner_transaction(struct api *api)
{
    ask(api, COSIGNER_TRANSACTION);
}

void api_cosigner_config_change(struct api *api)
{
    ask(api, COSIGNER_CONFIG_CHANGE);
}
