#include "collect/remote/poll_auth.h"

#include "base/json.h"
#include "base/limits.h"
#include "collect/remote/aws_sign.h"
#include "collect/remote/jwt_assertion.h"
#include "collect/remote/poll_template.h"
#include "cut/json_tree.h"

#include <sodium.h>

enum { TOKEN_SECONDS_USUAL = 300, TOKEN_SECONDS_MOST = 24 * 3600, RENEW_BEFORE_S = 60 };

static bool poll_goes_on(void *reader)
{
    return !reader_is_stopping(reader);
}

void poll_request_init(struct reader_thread *reader, struct http_fetch_request *out)
{
    const struct collector_settings *settings = reader->settings;
    *out = (struct http_fetch_request){.ca_file = settings_string(settings, "ca_file"),
                                       .cert_file = settings_string(settings, "certificate"),
                                       .key_file = settings_string(settings, "key"),
                                       .timeout_ms = settings_number(settings, "timeout") / NS_PER_MS,
                                       .going_on = poll_goes_on,
                                       .going_on_context = reader,
                                       .allow_private = settings_bool(settings, "allow_private")};
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
    {"oauth2", {"token_url", "client_id"}},
    {"service_account", {"token_url", "private_key"}},
    {"aws", {"access_key", "secret_key", "region", "service"}},
};

static bool signs(const struct collector_settings *settings)
{
    struct slice way = settings_text(settings, "auth");
    return slice_is(way, "service_account") ||
           (slice_is(way, "oauth2") && slice_is(settings_text(settings, "client_auth"), "private_key"));
}

/* The key is tried, so that a wrong one is said before anything is asked. */
static int check_key(const struct collector_settings *settings, struct err *err)
{
    struct jwt_key key;
    struct buffer token;
    struct arena *arena = arena_new(4 * MIB);
    buffer_init(&token, 4 * SECRET_BYTES_MAX);
    const struct jwt_claims claims = {.issuer = settings_text(settings, "client_id")};
    int result = arena ? jwt_key_read(settings_text(settings, "private_key"), arena, &key, err) : err_nomem(err);
    if (result == 0 && !key.issuer.len && !claims.issuer.len)
        result = err_set(err, ERR_CONFIG, "auth: service_account needs client_id, the account's address, or a JSON key file, which has it");
    if (result == 0 && (result = jwt_assertion(&key, &claims, &token, err)) < 0)
        err_within(err, "private_key");
    buffer_close(&token);
    arena_free(arena);
    return result;
}

int poll_auth_check(const struct collector_settings *settings, struct err *err)
{
    struct slice way = settings_text(settings, "auth");
    for (size_t i = 0; i < ARRAY_COUNT(needs); i++)
        for (size_t n = 0; n < 4 && needs[i].needs[n] && slice_is(way, needs[i].auth); n++)
            if (!settings_text(settings, needs[i].needs[n]).len)
                return err_set(err, ERR_CONFIG, "auth: %s needs %s", needs[i].auth, needs[i].needs[n]);
    const char *secret = signs(settings) ? "private_key" : "client_secret";
    if (slice_is(way, "oauth2") && !settings_text(settings, secret).len)
        return err_set(err, ERR_CONFIG, "auth: oauth2 with client_auth: %s needs %s", settings_string(settings, "client_auth"), secret);
    return signs(settings) ? check_key(settings, err) : 0;
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

/* The secret that a request for a token has, and its memory, which is wiped. */
struct token_request {
    struct buffer form, header, body;
};

static void open_request(struct token_request *request)
{
    buffer_init(&request->form, 16 * SECRET_BYTES_MAX);
    buffer_init(&request->header, 16 * SECRET_BYTES_MAX);
    buffer_init(&request->body, 4 * SECRET_BYTES_MAX);
}

static void wipe_request(struct token_request *request)
{
    struct buffer *const all[] = {&request->form, &request->header, &request->body};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        if (all[i]->ptr)
            sodium_memzero(all[i]->ptr, all[i]->size);
        buffer_close(all[i]);
    }
}

