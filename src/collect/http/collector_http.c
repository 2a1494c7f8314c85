/* The HTTP ingest port: finds the dialect and the token of a request, and carries what the dialect made of it to the
 * sink. A request is answered 2xx only when its events are durable. */
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/wire/listening.h"
#include "collect/quota.h"
#include "net/tls.h"

#include <stdatomic.h>

struct collector_http {
    const struct collector_settings *settings;
    const struct collector_host *host;
    struct tls_context *tls;
    struct http_server *server;
    struct quotas *quotas;
    uint16_t port;
    atomic_ulong refused;
};

/* ---- refusing ---- */

static const struct refusal {
    int status, retry_s;
    const char *code, *text;
} refusals[] = {
    [INGEST_NO_TOKEN] = {401, 0, "no_token", "a token is needed: Authorization: Bearer TOKEN"},
    [INGEST_BAD_TOKEN] = {401, 0, "bad_token", "the Authorization header holds no token; it is Bearer TOKEN, Splunk TOKEN, Basic or ApiKey"},
    [INGEST_UNKNOWN_TOKEN] = {403, 0, "unknown_token", "the token is not known here, or not from this address"},
    [INGEST_DISABLED_TOKEN] = {403, 0, "disabled_token", "the token was revoked or has expired"},
    [INGEST_METHOD] = {405, 0, "method_not_allowed", "this path takes another method"},
    [INGEST_TOO_LARGE] = {413, 0, "too_large", "the body is too large; send it in smaller pieces"},
    [INGEST_QUOTA] = {429, 1, "quota", "the token's quota is used up for now; send it again later"},
    [INGEST_BUSY] = {503, 1, "busy", "there is no room now; nothing was kept, send it again"},
    [INGEST_FAILED] = {503, 5, "not_durable", "the events could not be made durable; they are not kept, send them again later"},
    [INGEST_CONFLICT] = {409, 0, "conflict", "this Idempotency-Key was used before with other content"},
    [INGEST_BAD_KEY] = {400, 0, "bad_key", "the Idempotency-Key is too long"},
};

int ingest_status(enum ingest_refusal why)
{
    return refusals[why].status;
}

const char *ingest_code(enum ingest_refusal why)
{
    return refusals[why].code;
}

struct slice ingest_retry_header(struct ingest_call *call, int retry_s)
{
    return retry_s > 0 ? arena_printf(call->arena, "Retry-After: %d\r\n", retry_s) : SLICE_NONE;
}

static void refuse_for(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    atomic_fetch_add(&call->collector->refused, 1);
    call->dialect->refuse(call, why, text ? text : refusals[why].text, retry_s);
}

void ingest_refuse(struct ingest_call *call, enum ingest_refusal why, const char *text)
{
    refuse_for(call, why, text, refusals[why].retry_s);
}

/* ---- taking ---- */

/* May run on the sink's thread: the events are durable, or not. */
static void on_stored(void *context, const struct sink_ack *ack)
{
    struct ingest_call *call = context;
    switch (ack->result) {
    case SINK_STORED:
    case SINK_DUPLICATE:
        call->answer(call, ack);
        return;
    case SINK_CONFLICT:
        ingest_refuse(call, INGEST_CONFLICT, NULL);
        return;
    case SINK_FAILED: {
        struct slice text = arena_printf(call->arena, "the events could not be made durable: %s; they are not kept, send them "
                                         "again later", ack->err->text);
        ingest_refuse(call, INGEST_FAILED, text.ptr);
    }
    }
}

static struct slice batch_key(struct ingest_call *call)
{
    struct slice key = http_header(call->request, "idempotency-key");
    if (!key.ptr)
        key = call->key;
    if (!key.ptr)
        return SLICE_NONE;
    return arena_printf(call->arena, "%.*s/%.*s", SLICE_ARG(call->grant.id), SLICE_ARG(key));
}

struct slice collector_http_source(const struct collector_settings *settings, const struct dialect *dialect, struct arena *arena)
{
    if (slice_is(settings->name, settings->kind->name))
        return slice_text(dialect->name);
    return arena_printf(arena, "%.*s.%s", SLICE_ARG(settings->name), dialect->name);
}

