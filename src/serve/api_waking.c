/* Waking people: the plan, who is on call, contacts, swaps, tests, drills. */
#include "serve/api.h"

#include "base/limits.h"
#include "base/time.h"

enum { SHIFT_DAYS_DEFAULT = 7, SHIFT_DAYS_MAX = 92, PAGES_DEFAULT = 50, PAGES_MAX = 500,
       INTERRUPTION_DAYS_DEFAULT = 28, INTERRUPTION_DAYS_MAX = 400 };

static void reply_or_err(struct api *api, int result, const struct err *err)
{
    if (result < 0)
        api_reply_err(api, err);
    else
        api_reply(api, 200);
}

static int64_t now_of(const struct api *api)
{
    return clock_wall_ns(api->parts->clock);
}

/* ---- all of it, for the page ---- */

void api_waking(struct api *api)
{
    struct err err;
    struct respond *respond = api->parts->respond;
    int64_t now = now_of(api);
    json_open(&api->json, '{');
    json_key(&api->json, "on_call");
    int result = respond_shifts_json(respond, now, now, &api->json, &err);
    json_key(&api->json, "stand_ins");
    result = result < 0 ? -1 : respond_stand_ins_json(respond, &api->json, &err);
    json_key(&api->json, "notifiers");
    respond_notifiers_json(respond, &api->json);
    json_key(&api->json, "pages");
    result = result < 0 ? -1 : respond_pages_json(respond, api_number(api, "pages", PAGES_DEFAULT, PAGES_MAX), &api->json, &err);
    json_close(&api->json, '}');
    reply_or_err(api, result, &err);
}

void api_waking_plan(struct api *api)
{
    struct err err;
    reply_or_err(api, respond_plan_json(api->parts->respond, &api->json, &err), &err);
}

void api_waking_plan_put(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice text = api_text(body, "text");
    if (json_bool_of(json_get(body, "check_only"), false)) {
        if (respond_plan_check(api->parts->respond, text.ptr ? text : SLICE(""), &err) < 0)
            api_reply_err(api, &err);
        else
            api_waking_plan(api);
        return;
    }
    int result = respond_plan_edit(api->parts->respond, text.ptr ? text : SLICE(""), api->caller.user.name, &err);
    if (api_did(api, "waking.plan", SLICE(""), text, result, &err))
        api_waking_plan(api);
}

void api_waking_shifts(struct api *api)
{
    struct err err;
    int64_t from = now_of(api), days = api_number(api, "days", SHIFT_DAYS_DEFAULT, SHIFT_DAYS_MAX);
    bool zone;
    struct slice text = http_param(api->request, "from");
    if (text.len && !time_parse_rfc3339(text, &from, &zone)) {
        api_error(api, 400, "invalid", "from is a time such as 2026-11-23T09:00:00Z");
        return;
    }
    reply_or_err(api, respond_shifts_json(api->parts->respond, from, from + days * NS_PER_DAY, &api->json, &err), &err);
}

void api_waking_drills(struct api *api)
{
    struct err err;
    int64_t limit = api_number(api, "limit", PAGES_DEFAULT, PAGES_MAX);
    reply_or_err(api, respond_drills_json(api->parts->respond, limit, &api->json, &err), &err);
}

void api_waking_interruptions(struct api *api)
{
    struct err err;
    int64_t days = api_number(api, "days", INTERRUPTION_DAYS_DEFAULT, INTERRUPTION_DAYS_MAX);
    reply_or_err(api, respond_interruptions_json(api->parts->respond, days ? days : 1, &api->json, &err), &err);
}

/* ---- contacts: one's own, or by an administrator ---- */

static bool may_touch(struct api *api)
{
    if (slice_equal(api->param, api->caller.user.name) || role_allows(api->caller.role, ROLE_ADMIN))
        return true;
    api_error(api, 403, "denied", "only your own contacts, or as an administrator");
    return false;
}

