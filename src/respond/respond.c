#include "respond/respond.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/queue.h"
#include "net/http_client.h"
#include "respond/incident_json.h"
#include "respond/join.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define JOIN_WINDOW_NS (24 * NS_PER_HOUR)
enum { RETRY_MS = 1000, TEXTS = 6 };
#define ITEM_BYTES_MAX (4 * MIB)
#define ARENA_BYTES_MAX (64 * MIB)

struct respond {
    struct respond_config config; /* its texts are copied into the arena */
    struct arena *arena;
    struct queue *queue;          /* of struct item; full: the sender waits */
    struct outbox *outbox;
    struct join join;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t idle;
    uint64_t put, filed;
    bool stopping;
    pthread_mutex_t telling; /* around changed(); see tell_changed */
};

struct item { /* a finding and its texts as bytes */
    struct buffer bytes;
};

static void note(const struct respond *respond, const char *text)
{
    if (respond->config.note)
        respond->config.note(respond->config.context, text);
}

/* ---- a finding as an item of the queue ---- */

static void list_texts(struct respond_texts *texts, struct slice *list[TEXTS])
{
    struct slice *all[TEXTS] = {&texts->why_en,   &texts->why_ja, &texts->check_en,
                                &texts->check_ja, &texts->do_en,  &texts->do_ja};
    memcpy(list, all, sizeof(all));
}

static struct item *item_new(const struct finding *finding, const struct respond_texts *texts)
{
    struct item *item = mem_calloc(1, sizeof(*item));
    struct respond_texts copy = texts ? *texts : (struct respond_texts){0};
    struct slice *list[TEXTS];
    if (!item)
        return NULL;
    list_texts(&copy, list);
    buffer_init(&item->bytes, ITEM_BYTES_MAX);
    for (int i = 0; i < TEXTS; i++) {
        buffer_put_varint(&item->bytes, list[i]->len);
        buffer_put(&item->bytes, *list[i]);
    }
    finding_encode(finding, &item->bytes);
    if (!buffer_failed(&item->bytes))
        return item;
    buffer_close(&item->bytes);
    mem_free(item);
    return NULL;
}

static void item_free(struct item *item)
{
    buffer_close(&item->bytes);
    mem_free(item);
}

static int item_read(const struct item *item, struct arena *arena, struct finding *finding,
                     struct respond_texts *texts, struct err *err)
{
    struct slice bytes = buffer_slice(&item->bytes), *list[TEXTS];
    list_texts(texts, list);
    for (int i = 0; i < TEXTS; i++) {
        uint64_t len;
        if (!slice_take_varint(&bytes, &len) || !slice_take(&bytes, (size_t)len, list[i]))
            return err_set(err, ERR_CORRUPT, "the texts of a finding are damaged");
    }
    return finding_decode(bytes, arena, finding, err);
}

/* ---- telling the gate ---- */

/* The state is read and told under one lock, for otherwise a thread that read "open" could tell it
 * after another one told "closed". This is the one lock held over a call outwards. */
static void tell_changed(struct respond *respond, int64_t id)
{
    struct err err;
    struct incident incident;
    char name[INCIDENT_NAME_SIZE];
    if (!respond->config.changed)
        return;
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    incident_name(id, name);
    pthread_mutex_lock(&respond->telling);
    if (!arena)
        note(respond, "out of memory while telling the gate of an incident");
    else if (incident_read(respond->config.database, id, arena, &incident, &err) < 0)
        note(respond, err.text);
    else
        respond->config.changed(respond->config.context, slice_text(name), incident.severity,
                                !slice_is(incident.state, "closed"), incident.entities,
                                incident.entity_count);
    pthread_mutex_unlock(&respond->telling);
    arena_free(arena);
}

static int tell_all(struct respond *respond, struct err *err)
{
    struct database *database = respond->config.database;
    for (int64_t id = 0;;) {
        if (incident_number(database, "SELECT min(id) FROM incidents WHERE state!='closed' AND id>?1",
                            id, &id, err) < 0)
            return -1;
        if (id == 0)
            return 0;
        tell_changed(respond, id);
    }
}

/* ---- the thread ---- */

