/* Incidents: looking at them, and what people do to them. */
#include "serve/api_incidents.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000, HELD_MAX = 1000 };

void api_incidents(struct api *api)
{
    struct err err;
    struct slice states = http_param(api->request, "state");
    int64_t limit = api_number(api, "limit", LIST_DEFAULT, LIST_MAX);
    if (respond_list_json(api->parts->respond, states, limit, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

struct held_list {
    struct arena *arena;
    struct respond_held *held; /* HELD_MAX */
    size_t count;
};

static void add_held(void *context, const struct gate_hold *hold)
{
    struct held_list *list = context;
    char amount[DECIMAL_TEXT_SIZE];
    size_t len = hold->request.has_amount ? decimal_format(hold->request.amount, amount) : 0;
    struct respond_held *held = &list->held[list->count];
    if (list->count == HELD_MAX)
        return;
    *held = (struct respond_held){arena_copy(list->arena, hold->id),
                                  arena_copy(list->arena, hold->request.request_id),
                                  arena_copy(list->arena, hold->request.asset),
                                  arena_copy(list->arena, slice_of(amount, len))};
    if (held->id.ptr && held->request_id.ptr && held->asset.ptr && held->amount.ptr)
        list->count++;
}

static void reply_incident(struct api *api)
{
    struct err err;
    struct held_list list = {.arena = api->arena};
    list.held = arena_array(api->arena, HELD_MAX, sizeof(*list.held));
    if (!list.held) {
        err_nomem(&err);
        api_reply_err(api, &err);
        return;
    }
    gate_holds(api->parts->gate, api->param, add_held, &list);
    if (respond_incident_json(api->parts->respond, api->param, list.held, list.count, &api->json,
                              &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_incident(struct api *api)
{
    reply_incident(api);
}

void api_incident_reply(struct api *api, const char *action, struct slice text, int result, const struct err *err)
{
    if (api_did(api, action, api->param, text, result, err))
        reply_incident(api);
}

void api_incident_acknowledge(struct api *api)
{
    struct err err;
    int result = respond_acknowledge(api->parts->respond, api->param, api->caller.user.name, &err);
    api_incident_reply(api, "incident.acknowledge", SLICE(""), result, &err);
}

void api_incident_ask_again(struct api *api)
{
    struct err err;
    int result = asker_again(api->parts->asker, api->param, &err);
    api_incident_reply(api, "incident.ask_again", SLICE(""), result, &err);
}
