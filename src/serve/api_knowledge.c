/*
 * Definitions for the search language: what there is, one of them, making and removing. Analysts make
 * their own, engineers what all have (docs/knowledge.md).
 */
#include "search/know_check.h"
#include "serve/api.h"
#include "serve/knowing.h"
#include "state/knowledge.h"

static void put_object(struct api *api, const struct know_object *object, bool text)
{
    struct json *json = &api->json;
    json_open(json, '{');
    json_put_text(json, "kind", slice_text(know_kind_name(object->kind)));
    json_put_text(json, "name", know_title(object, api->arena));
    json_put_text(json, "origin", slice_text(know_origin_name(object->origin)));
    json_put_text(json, "owner", object->owner);
    json_put_text(json, "place", object->place);
    json_put_text(json, "description", object->description.ptr ? object->description : SLICE(""));
    json_put_time_or_null(json, "updated", object->updated_ns);
    json_put_bool(json, "hides_another", know_visible(object->next, api->caller.user.name) != NULL);
    if (text)
        json_put_text(json, "text", object->text);
    json_close(json, '}');
}

void api_knowledge(struct api *api)
{
    struct slice kind = http_param(api->request, "kind");
    struct knowledge *set = knowing_hold(api->parts->knowing);
    const struct know_object *object;
    enum know_kind only = KNOW_MACRO;
    if (kind.len && !know_kind_by_name(kind, &only)) {
        api_error(api, 400, "bad_request", "kind is macro, lookup, data_model, event_type, tag, saved_search or dashboard");
        know_release(set);
        return;
    }
    json_open(&api->json, '{');
    json_key(&api->json, "definitions");
    json_open(&api->json, '[');
    for (size_t i = 0; (object = know_at(set, i)); i++) {
        object = know_visible(object, api->caller.user.name);
        if (object && (!kind.len || object->kind == only))
            put_object(api, object, false);
    }
    json_close(&api->json, ']');
    json_key(&api->json, "notes");
    json_open(&api->json, '[');
    for (const struct know_note *note = know_notes(set); note; note = note->next)
        if (note->wrong)
            json_text(&api->json, note->text);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    know_release(set);
    api_reply(api, 200);
}

static const struct know_object *find(struct api *api, const struct knowledge *set, enum know_kind kind,
                                      struct slice name)
{
    const struct know_object *object;
    for (size_t i = 0; (object = know_at(set, i)); i++) {
        object = know_visible(object, api->caller.user.name);
        if (object && object->kind == kind && slice_equal(know_title(object, api->arena), name))
            return object;
    }
    return NULL;
}

static bool read_kind(struct api *api, enum know_kind *out)
{
    if (know_kind_by_name(api->param, out))
        return true;
    api_error(api, 404, "not_found", "there is no such kind of definition");
    return false;
}

void api_knowledge_get(struct api *api)
{
    enum know_kind kind;
    if (!read_kind(api, &kind))
        return;
    struct knowledge *set = knowing_hold(api->parts->knowing);
    const struct know_object *object = find(api, set, kind, http_param(api->request, "name"));
    if (object)
        put_object(api, object, true);
    know_release(set);
    if (object)
        api_reply(api, 200);
    else
        api_error(api, 404, "not_found", "there is no definition of that kind and name");
}

static int check(struct api *api, struct slice text, enum know_kind kind, bool shared,
                 struct know_object *object, struct err *err)
{
    if (!text.ptr)
        return err_set(err, ERR_CONFIG, "the body needs \"text\", the definition as YAML");
    if (know_parse(text, api->arena, object, err) < 0)
        return -1;
    object->owner = api->caller.user.name;
    object->origin = shared ? KNOW_SHARED : KNOW_OWN;
    if (object->kind != kind)
        return err_set(err, ERR_CONFIG, "the text defines a %s, not a %s", know_kind_name(object->kind),
                       know_kind_name(kind));
    struct knowledge *set = knowing_hold(api->parts->knowing);
    int result = know_check_object(object, set, err);
    know_release(set);
    return result;
}

/* A scheduled search runs with the rights of its owner, a person: to name another one takes admin, and a
 * token, which may have any name, is nobody. */
static int may_own(const struct api *api, const struct know_object *object, struct err *err)
{
    const struct know_saved_search *saved = object->spec;
    if (object->kind != KNOW_SAVED_SEARCH || !saved->schedule)
        return 0;
    struct slice owner = saved->schedule->owner;
    bool names_another = owner.len && !(slice_equal(owner, api->caller.user.name) && !api->caller.is_token);
    if (names_another && !role_allows(api->caller.role, ROLE_ADMIN))
        return err_set(err, ERR_DENIED, "a schedule that names another owner takes the role admin");
    if (api->caller.is_token && !(owner.len && object->origin == KNOW_SHARED))
        return err_set(err, ERR_DENIED, "a token owns no scheduled search; share it and name a person as its owner");
    return 0;
}

/* Analysts may change their own; what others have as well takes an engineer. */
static int may_change(const struct api *api, bool shared, struct err *err)
{
    if (role_allows(api->caller.role, shared ? ROLE_ENGINEER : ROLE_ANALYST))
        return 0;
    return err_set(err, ERR_DENIED, "to change a definition that all have takes the role engineer");
}

void api_knowledge_put(struct api *api)
{
    struct err err;
    struct know_object object = {0};
    enum know_kind kind;
    const struct json_node *body = api_body(api);
    if (!body || !read_kind(api, &kind))
        return;
    err_clear(&err);
    bool shared = json_bool_of(json_get(body, "shared"), false);
    struct slice name = SLICE("");
    int result = may_change(api, shared, &err);
    if (result == 0)
        result = check(api, api_text(body, "text"), kind, shared, &object, &err);
    if (result == 0)
        result = may_own(api, &object, &err);
    if (result == 0) {
        name = know_title(&object, api->arena);
        struct kept_definition kept = {.kind = slice_text(know_kind_name(kind)), .name = name,
                                       .owner = api->caller.user.name, .shared = shared,
                                       .text = object.text};
        result = knowledge_put(api->parts->database, api->parts->clock, &kept, &err);
    }
    if (result == 0)
        result = knowing_reload(api->parts->knowing, &err);
    struct slice what = arena_printf(api->arena, "%s %.*s", know_kind_name(kind), SLICE_ARG(name));
    if (!api_did(api, "knowledge.put", what, shared ? SLICE("shared") : SLICE("own"), result, &err))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "kind", slice_text(know_kind_name(kind)));
    json_put_text(&api->json, "name", name);
    json_put_bool(&api->json, "shared", shared);
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_knowledge_remove(struct api *api)
{
    struct err err;
    enum know_kind kind;
    if (!read_kind(api, &kind))
        return;
    err_clear(&err);
    bool shared = api_number(api, "shared", 0, 1) == 1;
    struct kept_definition kept = {.kind = api->param, .name = http_param(api->request, "name"),
                                   .owner = api->caller.user.name, .shared = shared};
    int result = may_change(api, shared, &err);
    if (result == 0)
        result = knowledge_remove(api->parts->database, &kept, &err);
    if (result == 0)
        result = knowing_reload(api->parts->knowing, &err);
    struct slice what = arena_printf(api->arena, "%.*s %.*s", SLICE_ARG(kept.kind), SLICE_ARG(kept.name));
    if (api_did(api, "knowledge.remove", what, shared ? SLICE("shared") : SLICE("own"), result, &err))
        api_no_content(api);
}