static int file_once(struct respond *respond, const struct item *item, struct err *err)
{
    struct finding finding;
    struct respond_texts texts;
    struct join_result result;
    struct database *database = respond->config.database;
    arena_reset(respond->join.arena);
    if (item_read(item, respond->join.arena, &finding, &texts, err) < 0 ||
        database_begin(database, err) < 0)
        return -1;
    if (join_finding(&respond->join, &finding, &texts, clock_wall_ns(respond->config.clock), &result,
                     err) < 0) {
        database_rollback(database);
        return -1;
    }
    if (database_commit(database, err) < 0)
        return -1;
    for (size_t i = 0; i < result.changed_count; i++)
        tell_changed(respond, result.changed[i]);
    outbox_wake(respond->outbox);
    return 0;
}

static bool is_stopping(struct respond *respond)
{
    pthread_mutex_lock(&respond->lock);
    bool stopping = respond->stopping;
    pthread_mutex_unlock(&respond->lock);
    return stopping;
}

/* A full disk passes; the queue fills meanwhile and its senders wait. What can never be filed is said
 * and left out. */
static void file(struct respond *respond, const struct item *item)
{
    struct err err;
    bool said = false;
    while (file_once(respond, item, &err) < 0) {
        char line[ERR_TEXT_SIZE + 64];
        bool again = (err.code == ERR_IO || err.code == ERR_NOMEM) && !is_stopping(respond);
        snprintf(line, sizeof(line), "a finding could not be filed%s: %s",
                 again ? ", trying again" : "", err.text);
        if (!said || !again)
            note(respond, line);
        said = true;
        if (!again)
            return;
        nanosleep(&(struct timespec){.tv_sec = RETRY_MS / 1000}, NULL);
    }
}

static void *run(void *context)
{
    struct respond *respond = context;
    struct item *item;
    pthread_setname_np(pthread_self(), "respond");
    while ((item = queue_pop(respond->queue)) != NULL) {
        file(respond, item);
        item_free(item);
        pthread_mutex_lock(&respond->lock);
        respond->filed++;
        pthread_cond_broadcast(&respond->idle);
        pthread_mutex_unlock(&respond->lock);
    }
    return NULL;
}

/* ---- start and stop ---- */

static bool copy_text(struct arena *arena, struct slice *text)
{
    if (text->ptr)
        *text = arena_copy(arena, *text);
    else
        *text = SLICE("");
    return text->ptr != NULL;
}

static int copy_config(struct respond *respond, const struct respond_config *config, struct err *err)
{
    struct arena *arena = respond->arena;
    struct respond_notifier *rows = arena_array(arena, config->notifier_count + 1, sizeof(*rows));
    respond->config = *config;
    bool good = rows && copy_text(arena, &respond->config.link);
    for (size_t i = 0; good && i < config->notifier_count; i++) {
        rows[i] = config->notifiers[i];
        good = copy_text(arena, &rows[i].kind) && copy_text(arena, &rows[i].name) &&
               copy_text(arena, &rows[i].url) && copy_text(arena, &rows[i].secret);
    }
    respond->config.notifiers = rows;
    if (!config->rand)
        respond->config.rand = rand_real();
    if (!config->net)
        respond->config.net = net_real();
    return good ? 0 : err_nomem(err);
}

static int start(struct respond *respond, const struct respond_config *config, struct err *err)
{
    respond->arena = arena_new(1 * MIB);
    respond->queue = queue_new(RESPOND_QUEUE_SLOTS);
    respond->join.arena = arena_new(ARENA_BYTES_MAX);
    if (!respond->arena || !respond->queue || !respond->join.arena)
        return err_nomem(err);
    if (copy_config(respond, config, err) < 0 || tell_all(respond, err) < 0 ||
        outbox_start(&respond->config, &respond->outbox, err) < 0)
        return -1;
    respond->join.database = config->database;
    respond->join.outbox = respond->outbox;
    respond->join.window_ns = config->join_window_ns ? config->join_window_ns : JOIN_WINDOW_NS;
    int code = pthread_create(&respond->thread, NULL, run, respond);
    if (code != 0)
        return err_set_errno(err, code, "a thread for incidents");
    respond->started = true;
    return 0;
}