static int put_assertion(struct poll_auth *auth, bool of_client, struct buffer *to, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    struct slice audience = settings_text(settings, "audience");
    unsigned char random[16];
    char id[2 * sizeof(random) + 1];
    struct jwt_key key;
    struct arena *arena = arena_new(4 * MIB);
    if (!arena || jwt_key_read(settings_text(settings, "private_key"), arena, &key, err) < 0) {
        int result = arena ? -1 : err_nomem(err);
        arena_free(arena);
        return result;
    }
    if (settings_text(settings, "key_id").len)
        key.key_id = settings_text(settings, "key_id");
    rand_real()->fill(rand_real()->context, random, sizeof(random));
    sodium_bin2hex(id, sizeof(id), random, sizeof(random));
    struct jwt_claims claims = {.issuer = settings_text(settings, "client_id"), .id = slice_text(id),
                                .time_ns = clock_wall_ns(auth->reader->host->sink->clock)};
    if (!claims.issuer.len)
        claims.issuer = key.issuer;
    claims.subject = of_client ? claims.issuer : settings_text(settings, "subject");
    claims.scope = of_client ? SLICE("") : settings_text(settings, "scope");
    claims.audience = of_client || !audience.len ? settings_text(settings, "token_url") : audience;
    int result = jwt_assertion(&key, &claims, to, err);
    arena_free(arena);
    return result;
}

/* The client's name and password, each encoded as in a form (RFC 6749 2.3.1). */
static void put_client_basic(const struct collector_settings *settings, struct buffer *to)
{
    struct buffer pair;
    buffer_init(&pair, 8 * SECRET_BYTES_MAX);
    poll_put_encoded(&pair, settings_text(settings, "client_id"), false);
    buffer_put_char(&pair, ':');
    poll_put_encoded(&pair, settings_text(settings, "client_secret"), false);
    buffer_put_text(to, "Basic ");
    buffer_put_base64(to, buffer_slice(&pair));
    to->failed = to->failed || buffer_failed(&pair);
    if (pair.ptr)
        sodium_memzero(pair.ptr, pair.size);
    buffer_close(&pair);
}

static int write_request(struct poll_auth *auth, struct token_request *request, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    struct slice client_auth = settings_text(settings, "client_auth");
    struct buffer *form = &request->form;
    if (slice_is(settings_text(settings, "auth"), "service_account")) {
        buffer_put_text(form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
        return put_assertion(auth, false, form, err);
    }
    buffer_put_text(form, "grant_type=client_credentials");
    put_form(form, "scope", settings_text(settings, "scope"));
    put_form(form, "audience", settings_text(settings, "audience"));
    if (slice_is(client_auth, "basic")) {
        put_client_basic(settings, &request->header);
        return 0;
    }
    put_form(form, "client_id", settings_text(settings, "client_id"));
    if (slice_is(client_auth, "private_key")) {
        buffer_put_text(form, "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=");
        return put_assertion(auth, true, form, err);
    }
    put_form(form, "client_secret", settings_text(settings, "client_secret"));
    return 0;
}

static int ask_token(struct poll_auth *auth, struct token_request *wanted, struct err *err)
{
    const struct collector_settings *settings = auth->reader->settings;
    struct buffer *body = &wanted->body;
    const struct http_fetch_header headers[] = {{"Content-Type", SLICE("application/x-www-form-urlencoded")},
                                                {"Accept", SLICE("application/json")},
                                                {"Authorization", buffer_slice(&wanted->header)}};
    struct http_fetch_request request;
    poll_request_init(auth->reader, &request);
    request.method = "POST";
    request.url = settings_text(settings, "token_url");
    request.headers = headers;
    request.header_count = ARRAY_COUNT(headers) - (wanted->header.len == 0);
    request.body = buffer_slice(&wanted->form);
    request.reply_max = 2 * SECRET_BYTES_MAX;
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
    struct token_request request;
    auth->retry_after_s = 0;
    if (auth->renew_at_ns && clock_mono_ns(auth->reader->host->sink->clock) < auth->renew_at_ns)
        return 0;
    open_request(&request);
    forget_token(auth);
    int result = write_request(auth, &request, err);
    if (result == 0)
        result = buffer_failed(&request.form) || buffer_failed(&request.header) ? err_nomem(err) : ask_token(auth, &request, err);
    wipe_request(&request);
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
    bool asks = slice_is(way, "oauth2") || slice_is(way, "service_account");
    if (asks && get_token(auth, err) < 0)
        return -1;
    if (slice_is(way, "basic") && basic(settings, arena, &value, err) < 0)
        return -1;
    if (!value.ptr) {
        const char *scheme = settings_string(settings, "scheme");
        struct slice token = asks ? buffer_slice(&auth->token) : settings_text(settings, "secret");
        value = arena_printf(arena, "%s%s%.*s", scheme, scheme[0] ? " " : "", SLICE_ARG(token));
    }
    *count = 1;
    return put_header(&to[0], settings_string(settings, "token_header"), value, err);
}