static struct slice first_of(struct slice a, struct slice b)
{
    return a.len ? a : b;
}

void ingest_take(struct ingest_call *call, struct slice records, uint32_t count,
                 void (*answer)(struct ingest_call *call, const struct sink_ack *ack))
{
    struct collector_http *collector = call->collector;
    struct delivery delivery = collector_delivery(collector->host, collector->settings);
    struct err err;
    delivery.origin.source = collector_http_source(collector->settings, call->dialect, call->arena);
    delivery.origin.stream = first_of(call->grant.stream, delivery.origin.stream);
    delivery.origin.dataset = first_of(call->grant.dataset, delivery.origin.dataset);
    delivery.origin.zone = first_of(call->grant.zone, delivery.origin.zone);
    delivery.origin.peer = http_peer(call->request);
    delivery.origin.identity = call->grant.id;
    delivery.key = batch_key(call);
    delivery.event_count = count;
    delivery.body = records;
    call->answer = answer;
    int wait_s = 0;
    if (delivery.key.len > IDEMPOTENCY_KEY_BYTES_MAX)
        ingest_refuse(call, INGEST_BAD_KEY, NULL);
    else if (call->grant.events_per_second &&
             (wait_s = quotas_spend(collector->quotas, call->grant.id, call->grant.events_per_second, count,
                                    clock_mono_ns(collector->host->sink->clock))) > 0)
        refuse_for(call, INGEST_QUOTA, NULL, wait_s);
    else if (sink_take(collector->host->sink, &delivery, on_stored, call, &err) < 0)
        ingest_refuse(call, err.code == ERR_IO ? INGEST_FAILED : INGEST_BUSY, err.code == ERR_IO ? err.text : NULL);
}

/* ---- who asks ---- */

/* The part behind the first ':' of what base64 says, or all of it without one. */
static struct slice decoded_token(struct ingest_call *call, struct slice text)
{
    struct buffer plain;
    struct slice user, password, token = SLICE("");
    buffer_init(&plain, HTTP_HEADER_BYTES_MAX);
    if (buffer_put_from_base64(&plain, text)) {
        bool both = slice_cut(buffer_slice(&plain), ':', &user, &password);
        token = arena_copy(call->arena, !both ? buffer_slice(&plain) : password.len ? password : user);
    }
    buffer_close(&plain);
    return token;
}

/* SLICE_NONE: no header; empty: one that holds no token. */
static struct slice token_of(struct ingest_call *call)
{
    struct slice header = http_header(call->request, "authorization"), scheme, rest;
    if (!header.ptr)
        return SLICE_NONE;
    if (!slice_cut(slice_trim(header), ' ', &scheme, &rest))
        return SLICE("");
    rest = slice_trim(rest);
    if (slice_is_nocase(scheme, "splunk") || slice_is_nocase(scheme, "bearer"))
        return rest;
    if (slice_is_nocase(scheme, "basic") || slice_is_nocase(scheme, "apikey"))
        return decoded_token(call, rest);
    return SLICE("");
}

bool ingest_enter(struct ingest_call *call, struct slice token)
{
    const struct collector_host *host = call->collector->host;
    if (!token.len) {
        ingest_refuse(call, token.ptr ? INGEST_BAD_TOKEN : INGEST_NO_TOKEN, NULL);
        return false;
    }
    switch (host->authorise(host->context, token, http_peer(call->request), call->arena, &call->grant)) {
    case AUTHORISE_OK:
        return true;
    case AUTHORISE_DISABLED:
        ingest_refuse(call, INGEST_DISABLED_TOKEN, NULL);
        return false;
    case AUTHORISE_UNKNOWN:
        break;
    }
    ingest_refuse(call, INGEST_UNKNOWN_TOKEN, NULL);
    return false;
}

/* ---- finding the route ---- */

static bool path_fits(struct slice pattern, struct slice path, struct slice *wild)
{
    struct slice want, have;
    *wild = SLICE_NONE;
    while (slice_next_part(&pattern, '/', &want)) {
        if (!slice_next_part(&path, '/', &have))
            return false;
        if (slice_is(want, "*") && have.len)
            *wild = have;
        else if (!slice_equal(want, have))
            return false;
    }
    return !slice_next_part(&path, '/', &have);
}

