/* From a request to a handler: queue, worker, who asks, which route, may they. */
#include "serve/server.h"

#include "base/mem.h"
#include "base/queue.h"
#include "base/thread.h"
#include "base/zone.h"
#include "serve/api.h"
#include "serve/jobs.h"
#include "serve/tails.h"
#include "serve/whatif_jobs.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

enum { WORKERS = 4, REQUESTS_WAITING_MAX = 1024 };
#define REPLY_BYTES_MAX (256 * MIB)

/* Threads that answer what waits in a queue of theirs. */
struct crew {
    struct server *server;
    struct queue *waiting;
    pthread_t workers[WORKERS];
    int worker_count;
};

struct server {
    struct server_config config;
    struct http_server *http;
    /* For whom money waits, nobody's slow question stands in the way. */
    struct crew usual, money;
    struct jobs *jobs;
    struct tails *tails;
    struct whatif_jobs *whatifs;
    atomic_int looks; /* serve/api.h */
};

struct route {
    enum http_method method;
    struct slice path;
    enum role role;
    api_handler handler;
};

static const struct route routes[] = {
#define ROUTE(verb, path, role, handler) {HTTP_METHOD_##verb, {"" path, sizeof(path) - 1}, role, handler},
#include "serve/routes.def"
#undef ROUTE
};

/* ---- answers ---- */

void api_reply(struct api *api, int status)
{
    if (buffer_failed(&api->body))
        http_reply_error(api->request, 500, "too_large", "the answer is too large; ask for less");
    else
        http_reply_json(api->request, status, buffer_slice(&api->body));
}

void api_no_content(struct api *api)
{
    http_reply(api->request, 204, NULL, SLICE_NONE, SLICE(""));
}

void api_error(struct api *api, int status, const char *code, const char *message)
{
    http_reply_error(api->request, status, code, "%s", message);
}

void api_reply_err(struct api *api, const struct err *err)
{
    static const struct {
        enum err_code from;
        int status;
        const char *code;
    } known[] = {
        {ERR_CONFIG, 400, "bad_request"},   {ERR_INPUT, 400, "bad_request"},
        {ERR_LIMIT, 413, "limit"},          {ERR_NOT_FOUND, 404, "not_found"},
        {ERR_CONFLICT, 409, "conflict"},    {ERR_DENIED, 403, "denied"},
        {ERR_CANCELLED, 409, "cancelled"},  {ERR_NOMEM, 503, "out_of_memory"},
    };
    int status = 500;
    const char *code = "internal";
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (known[i].from == err->code) {
            status = known[i].status;
            code = known[i].code;
        }
    buffer_clear(&api->body);
    json_init(&api->json, &api->body);
    json_open(&api->json, '{');
    json_key(&api->json, "error");
    json_open(&api->json, '{');
    json_put_text(&api->json, "code", slice_text(code));
    json_put_text(&api->json, "message", slice_text(err->text));
    if (err->start >= 0) {
        json_put_i64(&api->json, "start", err->start);
        json_put_i64(&api->json, "end", err->end);
    }
    if (err->suggestion[0])
        json_put_text(&api->json, "suggestion", slice_text(err->suggestion));
    json_close(&api->json, '}');
    json_close(&api->json, '}');
    http_reply_json(api->request, status, buffer_slice(&api->body));
}

const struct json_node *api_body(struct api *api)
{
    struct err err;
    const struct json_node *node;
    if (json_tree_parse(http_body(api->request), api->arena, &node, &err) < 0) {
        http_reply_error(api->request, 400, "bad_json", "the body is no JSON: %s", err.text);
        return NULL;
    }
    if (node->kind != JSON_OBJECT) {
        api_error(api, 400, "bad_json", "the body must be a JSON object");
        return NULL;
    }
    return node;
}

struct slice api_text(const struct json_node *object, const char *key)
{
    return json_text_of(json_get(object, key), SLICE_NONE);
}

int api_zone(struct api *api, struct slice name, const struct zone **out, struct err *err)
{
    *out = name.len ? zone_find(name) : api->parts->zone;
    if (name.len && !*out)
        return err_set(err, ERR_CONFIG, "there is no time zone %.*s", SLICE_ARG(name));
    return 0;
}

