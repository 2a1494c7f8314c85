#include "respond/respond.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/queue.h"
#include "net/http_client.h"
#include "respond/incidents/cases.h"
#include "respond/inside.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define JOIN_WINDOW_NS (24 * NS_PER_HOUR)
/* Findings of a storm share a transaction, for each one costs a write to the disk. */
enum { PATH_ROOM = 4500 };
enum { RETRY_S = 1, TEXTS = 6, TOGETHER_MAX = 64 };
#define ITEM_BYTES_MAX (4 * MIB)

void respond_note(const struct respond *respond, const char *text)
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
void respond_tell(struct respond *respond, int64_t id, bool closed)
{
    struct err err;
    struct incident incident;
    char name[INCIDENT_NAME_SIZE];
    if (!respond->config.changed)
        return;
    struct arena *arena = arena_new(RESPOND_ARENA_MAX);
    incident_name(id, name);
    pthread_mutex_lock(&respond->telling);
    if (!arena)
        respond_note(respond, "out of memory while telling the gate of an incident");
    else if (incident_read(respond->config.database, id, arena, &incident, &err) < 0)
        respond_note(respond, err.text);
    else if (slice_is(incident.state, "closed") == closed)
        respond->config.changed(respond->config.context, slice_text(name), incident.severity, !closed,
                                incident.entities, incident.entity_count);
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
        respond_tell(respond, id, false);
    }
}

/* ---- the thread ---- */

struct filing { /* findings that share a transaction */
    struct item *items[TOGETHER_MAX];
    size_t count;
    int64_t changed[TOGETHER_MAX * JOIN_CHANGED_MAX]; /* each once */
    size_t changed_count;
};

static void add_changed(struct filing *filing, const struct join_result *result)
{
    for (size_t i = 0; i < result->changed_count; i++) {
        size_t at = 0;
        while (at < filing->changed_count && filing->changed[at] != result->changed[i])
            at++;
        filing->changed[at] = result->changed[i];
        filing->changed_count += at == filing->changed_count;
    }
}

static int join_one(struct respond *respond, const struct item *item, struct filing *filing,
                    struct err *err)
{
    struct finding finding;
    struct respond_texts texts;
    struct join_result result;
    arena_reset(respond->join.arena);
    if (item->of_gate)
        return item->is_call ? gate_call_file(&respond->join, buffer_slice(&item->bytes), err)
                             : gate_entry_file(&respond->join, buffer_slice(&item->bytes), err);
    if (item_read(item, respond->join.arena, &finding, &texts, err) < 0 ||
        join_finding(&respond->join, &finding, &texts, clock_wall_ns(respond->config.clock), &result,
                     err) < 0)
        return -1;
    add_changed(filing, &result);
    return 0;
}

/* Items from..to in one transaction: all or none. What was merged away is told last, so that the gate
 * is never without the incident that took it over. */
static int file_some(struct respond *respond, struct filing *filing, size_t from, size_t to,
                     struct err *err)
{
    struct database *database = respond->config.database;
    filing->changed_count = 0;
    if (database_begin(database, err) < 0)
        return -1;
    for (size_t i = from; i < to; i++)
        if (join_one(respond, filing->items[i], filing, err) < 0) {
            hubs_forget(&respond->memory.hubs);
            database_rollback(database);
            return -1;
        }
    if (database_commit(database, err) < 0)
        return -1;
    for (int closed = 0; closed < 2; closed++)
        for (size_t i = 0; i < filing->changed_count; i++)
            respond_tell(respond, filing->changed[i], closed);
    outbox_wake(respond->outbox);
    wake_now(respond->wake);
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
static void file_one(struct respond *respond, struct filing *filing, size_t at)
{
    struct err err;
    bool said = false;
    while (file_some(respond, filing, at, at + 1, &err) < 0) {
        char line[ERR_TEXT_SIZE + 128];
        bool again = (err.code == ERR_IO || err.code == ERR_NOMEM) && !is_stopping(respond);
        snprintf(line, sizeof(line), "a finding or a deed of the gate could not be filed%s: %s",
                 again ? ", trying again" : "", err.text);
        if (!said || !again)
            respond_note(respond, line);
        said = true;
        if (!again)
            return;
        nanosleep(&(struct timespec){.tv_sec = RETRY_S}, NULL);
    }
}

static void file_all(struct respond *respond, struct filing *filing)
{
    struct err err;
    if (file_some(respond, filing, 0, filing->count, &err) < 0)
        for (size_t i = 0; i < filing->count; i++) /* one of them spoils it: which? */
            file_one(respond, filing, i);
    for (size_t i = 0; i < filing->count; i++)
        item_free(filing->items[i]);
    pthread_mutex_lock(&respond->lock);
    respond->filed += filing->count;
    pthread_cond_broadcast(&respond->idle);
    pthread_mutex_unlock(&respond->lock);
}

static void *run(void *context)
{
    struct respond *respond = context;
    struct filing filing;
    struct item *item;
    pthread_setname_np(pthread_self(), "respond");
    while ((item = queue_pop(respond->queue)) != NULL) {
        filing.count = 0;
        do
            filing.items[filing.count++] = item;
        while (filing.count < TOGETHER_MAX && (item = queue_pop_wait(respond->queue, 0)) != NULL);
        file_all(respond, &filing);
    }
    return NULL;
}

/* ---- start and stop ---- */

/* A list that is in use is changed under the database's lock, as everything that decides where findings go. */
void respond_reload_assets(struct respond *respond)
{
    struct err err;
    struct assets *assets;
    char path[PATH_ROOM];
    if (!respond->config.assets.len)
        return;
    snprintf(path, sizeof(path), "%.*s", SLICE_ARG(respond->config.assets));
    if (assets_load(path, &assets, &err) < 0 || database_begin(respond->config.database, &err) < 0) {
        err_within(&err, "the list of assets is not taken, the one before stays");
        respond_note(respond, err.text);
        assets_free(assets);
        return;
    }
    struct assets *before = respond->memory.assets;
    respond->memory.assets = assets;
    database_rollback(respond->config.database);
    assets_free(before);
}

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
    bool good = rows && copy_text(arena, &respond->config.link) && copy_text(arena, &respond->config.assets);
    for (size_t i = 0; good && i < config->notifier_count; i++) {
        rows[i] = config->notifiers[i];
        good = copy_text(arena, &rows[i].kind) && copy_text(arena, &rows[i].name) &&
               copy_text(arena, &rows[i].url) && copy_text(arena, &rows[i].secret) && copy_text(arena, &rows[i].secret_next) &&
               copy_text(arena, &rows[i].user) && copy_text(arena, &rows[i].password) &&
               copy_text(arena, &rows[i].from) && copy_text(arena, &rows[i].to) &&
               copy_text(arena, &rows[i].ca_file);
    }
    respond->config.notifiers = rows;
    if (!config->rand)
        respond->config.rand = rand_real();
    if (!config->net)
        respond->config.net = net_real();
    return good ? 0 : err_nomem(err);
}