static bool method_fits(const struct dialect_route *route, enum http_method method)
{
    return route->method == HTTP_OTHER_METHOD || route->method == method ||
           (route->method == HTTP_METHOD_GET && method == HTTP_METHOD_HEAD);
}

/* The first route of that path and method; else, with *of set, only the path is known. */
static const struct dialect_route *find_route(struct ingest_call *call, const struct dialect **of)
{
    struct slice path = http_path(call->request), wild;
    enum http_method method = http_method(call->request);
    *of = NULL;
    for (size_t d = 0; dialects[d]; d++)
        for (size_t r = 0; r < dialects[d]->route_count; r++) {
            const struct dialect_route *route = &dialects[d]->routes[r];
            if (!path_fits(slice_text(route->path), path, &wild))
                continue;
            *of = *of ? *of : dialects[d];
            if (!method_fits(route, method))
                continue;
            *of = dialects[d];
            call->wild = wild;
            return route;
        }
    return NULL;
}

static void handle(void *context, struct http_request *request)
{
    struct collector_http *collector = context;
    struct ingest_call *call = arena_calloc(http_arena(request), sizeof(*call));
    if (!call) {
        http_reply_error(request, 503, "out_of_memory", "no memory now; nothing was kept, send it again");
        return;
    }
    *call = (struct ingest_call){.request = request, .arena = http_arena(request), .collector = collector};
    const struct dialect_route *route = find_route(call, &call->dialect);
    if (!call->dialect)
        http_reply_error(request, 404, "not_found",
                         "nothing is taken in at this path (docs/collect.md lists those that are); the console and the "
                         "API are on another port");
    else if (!route)
        ingest_refuse(call, INGEST_METHOD, NULL);
    else if (route->open || ingest_enter(call, token_of(call)))
        route->handle(call);
}

/* ---- the kind ---- */

static const struct collector_option options[] = {
    LISTENING_OPTIONS("7180"),
    LISTENING_TLS_OPTIONS,
};

static bool wants_tls(const struct collector_settings *settings)
{
    return settings_text(settings, "certificate").ptr || settings_text(settings, "client_ca").ptr ||
           !(listening_is_loopback(settings) || settings_bool(settings, "insecure_plaintext"));
}

static void http_close(void *self)
{
    struct collector_http *collector = self;
    http_free(collector->server);
    quotas_free(collector->quotas);
    tls_context_free(collector->tls);
    mem_free(collector);
}

static int http_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                     struct err *err)
{
    struct collector_http *collector = mem_calloc(1, sizeof(*collector));
    *out = collector;
    if (!collector)
        return err_nomem(err);
    collector->settings = settings;
    collector->host = host;
    struct http_options listen = {.address = settings_string(settings, "address"),
                                  .port = (uint16_t)settings_number(settings, "port"),
                                  .handle = handle, .context = collector};
    if (!(collector->quotas = quotas_new()))
        return err_nomem(err);
    if (wants_tls(settings) && listening_tls(host, settings, &collector->tls, err) < 0)
        return -1;
    listen.tls = collector->tls;
    if (http_listen(host->loop, &listen, &collector->server, err) < 0)
        return -1;
    collector->port = http_port(collector->server);
    return 0;
}

static void http_count(void *self, struct collector_counts *out)
{
    const struct collector_http *collector = self;
    out->refused = atomic_load(&collector->refused);
    out->port = collector->port;
}

const struct collector_kind collector_http = {
    .name = "http",
    .summary = "the ingest port for HTTP: one port for every dialect",
    .details = "A request is answered with 2xx only when its events are durable. 4xx and 5xx mean that nothing of it was kept: the "
               "sender still holds it. `Idempotency-Key` names a batch: the same key and bytes again are acknowledged and not "
               "doubled. A token (`hinomi token add --kind hec`) says who sends and where it is filed. TLS is spoken on every "
               "address that is not a loopback one.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = listening_check_tls,
    .open = http_open,
    .free = http_close,
    .counts = http_count,
    .listens = true,
};
