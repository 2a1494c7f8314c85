#include "collect/remote/poll_auth.h"

#include "base/json.h"
#include "base/limits.h"
#include "collect/remote/aws_sign.h"
#include "collect/remote/poll_template.h"
#include "cut/json_tree.h"

#include <sodium.h>

enum { TOKEN_SECONDS_USUAL = 300, TOKEN_SECONDS_MOST = 24 * 3600, RENEW_BEFORE_S = 60 };

bool poll_goes_on(void *reader)
{
    return !reader_is_stopping(reader);
}

void poll_auth_init(struct poll_auth *auth, struct reader_thread *reader)
{
    *auth = (struct poll_auth){.reader = reader};
    buffer_init(&auth->token, SECRET_BYTES_MAX);
}

static void forget_token(struct poll_auth *auth)
{
    if (auth->token.ptr)
        sodium_memzero(auth->token.ptr, auth->token.size);
    buffer_clear(&auth->token);
    auth->renew_at_ns = 0;
}

void poll_auth_close(struct poll_auth *auth)
{
    forget_token(auth);
    buffer_close(&auth->token);
}

bool poll_auth_renew(struct poll_auth *auth)
{
    bool had = auth->renew_at_ns != 0;
    forget_token(auth);
    return had;
}

/* ---- the configuration ---- */

static const struct {
    const char *auth, *needs[4];
} needs[] = {
    {"basic", {"user", "secret"}},
    {"token", {"secret"}},
    {"oauth2", {"token_url", "client_id", "client_secret"}},
    {"aws", {"access_key", "secret_key", "region", "service"}},
};

int poll_auth_check(const struct collector_settings *settings, struct err *err)
{
    struct slice way = settings_text(settings, "auth");
    for (size_t i = 0; i < ARRAY_COUNT(needs); i++)
        for (size_t n = 0; n < 4 && needs[i].needs[n] && slice_is(way, needs[i].auth); n++)
            if (!settings_text(settings, needs[i].needs[n]).len)
                return err_set(err, ERR_CONFIG, "auth: %s needs %s", needs[i].auth, needs[i].needs[n]);
    return 0;
}

/* ---- OAuth2 ---- */

static void put_form(struct buffer *to, const char *name, struct slice value)
{
    if (!value.len)
        return;
    buffer_printf(to, "&%s=", name);
    poll_put_encoded(to, value, false);
}

static int read_token(struct poll_auth *auth, struct slice body, struct err *err)
{
    const struct json_node *answer;
    struct slice token;
    struct arena *arena = arena_new(4 * MIB);
    if (!arena)
        return err_nomem(err);
    int result = json_tree_parse(body, arena, &answer, err);
    if (result == 0)
        result = json_want_text(answer, "access_token", &token, err);
    if (result == 0) {
        int64_t seconds = json_i64_of(json_get(answer, "expires_in"), TOKEN_SECONDS_USUAL);
        if (seconds < 0 || seconds > TOKEN_SECONDS_MOST)
            seconds = TOKEN_SECONDS_MOST;
        int64_t before = seconds / 10 < RENEW_BEFORE_S ? seconds / 10 : RENEW_BEFORE_S;
        buffer_clear(&auth->token);
        buffer_put(&auth->token, token);
        auth->renew_at_ns = clock_mono_ns(auth->reader->host->sink->clock) + (seconds - before) * NS_PER_SECOND + 1;
        if (buffer_failed(&auth->token))
            result = err_set(err, ERR_LIMIT, "the token is over %d bytes", SECRET_BYTES_MAX);
    }
    arena_free(arena);
    return result < 0 ? err_within(err, "the answer of token_url") : 0;
}

static int ask_token(struct poll_auth *auth, struct buffer *form, struct buffer *body, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    const struct http_fetch_header headers[] = {{"Content-Type", SLICE("application/x-www-form-urlencoded")},
                                                {"Accept", SLICE("application/json")}};
    struct http_fetch_request request = {.method = "POST",
                                         .url = settings_text(settings, "token_url"),
                                         .headers = headers,
                                         .header_count = ARRAY_COUNT(headers),
                                         .body = buffer_slice(form),
                                         .ca_file = settings_string(settings, "ca_file"),
                                         .timeout_ms = settings_number(settings, "timeout") / NS_PER_MS,
                                         .going_on = poll_goes_on,
                                         .going_on_context = auth->reader,
                                         .reply_max = 2 * SECRET_BYTES_MAX,
                                         .allow_private = settings_bool(settings, "allow_private")};
    struct http_fetch_reply reply = {.body = body};
    if (http_fetch(auth->reader->host->net, &request, &reply, err) < 0)
        return err_within(err, "token_url");
    auth->retry_after_s = reply.retry_after_s;
    if (reply.status / 100 == 2)
        return read_token(auth, buffer_slice(body), err);
    return err_set(err, ERR_DENIED, "token_url answered %d: %.*s", reply.status, (int)(body->len > 200 ? 200 : body->len),
                   body->ptr ? body->ptr : "");
}