int respond_start(const struct respond_config *config, struct respond **out, struct err *err)
{
    *out = NULL;
    struct respond *respond = mem_calloc(1, sizeof(*respond));
    if (!respond)
        return err_nomem(err);
    pthread_mutex_init(&respond->lock, NULL);
    pthread_mutex_init(&respond->telling, NULL);
    pthread_cond_init(&respond->idle, NULL);
    if (start(respond, config, err) < 0) {
        respond_stop(respond);
        return -1;
    }
    *out = respond;
    return 0;
}

void respond_stop(struct respond *respond)
{
    if (!respond)
        return;
    pthread_mutex_lock(&respond->lock);
    respond->stopping = true;
    pthread_mutex_unlock(&respond->lock);
    if (respond->queue)
        queue_close(respond->queue);
    if (respond->started)
        pthread_join(respond->thread, NULL);
    outbox_stop(respond->outbox);
    queue_free(respond->queue);
    arena_free(respond->join.arena);
    arena_free(respond->arena);
    pthread_cond_destroy(&respond->idle);
    pthread_mutex_destroy(&respond->telling);
    pthread_mutex_destroy(&respond->lock);
    mem_free(respond);
}

void respond_finding(struct respond *respond, const struct finding *finding,
                     const struct respond_texts *texts)
{
    struct item *item = item_new(finding, texts);
    if (!item) {
        note(respond, "out of memory: a finding makes no incident");
        return;
    }
    pthread_mutex_lock(&respond->lock);
    respond->put++;
    pthread_mutex_unlock(&respond->lock);
    if (queue_push(respond->queue, item))
        return;
    item_free(item); /* stopping: the journal will tell it again */
    pthread_mutex_lock(&respond->lock);
    respond->filed++;
    pthread_mutex_unlock(&respond->lock);
}

void respond_flush(struct respond *respond)
{
    pthread_mutex_lock(&respond->lock);
    uint64_t until = respond->put;
    while (respond->filed < until)
        pthread_cond_wait(&respond->idle, &respond->lock);
    pthread_mutex_unlock(&respond->lock);
}

/* ---- what people do ---- */

static int parse_id(struct slice name, int64_t *id, struct err *err)
{
    return incident_parse_name(name, id)
               ? 0
               : err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(name));
}

static int check_text(struct slice text, const char *what, struct err *err)
{
    if (slice_trim(text).len == 0)
        return err_set(err, ERR_CONFIG, "%s is needed", what);
    if (text.len > RESPOND_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "%s has at most %d bytes", what, RESPOND_TEXT_MAX);
    return 0;
}

struct deed { /* something a person does to an incident */
    struct respond *respond;
    int64_t id, now;
    struct slice user, text;
    struct arena *arena;
    struct incident incident; /* as it was before */
    bool changes;
};

static int add_entry(struct deed *deed, const char *kind, struct slice en, struct slice ja,
                     struct err *err)
{
    const struct timeline_entry entry = {
        .time_ns = deed->now, .kind = kind, .en = en, .ja = ja, .user = deed->user};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(deed->respond->config.database, deed->id, &entry, err);
}

static int do_acknowledge(struct deed *deed, struct err *err)
{
    struct slice owner = deed->incident.owner;
    if (slice_is(deed->incident.state, "acknowledged")) {
        deed->changes = false;
        return slice_equal(owner, deed->user)
                   ? 0 /* a second click */
                   : err_set(err, ERR_CONFLICT, "INC-%lld was acknowledged by %.*s already",
                             (long long)deed->id, SLICE_ARG(owner));
    }
    if (incident_set_state(deed->respond->config.database, deed->id, "open", "acknowledged",
                           deed->user, deed->now, err) < 0)
        return -1;
    return add_entry(deed, "state",
                     arena_printf(deed->arena, "Acknowledged by %.*s", SLICE_ARG(deed->user)),
                     arena_printf(deed->arena, "%.*s が対応を開始しました", SLICE_ARG(deed->user)), err);
}

static int do_comment(struct deed *deed, struct err *err)
{
    deed->changes = false;
    return add_entry(deed, "comment", deed->text, deed->text, err);
}

