/* Exceptions and mutes: what people keep quiet, until when, and what it would have hidden. */
#include "serve/api.h"

#include "base/limits.h"
#include "base/time_modifier.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/exceptions.h"

enum { PREVIEW_DAYS = 30 };

static int add_term(struct exception_term *terms, size_t *count, const struct json_node *node, bool field, struct err *err)
{
    if (*count == EXCEPTION_TERMS_MAX)
        return err_set(err, ERR_CONFIG, "at most %d values can be named", EXCEPTION_TERMS_MAX);
    terms[(*count)++] = (struct exception_term){field, api_text(node, field ? "name" : "type"), api_text(node, "value")};
    return 0;
}

static int read_terms(struct api *api, const struct json_node *body, struct exception *exception, struct err *err)
{
    struct exception_term *terms = arena_array(api->arena, EXCEPTION_TERMS_MAX, sizeof(*terms));
    const struct json_node *entities = json_get(body, "entities"), *fields = json_get(body, "fields");
    if (!terms)
        return err_nomem(err);
    exception->terms = terms;
    for (const struct json_node *node = entities ? entities->first : NULL; node; node = node->next)
        if (add_term(terms, &exception->term_count, node, false, err) < 0)
            return -1;
    for (const struct json_node *node = fields ? fields->first : NULL; node; node = node->next)
        if (add_term(terms, &exception->term_count, node, true, err) < 0)
            return -1;
    return 0;
}

static int read_exception(struct api *api, const struct json_node *body, struct exception *exception, struct err *err)
{
    struct slice kind = api_text(body, "kind"), expires = api_text(body, "expires"), owner = api_text(body, "owner");
    *exception = (struct exception){.mute = slice_is(kind, "mute"), .rule = api_text(body, "rule"), .reason = api_text(body, "reason"),
                                    .owner = owner.len ? owner : api->caller.user.name, .added_by = api->caller.user.name,
                                    .finding = api_text(body, "finding")};
    if (kind.len && !exception->mute && !slice_is(kind, "exception"))
        return err_set(err, ERR_CONFIG, "kind is exception or mute, not \"%.*s\"", SLICE_ARG(kind));
    if (expires.len && time_modifier_read(expires, clock_wall_ns(api->parts->clock), NULL, &exception->expires_ns, err) < 0)
        return -1;
    return read_terms(api, body, exception, err) < 0 ? -1 : respond_exception_fill(api->parts->respond, exception, api->arena, err);
}

static void reply_exception(struct api *api, int64_t id, int status)
{
    struct err err;
    if (respond_exception_json(api->parts->respond, id, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, status);
}

void api_exceptions(struct api *api)
{
    struct err err;
    if (respond_exceptions_json(api->parts->respond, api_number(api, "all", 0, 1) == 1, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_exceptions_add(struct api *api)
{
    struct err err;
    struct exception exception;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int result = read_exception(api, body, &exception, &err);
    if (result == 0)
        result = respond_exception_add(api->parts->respond, &exception, &err);
    struct slice object = result == 0 ? arena_printf(api->arena, "%lld", (long long)exception.id) : exception.rule;
    if (api_did(api, exception.mute ? "mute.add" : "exception.add", object, exception.reason, result, &err))
        reply_exception(api, exception.id, 201);
}

void api_exceptions_preview(struct api *api)
{
    struct err err;
    struct exception exception;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    int64_t days = json_i64_of(json_get(body, "days"), PREVIEW_DAYS);
    int result = days < 1 || days > PREVIEW_DAYS_MAX ? err_set(&err, ERR_CONFIG, "days is a number from 1 to %d", PREVIEW_DAYS_MAX)
                                                     : read_exception(api, body, &exception, &err);
    if (result < 0 || respond_exception_preview_json(api->parts->respond, &exception, days, &api->json, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_exceptions_end(struct api *api)
{
    struct err err;
    int64_t id = 0;
    int result = slice_to_i64(api->param, &id) ? respond_exception_end(api->parts->respond, id, api->caller.user.name, &err)
                                               : err_set(&err, ERR_NOT_FOUND, "there is no exception %.*s", SLICE_ARG(api->param));
    if (api_did(api, "exception.end", api->param, SLICE(""), result, &err))
        reply_exception(api, id, 200);
}
