/* First start, signing in and out. */
#include "serve/api.h"

#include <sodium.h>

static void put_user(struct api *api, const struct user *user)
{
    json_key(&api->json, "user");
    json_open(&api->json, '{');
    json_put_text(&api->json, "name", user->name);
    json_put_text(&api->json, "role", slice_text(role_name(user->role)));
    json_key(&api->json, "language");
    if (user->language.ptr)
        json_text(&api->json, user->language);
    else
        json_null(&api->json);
    json_close(&api->json, '}');
}

static bool setup_required(struct api *api, bool *out)
{
    int64_t count;
    struct err err;
    if (users_count(api->parts->database, &count, &err) < 0) {
        api_reply_err(api, &err);
        return false;
    }
    *out = count == 0;
    return true;
}

void api_status(struct api *api)
{
    bool setup;
    if (!setup_required(api, &setup))
        return;
    json_open(&api->json, '{');
    json_put_text(&api->json, "version", SLICE(HINOMI_VERSION));
    json_put_bool(&api->json, "setup_required", setup);
    json_key(&api->json, "languages");
    json_raw(&api->json, SLICE("[\"ja\",\"en\"]"));
    json_close(&api->json, '}');
    api_reply(api, 200);
}

/* Signed in: a fresh session, its cookie, and who it is. */
static void begin_session(struct api *api, const struct user *user, int status)
{
    struct session session;
    struct err err;
    if (sessions_new(api->parts->database, api->parts->clock, user, &session, &err) < 0) {
        api_reply_err(api, &err);
        return;
    }
    bool tls = http_is_tls(api->request);
    struct slice headers = arena_printf(
        api->arena,
        "Set-Cookie: %shinomi_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s\r\n"
        "Cache-Control: no-store\r\n",
        tls ? "__Host-" : "", session.secret, (long long)(SESSION_MAX_NS / NS_PER_SECOND),
        tls ? "; Secure" : "");
    json_open(&api->json, '{');
    put_user(api, user);
    json_put_text(&api->json, "csrf", slice_text(session.csrf));
    json_close(&api->json, '}');
    http_reply(api->request, status, "application/json", headers, buffer_slice(&api->body));
}

static void begin_or_refuse(struct api *api, const struct user *user, int status, int result,
                            const struct err *err)
{
    if (result < 0)
        api_reply_err(api, err);
    else
        begin_session(api, user, status);
}

void api_setup(struct api *api)
{
    struct err err;
    struct user user;
    bool setup;
    const struct json_node *body = api_body(api);
    if (!body || !setup_required(api, &setup))
        return;
    struct slice code = api_text(body, "code"), name = api_text(body, "name");
    struct slice password = api_text(body, "password"), want = slice_text(api->parts->setup_code);
    if (!setup || !want.ptr) {
        api_error(api, 409, "done", "the first administrator exists already; sign in");
        return;
    }
    if (code.len != want.len || sodium_memcmp(code.ptr, want.ptr, want.len) != 0) {
        api_error(api, 403, "bad_code",
                  "the setup code is wrong; it was printed on the terminal that started the server");
        return;
    }
    if (!name.ptr || !password.ptr) {
        api_error(api, 400, "bad_request", "a name and a password are needed");
        return;
    }
    int result = users_add(api->parts->database, api->parts->clock, name, password, ROLE_ADMIN, &err);
    if (result == 0)
        result = users_check(api->parts->database, api->parts->clock, name, password, api->arena, &user,
                             &err);
    if (api_record_claim(api, name, "setup", SLICE("admin"), result < 0 ? &err : NULL))
        begin_or_refuse(api, &user, 201, result, &err);
}

void api_login(struct api *api)
{
    struct err err;
    struct user user;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice name = api_text(body, "name"), password = api_text(body, "password");
    if (!name.ptr || !password.ptr) {
        api_error(api, 400, "bad_request", "a name and a password are needed");
        return;
    }
    int result = users_check(api->parts->database, api->parts->clock, name, password, api->arena,
                             &user, &err);
    if (api_record_claim(api, name, "login", SLICE(""), result < 0 ? &err : NULL))
        begin_or_refuse(api, &user, 200, result, &err);
}

void api_logout(struct api *api)
{
    struct err err;
    int result = api->caller.session.ptr
                     ? sessions_end(api->parts->database, api->caller.session, &err)
                     : 0;
    if (api_did(api, "logout", api->caller.user.name, SLICE(""), result, &err))
        api_no_content(api);
}

void api_session(struct api *api)
{
    json_open(&api->json, '{');
    put_user(api, &api->caller.user);
    json_put_text(&api->json, "csrf", slice_text(api->caller.csrf));
    json_close(&api->json, '}');
    api_reply(api, 200);
}

void api_session_language(struct api *api)
{
    struct err err;
    const struct json_node *body = api_body(api);
    if (!body)
        return;
    struct slice language = api_text(body, "language");
    if (!slice_is(language, "ja") && !slice_is(language, "en"))
        api_error(api, 400, "bad_request", "the language is \"ja\" or \"en\"");
    else if (users_set_language(api->parts->database, api->caller.user.id, language, &err) < 0)
        api_reply_err(api, &err);
    else
        api_no_content(api);
}