static int do_close(struct deed *deed, struct err *err)
{
    if (do_comment(deed, err) < 0 ||
        add_entry(deed, "state", arena_printf(deed->arena, "Closed by %.*s", SLICE_ARG(deed->user)),
                  arena_printf(deed->arena, "%.*s が終了しました", SLICE_ARG(deed->user)), err) < 0 ||
        incident_set_state(deed->respond->config.database, deed->id, NULL, "closed", SLICE_NONE,
                           deed->now, err) < 0)
        return -1;
    deed->changes = true;
    deed->incident.state = SLICE("closed");
    return outbox_put(deed->respond->outbox, &deed->incident, "closed", err);
}

static int read_and_do(struct deed *deed, int (*act)(struct deed *deed, struct err *err),
                       struct err *err)
{
    if (incident_read(deed->respond->config.database, deed->id, deed->arena, &deed->incident, err) < 0)
        return -1;
    if (slice_is(deed->incident.state, "closed"))
        return err_set(err, ERR_CONFLICT, "INC-%lld is closed and does not change any more",
                       (long long)deed->id);
    return act(deed, err);
}

static int with_incident(struct respond *respond, struct slice name, struct slice user,
                         struct slice text, int (*act)(struct deed *deed, struct err *err),
                         struct err *err)
{
    struct database *database = respond->config.database;
    struct deed deed = {.respond = respond, .user = user, .text = text, .changes = true,
                        .now = clock_wall_ns(respond->config.clock)};
    int result = -1;
    if (parse_id(name, &deed.id, err) < 0)
        return -1;
    deed.arena = arena_new(ARENA_BYTES_MAX);
    if (!deed.arena)
        return err_nomem(err);
    if (database_begin(database, err) == 0) {
        result = read_and_do(&deed, act, err);
        if (result < 0)
            database_rollback(database);
        else
            result = database_commit(database, err);
    }
    if (result == 0 && deed.changes) {
        tell_changed(respond, deed.id);
        outbox_wake(respond->outbox);
    }
    arena_free(deed.arena);
    return result;
}

int respond_acknowledge(struct respond *respond, struct slice id, struct slice user, struct err *err)
{
    return with_incident(respond, id, user, SLICE_NONE, do_acknowledge, err);
}

int respond_close(struct respond *respond, struct slice id, struct slice user, struct slice comment,
                  struct err *err)
{
    if (check_text(comment, "a comment that says why it is closed", err) < 0)
        return -1;
    return with_incident(respond, id, user, comment, do_close, err);
}

int respond_comment(struct respond *respond, struct slice id, struct slice user, struct slice text,
                    struct err *err)
{
    if (check_text(text, "a comment", err) < 0)
        return -1;
    return with_incident(respond, id, user, text, do_comment, err);
}

/* ---- reading ---- */

int respond_list_json(struct respond *respond, struct slice states, int64_t limit, struct json *json,
                      struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    if (!arena)
        return err_nomem(err);
    int result = incident_list_json(respond->config.database, states, limit, arena, json, err);
    arena_free(arena);
    return result;
}

int respond_incident_json(struct respond *respond, struct slice id, struct json *json, struct err *err)
{
    int64_t number;
    if (parse_id(id, &number, err) < 0)
        return -1;
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    if (!arena)
        return err_nomem(err);
    int result = incident_json(respond->config.database, number, arena, json, err);
    arena_free(arena);
    return result;
}

static uint64_t count(struct respond *respond, const char *sql)
{
    int64_t n;
    struct err err;
    return incident_number(respond->config.database, sql, 0, &n, &err) < 0 ? 0 : (uint64_t)n;
}

struct respond_stats respond_stats(struct respond *respond)
{
    return (struct respond_stats){
        .open = count(respond, "SELECT count(*) FROM incidents WHERE state='open'"),
        .acknowledged = count(respond, "SELECT count(*) FROM incidents WHERE state='acknowledged'"),
        .pending_notifications = count(respond, "SELECT count(*) FROM outbox WHERE done_ns IS NULL"),
        .failed_notifications = count(respond, "SELECT count(*) FROM outbox WHERE failed=1"),
    };
}