int64_t api_number(struct api *api, const char *name, int64_t fallback, int64_t most)
{
    struct slice text = http_param(api->request, name);
    int64_t n;
    if (!text.ptr || !slice_to_i64(text, &n) || n < 0)
        return fallback;
    return n > most ? most : n;
}

/* ---- who asks ---- */

static void by_token(struct api *api, struct slice text)
{
    struct token token;
    struct err err;
    if (tokens_find(api->parts->database, api->parts->clock, text,
                    http_peer(api->request), api->arena, &token, &err) < 0)
        return;
    api->caller.known = true;
    api->caller.is_token = true;
    api->caller.token_kind = token.kind;
    api->caller.role = slice_is(token.kind, "api") ? token.role : ROLE_NONE;
    api->caller.user.name = token.name;
    api->caller.user.role = api->caller.role;
}

static void by_session(struct api *api)
{
    struct session session;
    struct err err;
    struct slice secret = http_cookie(api->request, http_is_tls(api->request) ? "__Host-hinomi_session"
                                                                              : "hinomi_session");
    if (!secret.ptr || sessions_find(api->parts->database, api->parts->clock, secret, api->arena,
                                     &session, &err) < 0)
        return;
    api->caller.known = true;
    api->caller.user = session.user;
    api->caller.role = session.user.role;
    api->caller.session = secret;
    memcpy(api->caller.csrf, session.csrf, sizeof(session.csrf));
}

static void identify(struct api *api)
{
    struct slice header = http_header(api->request, "authorization"), scheme, rest;
    if (header.ptr && slice_cut(header, ' ', &scheme, &rest) && slice_is_nocase(scheme, "bearer"))
        by_token(api, slice_trim(rest));
    else
        by_session(api);
}

/* A page elsewhere cannot make a browser do something here: own header, own origin. */
static bool csrf_fine(struct api *api)
{
    struct slice sent = http_header(api->request, "x-hinomi-csrf");
    struct slice site = http_header(api->request, "sec-fetch-site");
    if (site.ptr && !slice_is(site, "same-origin") && !slice_is(site, "none"))
        return false;
    return api->caller.is_token || !api->caller.known ||
           (sent.len == SECRET_TEXT_SIZE - 1 &&
            sodium_memcmp(sent.ptr, api->caller.csrf, SECRET_TEXT_SIZE - 1) == 0);
}

/* ---- which route ---- */

static bool path_matches(struct slice pattern, struct slice path, struct slice *param)
{
    struct slice want, have;
    *param = SLICE_NONE;
    while (pattern.ptr && path.ptr) {
        slice_next_part(&pattern, '/', &want);
        slice_next_part(&path, '/', &have);
        if (slice_is(want, "{}") && have.len)
            *param = have;
        else if (!slice_equal(want, have))
            return false;
    }
    return !pattern.ptr && !path.ptr;
}

static const struct route *find_route(struct api *api, bool *path_known)
{
    struct slice path = http_path(api->request);
    enum http_method method = http_method(api->request);
    *path_known = false;
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        struct slice param;
        if (!path_matches(routes[i].path, path, &param))
            continue;
        *path_known = true;
        if (routes[i].method == method ||
            (routes[i].method == HTTP_METHOD_GET && method == HTTP_METHOD_HEAD)) {
            api->param = param;
            return &routes[i];
        }
    }
    return NULL;
}

static bool body_is_json(struct http_request *request)
{
    struct slice type = http_header(request, "content-type"), head = type, rest;
    slice_cut(type, ';', &head, &rest);
    return slice_is_nocase(slice_trim(head), "application/json");
}

static void refuse(struct api *api, const struct route *route)
{
    struct err err;
    struct slice method = slice_text(http_method_name(http_method(api->request)));
    err_set(&err, ERR_DENIED, "this needs the role %s", role_name(route->role));
    if (api_record(api, "denied", http_path(api->request), method, &err))
        api_reply_err(api, &err);
}

