/* What a policy would have held of what is stored: started, looked at, ended (docs/gate-whatif.md). */
#include "serve/api.h"
#include "serve/whatif_jobs.h"

#include "base/limits.h"
#include "base/time_modifier.h"
#include "flow/pipeline.h"
#include "gate/gate.h"

enum { LEARN_DAYS_MAX = 3660 };

/* "current": the policy in force; any other text is one. False: it has answered. */
static bool read_policy(struct api *api, const struct json_node *body, const char *key, struct whatif_policy *out)
{
    struct err err;
    struct slice text = api_text(body, key);
    if (!text.len)
        return true;
    *out = (struct whatif_policy){.name = key, .text = text};
    if (!slice_is(text, "current"))
        return true;
    out->name = "current";
    if (gate_policy_text(api->parts->gate, api->arena, &out->text, &err) == 0)
        return true;
    api_reply_err(api, &err);
    return false;
}

static int read_time(struct api *api, const struct json_node *body, const char *key, int64_t *out, struct err *err)
{
    const struct zone *zone;
    struct slice text = api_text(body, key);
    *out = 0;
    if (!text.len)
        return 0;
    return api_zone(api, api_text(body, "tz"), &zone, err) < 0 ? -1
                                                               : time_modifier_read(text, clock_wall_ns(api->parts->clock), zone, out, err);
}

static int read_number(const struct json_node *body, const char *key, int64_t most, int64_t *out, struct err *err)
{
    const struct json_node *node = json_get(body, key);
    if (!node || node->kind == JSON_NULL)
        return 0;
    *out = json_i64_of(node, -1);
    if (*out < 0 || *out > most)
        return err_set(err, ERR_CONFIG, "%s is a number from 0 to %lld", key, (long long)most);
    return 0;
}

static int read_request(struct api *api, const struct json_node *body, struct whatif_request *out, struct err *err)
{
    int64_t learn_days = WHATIF_LEARN_DAYS;
    out->config.hold_minutes = WHATIF_HOLD_MINUTES;
    out->labels = json_get(body, "labels");
    if (out->labels && out->labels->kind == JSON_NULL)
        out->labels = NULL;
    if (out->labels && out->labels->kind != JSON_ARRAY)
        return err_set(err, ERR_CONFIG, "labels is an array of objects with withdrawal_id, request_id, account or address");
    if (read_time(api, body, "from", &out->from_ns, err) < 0 || read_time(api, body, "to", &out->to_ns, err) < 0 ||
        read_number(body, "hold_minutes", WHATIF_MINUTES_MAX, &out->config.hold_minutes, err) < 0 ||
        read_number(body, "stop_minutes", WHATIF_MINUTES_MAX, &out->config.stop_minutes, err) < 0 ||
        read_number(body, "learn_days", LEARN_DAYS_MAX, &learn_days, err) < 0)
        return -1;
    out->config.count_from_ns = out->from_ns;
    out->learn_ns = learn_days * NS_PER_DAY;
    return 0;
}

void api_gate_whatif_start(struct api *api)
{
    struct err err;
    char id[WHATIF_JOB_ID_SIZE] = "";
    struct whatif_request request = {.owner = api->caller.user.name};
    const struct json_node *body = api_body(api);
    if (!body || !read_policy(api, body, "policy", &request.config.policies[0]) ||
        !read_policy(api, body, "against", &request.config.policies[1]))
        return;
    if (!request.config.policies[0].name) {
        api_error(api, 400, "bad_request", "policy is the text of a policy, or \"current\"");
        return;
    }
    err_clear(&err);
    request.book = pipeline_hold_rules(api->parts->pipeline);
    int result = read_request(api, body, &request, &err);
    if (result == 0)
        result = whatif_jobs_start(api->whatifs, &request, id, &err);
    rulebook_release(request.book);
    if (!api_looked(api, "gate.whatif", slice_text(id), api_text(body, "from").ptr ? api_text(body, "from") : SLICE(""), result, &err))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "id", slice_text(id));
    json_close(&api->json, '}');
    api_reply(api, 201);
}

void api_gate_whatifs(struct api *api)
{
    json_open(&api->json, '{');
    json_key(&api->json, "whatifs");
    whatif_jobs_list(api->whatifs, &api->json);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_gate_whatif(struct api *api)
{
    struct err err;
    if (whatif_jobs_page(api->whatifs, api->param, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_gate_whatif_end(struct api *api)
{
    struct err err;
    if (whatif_jobs_end(api->whatifs, api->param, &err) < 0)
        api_reply_err(api, &err);
    else
        api_no_content(api);
}
