/* Users and tokens; administrators only. */
#include "serve/api.h"

#include "base/time.h"

static void put_time(struct api *api, const char *key, int64_t time_ns)
{
    json_key(&api->json, key);
    if (time_ns)
        json_time(&api->json, time_ns);
    else
        json_null(&api->json);
}

static void put_token(void *context, const struct token *token)
{
    struct api *api = context;
    if (token->revoked)
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "id", token->id);
    json_put_text(&api->json, "name", token->name);
    json_put_text(&api->json, "kind", token->kind);
    json_put_text_or_null(&api->json, "role", token->role == ROLE_NONE ? SLICE_NONE : slice_text(role_name(token->role)));
    json_put_text_or_null(&api->json, "stream", token->stream);
    json_put_text_or_null(&api->json, "networks", token->networks);
    json_put_text_or_null(&api->json, "time_zone", token->zone);
    json_put_i64(&api->json, "events_per_second", token->events_per_second);
    put_time(api, "expires", token->expires_ns);
    put_time(api, "last_used", token->used_ns);
    json_close(&api->json, '}');
}

void api_tokens(struct api *api)
{
    struct err err;
    json_open(&api->json, '{');
    json_key(&api->json, "tokens");
    json_open(&api->json, '[');
    if (tokens_list(api->parts->database, api->arena, put_token, api, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_tokens_add(struct api *api)
{
    struct err err;
    char text[TOKEN_TEXT_SIZE];
    bool zone;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct token token = {.name = api_text(body, "name"), .kind = api_text(body, "kind"),
                          .role = role_parse(api_text(body, "role")),
                          .stream = api_text(body, "stream"), .dataset = api_text(body, "dataset"),
                          .networks = api_text(body, "networks"), .zone = api_text(body, "time_zone"),
                          .events_per_second = json_i64_of(json_get(body, "events_per_second"), 0)};
    struct slice expires = api_text(body, "expires");
    if (expires.len && !time_parse_rfc3339(expires, &token.expires_ns, &zone)) {
        api_error(api, 400, "bad_request", "expires is a time such as 2027-01-01T00:00:00Z");
        return;
    }
    if (!token.stream.len)
        token.stream = SLICE("main");
    int result = tokens_add(api->parts->database, api->parts->clock, &token, text, &err);
    struct slice id = result == 0 ? tokens_id(slice_text(text)) : SLICE("");
    struct slice what = arena_printf(api->arena, "%.*s %.*s", SLICE_ARG(token.kind), SLICE_ARG(token.name));
    if (!api_did(api, "token.add", id, what, result, &err))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "id", id);
    json_put_text(&api->json, "token", slice_text(text));
    json_close(&api->json, '}');
    api_reply(api, 201);
}

void api_tokens_revoke(struct api *api)
{
    struct err err;
    int result = tokens_revoke(api->parts->database, api->param, &err);
    if (api_did(api, "token.revoke", api->param, SLICE(""), result, &err))
        api_no_content(api);
}

static void put_listed_user(void *context, const struct user *user)
{
    struct api *api = context;
    json_open(&api->json, '{');
    json_put_text(&api->json, "name", user->name);
    json_put_text(&api->json, "role", slice_text(role_name(user->role)));
    json_put_text_or_null(&api->json, "language", user->language);
    json_put_bool(&api->json, "disabled", user->disabled);
    json_close(&api->json, '}');
}

void api_users(struct api *api)
{
    struct err err;
    json_open(&api->json, '{');
    json_key(&api->json, "users");
    json_open(&api->json, '[');
    if (users_list(api->parts->database, api->arena, put_listed_user, api, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_users_add(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice name = api_text(body, "name"), password = api_text(body, "password");
    enum role role = role_parse(api_text(body, "role"));
    if (!name.ptr || !password.ptr) {
        api_error(api, 400, "bad_request", "a name, a password and a role are needed");
        return;
    }
    int result = users_add(api->parts->database, api->parts->clock, name, password, role, &err);
    if (!api_did(api, "user.add", name, slice_text(role_name(role)), result, &err))
        return;
    struct user user = {.name = name, .role = role};
    put_listed_user(api, &user);
    api_reply(api, 201);
}