static int get_token(struct poll_auth *auth, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    struct buffer form, body;
    auth->retry_after_s = 0;
    if (auth->renew_at_ns && clock_mono_ns(auth->reader->host->sink->clock) < auth->renew_at_ns)
        return 0;
    buffer_init(&form, 4 * SECRET_BYTES_MAX);
    buffer_init(&body, 4 * SECRET_BYTES_MAX);
    buffer_put_text(&form, "grant_type=client_credentials");
    put_form(&form, "client_id", settings_text(settings, "client_id"));
    put_form(&form, "client_secret", settings_text(settings, "client_secret"));
    put_form(&form, "scope", settings_text(settings, "scope"));
    put_form(&form, "audience", settings_text(settings, "audience"));
    forget_token(auth);
    int result = buffer_failed(&form) ? err_nomem(err) : ask_token(auth, &form, &body, err);
    if (form.ptr)
        sodium_memzero(form.ptr, form.size);
    if (body.ptr)
        sodium_memzero(body.ptr, body.size);
    buffer_close(&form);
    buffer_close(&body);
    return result;
}

/* ---- headers ---- */

static int put_header(struct http_fetch_header *to, const char *name, struct slice value, struct err *err)
{
    *to = (struct http_fetch_header){name, value};
    return value.ptr ? 0 : err_nomem(err);
}

static int basic(const struct collector_settings *settings, struct arena *arena, struct slice *out, struct err *err)
{
    struct slice pair = arena_printf(arena, "%s:%s", settings_string(settings, "user"), settings_string(settings, "secret"));
    char *text = pair.ptr ? arena_alloc(arena, BASE64_SIZE(pair.len) + 1) : NULL;
    if (!text)
        return err_nomem(err);
    char *end = base64_write(pair, text);
    *out = arena_printf(arena, "Basic %.*s", (int)(end - text), text);
    return out->ptr ? 0 : err_nomem(err);
}

static int aws_headers(const struct poll_auth *auth, const char *method, struct slice url, struct slice body,
                       struct arena *arena, struct http_fetch_header *to, size_t *count, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    char date[AWS_DATE_SIZE], hash[AWS_HASH_SIZE];
    struct buffer authorization;
    struct aws_request request = {.method = method, .url = url, .body = body,
                                  .access_key = settings_text(settings, "access_key"),
                                  .secret_key = settings_text(settings, "secret_key"),
                                  .session = settings_text(settings, "session_token"),
                                  .region = settings_string(settings, "region"),
                                  .service = settings_string(settings, "service"),
                                  .time_ns = clock_wall_ns(auth->reader->host->sink->clock)};
    buffer_init(&authorization, 64 * KIB);
    int result = aws_sign(&request, date, hash, &authorization, err);
    if (result == 0 && (put_header(&to[0], "Authorization", arena_copy(arena, buffer_slice(&authorization)), err) < 0 ||
                        put_header(&to[1], "x-amz-date", arena_copy(arena, slice_text(date)), err) < 0 ||
                        put_header(&to[2], "x-amz-content-sha256", arena_copy(arena, slice_text(hash)), err) < 0))
        result = -1;
    *count = 3;
    if (request.session.ptr)
        to[(*count)++] = (struct http_fetch_header){"x-amz-security-token", request.session};
    buffer_close(&authorization);
    return result;
}

int poll_auth_headers(struct poll_auth *auth, const char *method, struct slice url, struct slice body,
                      struct arena *arena, struct http_fetch_header *to, size_t *count, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    struct slice way = settings_text(settings, "auth"), value = SLICE_NONE;
    *count = 0;
    if (slice_is(way, "none"))
        return 0;
    if (slice_is(way, "aws"))
        return aws_headers(auth, method, url, body, arena, to, count, err);
    if (slice_is(way, "oauth2") && get_token(auth, err) < 0)
        return -1;
    if (slice_is(way, "basic") && basic(settings, arena, &value, err) < 0)
        return -1;
    if (!value.ptr) {
        const char *scheme = settings_string(settings, "scheme");
        struct slice token = slice_is(way, "oauth2") ? buffer_slice(&auth->token) : settings_text(settings, "secret");
        value = arena_printf(arena, "%s%s%.*s", scheme, scheme[0] ? " " : "", SLICE_ARG(token));
    }
    *count = 1;
    return put_header(&to[0], settings_string(settings, "token_header"), value, err);
}