static int told(void *context, int64_t waking, struct slice receipt, struct slice failed, struct err *err)
{
    struct respond *respond = context;
    return page_told(wake_pager(respond->wake), waking, receipt, failed, err);
}

static void after_told(void *context)
{
    struct respond *respond = context;
    wake_now(respond->wake);
}

static void raise_finding(void *context, const struct finding *finding, const struct respond_texts *texts)
{
    respond_finding(context, finding, texts);
}

static int close_drill(void *context, int64_t incident, struct slice comment, struct err *err)
{
    char name[INCIDENT_NAME_SIZE];
    incident_name(incident, name);
    return respond_close(context, slice_text(name), SLICE("hinomi"), comment, SLICE("drill"), err);
}

/* The outbox tells pages what became of messages, so it begins last. */
static int open_waking(struct respond *respond, struct err *err)
{
    const struct outbox_hooks hooks = {told, after_told, respond};
    const struct wake_hooks wake_hooks = {raise_finding, close_drill, respond};
    int64_t latest;
    if (page_latest_pace(respond->config.database, &latest, err) < 0)
        return -1;
    pace_start(&respond->pace, respond->config.clock, latest);
    if (outbox_open(&respond->config, &respond->pace, &hooks, &respond->outbox, err) < 0 ||
        wake_open(&respond->config, &respond->pace, respond->outbox, &wake_hooks, &respond->wake, err) < 0 ||
        wake_start(respond->wake, err) < 0)
        return -1;
    return outbox_start(respond->outbox, err);
}

static int start(struct respond *respond, const struct respond_config *config, struct err *err)
{
    respond->arena = arena_new(1 * MIB);
    respond->queue = queue_new(RESPOND_QUEUE_SLOTS);
    respond->join.arena = arena_new(RESPOND_ARENA_MAX);
    if (!respond->arena || !respond->queue || !respond->join.arena)
        return err_nomem(err);
    if (copy_config(respond, config, err) < 0 || join_memory_init(&respond->memory, config->database, err) < 0)
        return -1;
    respond->join.memory = &respond->memory;
    respond_reload_assets(respond);
    if (tell_all(respond, err) < 0 || open_waking(respond, err) < 0)
        return -1;
    respond->join.database = config->database;
    respond->join.outbox = respond->outbox;
    respond->join.wake = respond->wake;
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
    outbox_halt(respond->outbox); /* its threads tell pages, and those put messages in */
    wake_stop(respond->wake);
    outbox_stop(respond->outbox);
    queue_free(respond->queue);
    join_memory_close(&respond->memory);
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
        respond_note(respond, "out of memory: a finding makes no incident");
        return;
    }
    (void)respond_put(respond, item, true); /* stopping: the journal will tell it again */
}

bool respond_put(struct respond *respond, struct item *item, bool wait)
{
    pthread_mutex_lock(&respond->lock);
    respond->put++;
    pthread_mutex_unlock(&respond->lock);
    if (wait ? queue_push(respond->queue, item) : queue_try_push(respond->queue, item))
        return true;
    item_free(item);
    pthread_mutex_lock(&respond->lock);
    respond->filed++;
    pthread_cond_broadcast(&respond->idle);
    pthread_mutex_unlock(&respond->lock);
    return false;
}

void respond_flush(struct respond *respond)
{
    pthread_mutex_lock(&respond->lock);
    uint64_t until = respond->put;
    while (respond->filed < until)
        pthread_cond_wait(&respond->idle, &respond->lock);
    pthread_mutex_unlock(&respond->lock);
}

uint64_t respond_mark(struct respond *respond)
{
    pthread_mutex_lock(&respond->lock);
    uint64_t mark = respond->put;
    pthread_mutex_unlock(&respond->lock);
    return mark;
}

bool respond_reached(struct respond *respond, uint64_t mark, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_REALTIME, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&respond->lock);
    int code = 0;
    while (respond->filed < mark && code == 0)
        code = pthread_cond_timedwait(&respond->idle, &respond->lock, &until);
    bool reached = respond->filed >= mark;
    pthread_mutex_unlock(&respond->lock);
    return reached;
}
