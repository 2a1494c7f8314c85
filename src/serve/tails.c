#include "serve/tails.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "search/live.h"
#include "search/live_source.h"
#include "search/output.h"
#include "search/parser.h"
#include "search/table_source.h"
#include "serve/knowing.h"

#include <pthread.h>
#include <unistd.h>

/* Behind what takes events in, before searches, which somebody looks at less eagerly. */
enum { TAIL_NICE = 5 };
enum { TAIL_PIECE_BYTES = 32 * 1024, TAIL_ARENA_MAX = 64 * 1024 * 1024 };

struct tails {
    const struct server_parts *parts;
    pthread_mutex_t lock; /* of count */
    pthread_cond_t fewer;
    uint32_t count; /* planned or running */
    atomic_bool stopping;
};

struct tail {
    struct tails *tails;
    struct arena *arena; /* the request, the query's trees */
    struct tail_request request;
    struct knowledge *knowledge;
    struct table_backend *tables;
    struct live_source live;
    struct search *search;
    struct http_stream *stream;
    struct buffer lines; /* whole ones, on their way */
    uint64_t line_count; /* events in them */
    uint64_t sent, passed_over; /* events; for want of room or time */
    uint64_t untold_reader, untold_server; /* of passed_over */
    int64_t alive_ns; /* mono; when it last said so */
};

struct tails *tails_new(const struct server_parts *parts)
{
    struct tails *tails = mem_calloc(1, sizeof(*tails));
    if (!tails)
        return NULL;
    tails->parts = parts;
    pthread_mutex_init(&tails->lock, NULL);
    pthread_cond_init(&tails->fewer, NULL);
    return tails;
}

void tails_stop(struct tails *tails)
{
    if (!tails)
        return;
    atomic_store(&tails->stopping, true);
    pthread_mutex_lock(&tails->lock);
    while (tails->count)
        pthread_cond_wait(&tails->fewer, &tails->lock);
    pthread_mutex_unlock(&tails->lock);
}

void tails_free(struct tails *tails)
{
    if (!tails)
        return;
    pthread_cond_destroy(&tails->fewer);
    pthread_mutex_destroy(&tails->lock);
    mem_free(tails);
}

/* ---- lines ---- */

static void open_line(struct json *json, struct buffer *to, const char *key)
{
    json_init(json, to);
    json_open(json, '{');
    json_key(json, key);
}

static void close_line(struct json *json, struct buffer *to)
{
    json_close(json, '}');
    buffer_put_char(to, '\n');
}

/* Events that nobody will see: once there is room. */
static bool tell_skipped(struct tail *tail, const char *where, uint64_t *count)
{
    struct buffer line;
    struct json json;
    if (*count == 0)
        return true;
    buffer_init(&line, KIB);
    open_line(&json, &line, "skipped");
    json_open(&json, '{');
    json_put_i64(&json, "events", (int64_t)*count);
    json_put_text(&json, "where", slice_text(where));
    json_close(&json, '}');
    close_line(&json, &line);
    bool told = !buffer_failed(&line) && http_stream_put(tail->stream, buffer_slice(&line));
    if (told)
        *count = 0;
    buffer_close(&line);
    return told;
}

/* What was skipped stands before what comes after it. */
static void send_lines(struct tail *tail)
{
    if (tail->lines.len == 0 && !buffer_failed(&tail->lines))
        return;
    if (!buffer_failed(&tail->lines) && tell_skipped(tail, "reader", &tail->untold_reader) &&
        http_stream_put(tail->stream, buffer_slice(&tail->lines))) {
        tail->sent += tail->line_count;
    } else {
        tail->untold_reader += tail->line_count;
        tail->passed_over += tail->line_count;
    }
    buffer_clear(&tail->lines);
    tail->line_count = 0;
}

static int take_rows(void *context, const struct search_result *part, struct err *err)
{
    struct tail *tail = context;
    (void)err;
    for (uint32_t row = 0; row < part->row_count; row++) {
        struct json json;
        open_line(&json, &tail->lines, "event");
        output_put_row(part, row, &json);
        close_line(&json, &tail->lines);
        tail->line_count++;
        if (tail->lines.len >= TAIL_PIECE_BYTES || buffer_failed(&tail->lines))
            send_lines(tail);
    }
    return 0;
}

static void tell_time(struct tail *tail, const char *key)
{
    struct json json;
    open_line(&json, &tail->lines, key);
    json_open(&json, '{');
    json_put_time(&json, "time", clock_wall_ns(tail->tails->parts->clock));
    json_put_i64(&json, "seen", (int64_t)tail->live.rows_seen);
    json_put_i64(&json, "sent", (int64_t)tail->sent);
    json_put_i64(&json, "skipped", (int64_t)tail->passed_over);
    json_close(&json, '}');
    close_line(&json, &tail->lines);
    send_lines(tail);
    tail->alive_ns = clock_mono_ns(tail->tails->parts->clock);
}

static void tell_end(struct tail *tail, const char *code, const char *message)
{
    struct json json;
    open_line(&json, &tail->lines, "end");
    json_open(&json, '{');
    json_put_text(&json, "code", slice_text(code));
    json_put_text(&json, "message", slice_text(message));
    json_close(&json, '}');
    close_line(&json, &tail->lines);
    send_lines(tail);
}

/* ---- running ---- */