static void run_route(struct api *api)
{
    bool path_known, changes = http_method(api->request) != HTTP_METHOD_GET &&
                               http_method(api->request) != HTTP_METHOD_HEAD;
    const struct route *route = find_route(api, &path_known);
    if (!route) {
        api_error(api, path_known ? 405 : 404, path_known ? "method_not_allowed" : "not_found",
                  path_known ? "this path does not take that method" : "there is no such path");
        return;
    }
    /* Telephone gateways post forms only, and the path is the secret; a co-signer posts a signed text. */
    bool takes_all = route->handler == api_answer_post || route->handler == api_cosigner_transaction ||
                     route->handler == api_cosigner_config_change;
    if (changes && http_method(api->request) != HTTP_METHOD_DELETE && !takes_all && !body_is_json(api->request)) {
        api_error(api, 415, "unsupported_media_type", "send application/json");
        return;
    }
    identify(api);
    if (changes && !csrf_fine(api))
        api_error(api, 403, "csrf", "the request did not come from this console; reload the page");
    else if (route->role != ROLE_NONE && !api->caller.known)
        api_error(api, 401, "sign_in", "please sign in");
    else if (route->role != ROLE_NONE && !role_allows(api->caller.role, route->role))
        refuse(api, route);
    else
        route->handler(api);
}

static void answer(struct server *server, struct http_request *request)
{
    struct api api = {.parts = &server->config.parts, .jobs = server->jobs, .tails = server->tails, .whatifs = server->whatifs,
                      .looks = &server->looks,
                      .request = request, .arena = http_arena(request)};
    if (!slice_starts(http_path(request), SLICE("/v1/")) && !slice_starts(http_path(request), SLICE("/v2/"))) {
        files_reply(request);
        return;
    }
    buffer_init(&api.body, REPLY_BYTES_MAX);
    json_init(&api.json, &api.body);
    run_route(&api);
    buffer_close(&api.body);
}

/* ---- asked from inside ---- */

struct inside {
    struct arena *arena;
    int status;
    struct slice body;
};

static void take_answer(void *context, int status, struct slice body)
{
    struct inside *inside = context;
    inside->status = status;
    inside->body = arena_copy(inside->arena, body);
}

static int no_such_path(struct slice path, struct err *err)
{
    struct buffer list;
    buffer_init(&list, ERR_TEXT_SIZE);
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
        if (routes[i].method == HTTP_METHOD_GET && routes[i].role != ROLE_NONE &&
            slice_find(routes[i].path, SLICE("{}")) < 0)
            buffer_printf(&list, "%s%.*s", list.len ? ", " : "", SLICE_ARG(routes[i].path));
    err_set(err, ERR_NOT_FOUND, "there is no %.*s here; a search can ask %.*s",
            path.len < 64 ? (int)path.len : 64, path.ptr, SLICE_ARG(buffer_slice(&list)));
    buffer_close(&list);
    return -1;
}

static int refused(const struct inside *inside, struct slice path, struct err *err)
{
    const struct json_node *node;
    if (!inside->body.ptr)
        return err_nomem(err);
    if (json_tree_parse(inside->body, inside->arena, &node, NULL) < 0)
        node = NULL;
    struct slice why = json_text_of(json_at(node, "error.message"), SLICE("it does not answer"));
    return err_set(err, inside->status == 403 ? ERR_DENIED : ERR_CONFIG, "%.*s: %.*s",
                   path.len < 64 ? (int)path.len : 64, path.ptr, SLICE_ARG(why));
}

/* A GET by somebody who was let in before: what rest asks. */
static int get_inside(void *context, const struct job_person *person, struct slice path,
                      struct arena *arena, struct slice *json, struct err *err)
{
    struct server *server = context;
    struct inside inside = {.arena = arena};
    struct http_request *request = http_request_inside(path, take_answer, &inside);
    if (!request)
        return err_set(err, ERR_CONFIG, "%.*s is no path of an API", SLICE_ARG(path));
    struct api api = {.parts = &server->config.parts, .jobs = server->jobs, .tails = server->tails, .whatifs = server->whatifs,
                      .looks = &server->looks,
                      .request = request, .arena = http_arena(request),
                      .caller = {.known = true, .is_token = person->is_token,
                                 .user = {.name = person->name, .role = person->role},
                                 .role = person->role}};
    bool path_known;
    const struct route *route = find_route(&api, &path_known);
    bool open = route && route->role != ROLE_NONE;
    buffer_init(&api.body, REPLY_BYTES_MAX);
    json_init(&api.json, &api.body);
    if (!open)
        api_error(&api, 404, "not_found", "there is no such path");
    else if (!role_allows(person->role, route->role))
        refuse(&api, route);
    else
        route->handler(&api);
    buffer_close(&api.body);
    if (!open)
        return no_such_path(path, err);
    *json = inside.body;
    return inside.status == 200 && inside.body.ptr ? 0 : refused(&inside, path, err);
}

