/* Actions: what can be done, asking for it, approving it, taking it back (docs/actions.md). */
#include "base/limits.h"
#include "respond/act/act.h"
#include "serve/api.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000 };

void api_actions(struct api *api)
{
    struct err err;
    int64_t limit = api_number(api, "limit", LIST_DEFAULT, LIST_MAX);
    if (act_list_json(api->parts->act, http_param(api->request, "incident"), limit, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

static void reply_order(struct api *api, int64_t id, int status)
{
    struct err err;
    if (act_order_json(api->parts->act, id, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, status);
}

void api_action(struct api *api)
{
    struct err err;
    int64_t id;
    if (act_parse_name(api->param, &id, &err) < 0)
        api_reply_err(api, &err);
    else
        reply_order(api, id, 200);
}

/* ---- asking ---- */

static int read_entities(struct api *api, const struct json_node *list, struct act_request *to, struct err *err)
{
    size_t count = list && list->kind == JSON_ARRAY ? list->count : 0;
    struct entity *entities = arena_array(api->arena, count + 1, sizeof(*entities));
    if (!entities)
        return err_nomem(err);
    for (const struct json_node *node = count ? list->first : NULL; node; node = node->next)
        entities[to->entity_count++] = (struct entity){api_text(node, "type"), api_text(node, "value")};
    to->entities = entities;
    return 0;
}

static int read_request(struct api *api, const struct json_node *body, struct act_request *to, struct err *err)
{
    int64_t lasts_s = json_i64_of(json_get(body, "lasts_s"), 0);
    *to = (struct act_request){
        .action = api_text(body, "action"), .incident = api_text(body, "incident"), .reason = api_text(body, "reason"),
        .by = api->caller.user.name, .via = api->caller.is_token ? SLICE("token") : SLICE("session"),
        .key = http_header(api->request, "idempotency-key")};
    if (lasts_s < 0 || lasts_s > ACTION_LASTS_MAX_DAYS * (NS_PER_DAY / NS_PER_SECOND))
        return err_set(err, ERR_CONFIG, "lasts_s is a number of seconds, of at most %d days", ACTION_LASTS_MAX_DAYS);
    to->lasts_ns = lasts_s * NS_PER_SECOND;
    return read_entities(api, json_get(body, "entities"), to, err);
}

static int check_role(const struct api *api, struct slice action, bool approver, struct err *err)
{
    const struct act_settings *row = act_find(api->parts->act, action);
    if (!row)
        return err_set(err, ERR_NOT_FOUND, "there is no action %.*s in the configuration", SLICE_ARG(action));
    enum role need = approver ? row->approver_role : row->role;
    return role_allows(api->caller.role, need) ? 0 : err_set(err, ERR_DENIED, "this needs the role %s", role_name(need));
}

void api_action_ask(struct api *api)
{
    struct err err;
    struct act_request request;
    int64_t id = 0;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    bool dry = json_bool_of(json_get(body, "dry_run"), false);
    int result = read_request(api, body, &request, &err);
    if (result == 0)
        result = check_role(api, request.action, false, &err);
    if (result == 0)
        result = dry ? act_dry_run(api->parts->act, &request, &api->json, &err) : act_request(api->parts->act, &request, &id, &err);
    if (!api_did(api, dry ? "action.dry_run" : "action.request", request.action, request.reason, result, &err))
        return;
    if (dry)
        api_reply(api, 200);
    else
        reply_order(api, id, 201);
}

/* ---- what becomes of an order ---- */

static void change(struct api *api, const char *name, bool approver, int (*how)(struct act *act, int64_t id, struct slice person, struct err *err))
{
    struct err err;
    struct slice action = SLICE("");
    int64_t id = 0;
    int result = act_parse_name(api->param, &id, &err);
    if (result == 0)
        result = act_action_of(api->parts->act, id, api->arena, &action, &err);
    if (result == 0)
        result = check_role(api, action, approver, &err);
    if (result == 0 && approver && (api->caller.is_token || !api->caller.user.name.len))
        result = err_set(&err, ERR_DENIED, "an action is approved by people who are signed in");
    if (result == 0)
        result = how(api->parts->act, id, api->caller.user.name, &err);
    if (api_did(api, name, api->param, action, result, &err))
        reply_order(api, id, 200);
}

void api_action_approve(struct api *api)
{
    change(api, "action.approve", true, act_approve);
}

void api_action_undo(struct api *api)
{
    change(api, "action.undo", false, act_undo);
}

/* ---- block lists ---- */

/* For firewalls and proxies, with a token. */
void api_block_list(struct api *api)
{
    struct err err;
    struct buffer text;
    buffer_init(&text, BLOCK_LIST_BYTES_MAX);
    if (act_block_list(api->parts->act, api->param, &text, &err) < 0)
        api_reply_err(api, &err);
    else
        http_reply(api->request, 200, "text/plain; charset=utf-8", SLICE("Cache-Control: no-store\r\n"), buffer_slice(&text));
    buffer_close(&text);
}
