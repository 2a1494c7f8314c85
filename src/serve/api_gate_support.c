/* What support staff may say to a customer whose request waits. */
#include "serve/api.h"

static void reply(struct api *api, struct slice id, struct slice request_id)
{
    struct err err;
    struct gate_support said;
    struct json *json = &api->json;
    if (gate_support(api->parts->gate, id, request_id, api->arena, &said, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "request_id", said.request_id);
    json_put_text(json, "state", slice_text(gate_support_state_name(said.state)));
    json_key(json, "text");
    json_open(json, '{');
    json_put_text(json, "en", said.en);
    json_put_text(json, "ja", said.ja);
    json_close(json, '}');
    json_put_time_or_null(json, "since", said.since_ns);
    json_key(json, "usual_minutes");
    if (said.minutes)
        json_i64(json, said.minutes);
    else
        json_null(json);
    json_put_text_or_null(json, "minutes_from", !said.minutes ? SLICE("") : said.minutes_learned ? SLICE("releases") : SLICE("policy"));
    json_close(json, '}');
    api_reply(api, 200);
}

/* By the number that the customer has, too: who may see no more of the gate needs no more. */
void api_gate_support(struct api *api)
{
    struct slice request_id = http_param(api->request, "request_id");
    if (request_id.len)
        reply(api, SLICE_NONE, request_id);
    else
        api_error(api, 400, "bad_request", "request_id is needed");
}

void api_gate_hold_support(struct api *api)
{
    reply(api, api->param, SLICE_NONE);
}