void api_waking_contacts(struct api *api)
{
    struct err err;
    if (may_touch(api))
        reply_or_err(api, respond_contacts_json(api->parts->respond, api->param, &api->json, &err), &err);
}

static int read_contacts(const struct json_node *body, struct respond_contact *to, size_t *count, struct err *err)
{
    const struct json_node *list = json_get(body, "contacts");
    *count = 0;
    if (!list || list->kind != JSON_ARRAY || list->count > CONTACTS_MAX)
        return err_set(err, ERR_CONFIG, "contacts is a list of at most %d", CONTACTS_MAX);
    for (const struct json_node *node = list->first; node; node = node->next) {
        struct respond_contact *contact = &to[(*count)++];
        if (json_want_text(node, "notifier", &contact->notifier, err) < 0)
            return -1;
        contact->address = json_text_of(json_get(node, "address"), SLICE(""));
    }
    return 0;
}

void api_waking_contacts_put(struct api *api)
{
    struct err err;
    struct respond_contact contacts[CONTACTS_MAX];
    size_t count;
    const struct json_node *body = may_touch(api) ? api_body(api) : NULL;
    if (!body)
        return;
    int result = read_contacts(body, contacts, &count, &err) < 0
                     ? -1
                     : respond_contacts_set(api->parts->respond, api->param, contacts, count, &err);
    if (api_did(api, "waking.contacts", api->param, SLICE(""), result, &err))
        api_waking_contacts(api);
}

void api_waking_test(struct api *api)
{
    struct err err;
    if (!may_touch(api))
        return;
    int result = respond_test(api->parts->respond, api->param, &api->json, &err);
    if (api_did(api, "waking.test", api->param, SLICE(""), result, &err))
        api_reply(api, 200);
}

/* ---- swaps and absences ---- */

static int read_stand_in(const struct json_node *body, struct respond_stand_in *out, struct err *err)
{
    struct slice from, to;
    bool zone;
    *out = (struct respond_stand_in){.schedule = api_text(body, "schedule"), .away = api_text(body, "away"),
                                     .instead = api_text(body, "instead")};
    if (json_want_text(body, "from", &from, err) < 0 || json_want_text(body, "to", &to, err) < 0 ||
        json_want_text(body, "reason", &out->reason, err) < 0)
        return -1;
    if (!time_parse_rfc3339(from, &out->from_ns, &zone) || !zone || !time_parse_rfc3339(to, &out->to_ns, &zone) || !zone)
        return err_set(err, ERR_CONFIG, "from and to are times with a zone, such as 2026-11-23T09:00:00+09:00");
    return 0;
}

/* People arrange what concerns themselves; an administrator arranges anything. */
static bool is_party(const struct api *api, const struct respond_stand_in *wish)
{
    struct slice me = api->caller.user.name;
    return slice_equal(wish->away, me) || slice_equal(wish->instead, me) || role_allows(api->caller.role, ROLE_ADMIN);
}

void api_waking_stand_ins_add(struct api *api)
{
    struct err err;
    struct respond_stand_in wish;
    int64_t id;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_stand_in(body, &wish, &err);
    wish.by = api->caller.user.name;
    if (result == 0 && !is_party(api, &wish))
        result = err_set(&err, ERR_DENIED, "only those whom it concerns, or an administrator, arrange this");
    if (result == 0)
        result = respond_stand_in_add(api->parts->respond, &wish, &id, &err);
    if (api_did(api, "waking.stand_in", wish.schedule, wish.reason, result, &err))
        api_waking(api);
}

void api_waking_stand_ins_end(struct api *api)
{
    struct err err;
    int64_t id = 0;
    int result = slice_to_i64(api->param, &id) ? respond_stand_in_end(api->parts->respond, id, api->caller.user.name, &err)
                                               : err_set(&err, ERR_NOT_FOUND, "there is no such swap or absence");
    if (api_did(api, "waking.stand_in_end", api->param, SLICE(""), result, &err))
        api_waking(api);
}