/* ---- life ---- */

static void *work(void *context)
{
    struct crew *crew = context;
    struct http_request *request;
    pthread_setname_np(pthread_self(), crew == &crew->server->money ? "api-gate" : "api");
    if (crew == &crew->server->money) {
        thread_run_soon();
        thread_go_before();
    }
    while ((request = queue_pop(crew->waiting)))
        answer(crew->server, request);
    return NULL;
}

static int crew_start(struct crew *crew, struct server *server, struct err *err)
{
    crew->server = server;
    crew->waiting = queue_new(REQUESTS_WAITING_MAX);
    if (!crew->waiting)
        return err_nomem(err);
    for (; crew->worker_count < WORKERS; crew->worker_count++) {
        int code = thread_start(&crew->workers[crew->worker_count], work, crew);
        if (code)
            return err_set_errno(err, code, "cannot start a worker");
    }
    return 0;
}

static void crew_stop(struct crew *crew)
{
    if (crew->waiting)
        queue_close(crew->waiting);
    for (int i = 0; i < crew->worker_count; i++)
        pthread_join(crew->workers[i], NULL);
    crew->worker_count = 0;
}

/* Decisions, and what a co-signer asks (/v2/). */
static bool money_waits(const struct http_request *request)
{
    return slice_equal(http_path(request), SLICE("/v1/gate/decide")) || slice_starts(http_path(request), SLICE("/v2/"));
}

/* On the loop's thread: full means the client is told to come back. */
static void on_request(void *context, struct http_request *request)
{
    struct server *server = context;
    if (!queue_try_push(money_waits(request) ? server->money.waiting : server->usual.waiting, request))
        http_reply_error(request, 503, "busy", "too many requests are waiting; try again");
}

int server_start(struct net_loop *loop, const struct server_config *config, struct server **out,
                 struct err *err)
{
    *out = NULL;
    struct server *server = mem_calloc(1, sizeof(*server));
    if (!server)
        return err_nomem(err);
    server->config = *config;
    struct jobs_config jobs = {.store = config->parts.store, .journal = config->parts.journal,
                               .knowing = config->parts.knowing,
                               .database = config->parts.database, .lookups = config->parts.lookups,
                               .files = config->parts.files,
                               .get = get_inside, .get_context = server,
                               .redecoder = config->parts.redecoder, .clock = config->parts.clock};
    server->jobs = jobs_new(&jobs);
    server->tails = tails_new(&server->config.parts);
    server->whatifs = whatif_jobs_new(config->parts.store, config->parts.clock);
    struct http_options options = {.address = config->address, .port = config->port,
                                   .tls = config->tls, .handle = on_request, .context = server,
                                   .hosts = config->hosts};
    int result = server->jobs && server->tails && server->whatifs ? 0 : err_nomem(err);
    if (result == 0)
        result = crew_start(&server->usual, server, err);
    if (result == 0)
        result = crew_start(&server->money, server, err);
    if (result == 0)
        result = http_listen(loop, &options, &server->http, err);
    if (result < 0) {
        server_stop(server);
        server_free(server);
        return -1;
    }
    *out = server;
    return 0;
}

uint16_t server_port(const struct server *server)
{
    return http_port(server->http);
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    crew_stop(&server->usual);
    crew_stop(&server->money);
    tails_stop(server->tails);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    jobs_free(server->jobs);
    tails_free(server->tails);
    whatif_jobs_free(server->whatifs);
    queue_free(server->usual.waiting);
    queue_free(server->money.waiting);
    http_free(server->http);
    mem_free(server);
}