static bool may_still_look(const struct tail *tail)
{
    const struct tail_request *request = &tail->request;
    const struct server_parts *parts = tail->tails->parts;
    struct arena *arena = arena_new(MIB);
    struct session session;
    struct token token;
    struct err err;
    bool may = false;
    if (arena && request->session.ptr)
        may = sessions_look(parts->database, parts->clock, request->session, arena, &session,
                            &err) == 0 &&
              role_allows(session.user.role, ROLE_VIEWER);
    else if (arena && request->token.ptr)
        may = tokens_find(parts->database, parts->clock, request->token, request->peer, arena, &token,
                          &err) == 0 &&
              role_allows(token.role, ROLE_VIEWER);
    arena_free(arena);
    return may;
}

static bool is_time_for_alive(const struct tail *tail)
{
    return clock_mono_ns(tail->tails->parts->clock) - tail->alive_ns >= TAIL_ALIVE_MS * NS_PER_MS;
}

/* Until somebody or something ends it. */
static void walk(struct tail *tail)
{
    struct err err;
    while (http_stream_is_open(tail->stream)) {
        if (atomic_load(&tail->tails->stopping)) {
            tell_end(tail, "stopping", "the server is stopping");
            return;
        }
        if (search_step(tail->search, &err) < 0) {
            tell_end(tail, "failed", err.text);
            return;
        }
        tail->untold_server += tail->live.rows_skipped;
        tail->passed_over += tail->live.rows_skipped;
        tail->live.rows_skipped = 0;
        send_lines(tail);
        tell_skipped(tail, "server", &tail->untold_server);
        tell_skipped(tail, "reader", &tail->untold_reader);
        if (!is_time_for_alive(tail))
            continue;
        if (!may_still_look(tail)) {
            tell_end(tail, "sign_in", "please sign in");
            return;
        }
        tell_time(tail, "alive");
    }
}

void tails_forget(struct tail *tail)
{
    struct tails *tails = tail->tails;
    search_free(tail->search);
    know_release(tail->knowledge);
    table_backend_free(tail->tables);
    buffer_close(&tail->lines);
    arena_free(tail->arena);
    mem_free(tail);
    pthread_mutex_lock(&tails->lock);
    tails->count--;
    pthread_cond_signal(&tails->fewer);
    pthread_mutex_unlock(&tails->lock);
}

static void *run(void *context)
{
    struct tail *tail = context;
    struct http_stream *stream = tail->stream;
    pthread_setname_np(pthread_self(), "tail");
    thread_stand_behind(TAIL_NICE);
    tell_time(tail, "start");
    walk(tail);
    http_stream_end(stream);
    tails_forget(tail);
    return NULL;
}

void tails_run(struct tail *tail, struct http_stream *stream)
{
    pthread_t thread;
    tail->stream = stream;
    if (pthread_create(&thread, NULL, run, tail) == 0) {
        pthread_detach(thread); /* tails_stop() waits for all */
        return;
    }
    tell_end(tail, "failed", "the server cannot start another thread; try again");
    http_stream_end(stream);
    tails_forget(tail);
}

/* ---- planning ---- */

static int copy_request(struct tail *tail, const struct tail_request *request, struct err *err)
{
    struct arena *arena = tail->arena;
    tail->request = (struct tail_request){.query = arena_copy(arena, request->query),
                                          .owner = arena_copy(arena, request->owner),
                                          .zone = request->zone,
                                          .peer = arena_copy(arena, request->peer)};
    if (request->session.ptr)
        tail->request.session = arena_copy(arena, request->session);
    if (request->token.ptr)
        tail->request.token = arena_copy(arena, request->token);
    bool signed_in = tail->request.session.ptr || tail->request.token.ptr;
    return tail->request.query.ptr && tail->request.owner.ptr && tail->request.peer.ptr && signed_in
               ? 0
               : err_nomem(err);
}

static int plan(struct tail *tail, struct err *err)
{
    const struct server_parts *parts = tail->tails->parts;
    const struct tail_request *request = &tail->request;
    struct spl_options reading = {.knowledge = tail->knowledge, .person = request->owner};
    struct spl_query *query;
    if (table_backend_new(NULL, parts->lookups, &tail->tables, err) < 0 ||
        spl_parse_with(request->query, tail->arena, &reading, &query, err) < 0)
        return -1;
    live_source_init(&tail->live, parts->store, parts->clock);
    tail->live.backend.files = parts->files;
    struct search_options options = {.backend = &tail->live.backend,
                                     .clock = parts->clock,
                                     .zone = request->zone,
                                     .knowledge = tail->knowledge,
                                     .person = request->owner,
                                     .tables = table_backend_get(tail->tables),
                                     .take = take_rows,
                                     .take_context = tail};
    return live_search_new(query, &options, &tail->search, err);
}

static bool take_place(struct tails *tails)
{
    pthread_mutex_lock(&tails->lock);
    bool free = tails->count < TAILS_MAX;
    tails->count += free;
    pthread_mutex_unlock(&tails->lock);
    return free;
}

int tails_plan(struct tails *tails, const struct tail_request *request, struct tail **out,
               struct err *err)
{
    *out = NULL;
    if (!take_place(tails))
        return err_set(err, ERR_LIMIT, "%d live searches are running already; end one of them",
                       TAILS_MAX);
    struct tail *tail = mem_calloc(1, sizeof(*tail));
    if (!tail) {
        pthread_mutex_lock(&tails->lock);
        tails->count--;
        pthread_mutex_unlock(&tails->lock);
        return err_nomem(err);
    }
    tail->tails = tails;
    tail->arena = arena_new(TAIL_ARENA_MAX);
    tail->knowledge = knowing_hold(tails->parts->knowing);
    buffer_init(&tail->lines, TAIL_BYTES_MAX);
    if ((tail->arena ? copy_request(tail, request, err) : err_nomem(err)) < 0 ||
        plan(tail, err) < 0) {
        tails_forget(tail);
        return -1;
    }
    *out = tail;
    return 0;
}
