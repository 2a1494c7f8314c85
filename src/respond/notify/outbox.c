#include "respond/notify/outbox.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "respond/notify/notifier.h"

#include <pthread.h>
#include <stdio.h>

enum {
    KEY_BYTES = 16,
    REFUSALS_MAX = 3,      /* the other side may be half set up; then it is a mistake to be shown */
    IDLE_MS = 60000,       /* a wake comes when there is something; this is for lost ones */
    LOOK_MS = 1000,        /* while something waits for its time */
};
#define BACKOFF_LEAST_NS NS_PER_SECOND
#define BACKOFF_MOST_NS (5 * NS_PER_MINUTE)
#define RETRY_AFTER_MOST_S 3600
#define PERSON_BACKOFF_MOST_NS (30 * NS_PER_SECOND)

struct sender { /* a notifier and its thread */
    struct outbox *outbox;
    const struct respond_notifier *row;
    const struct notifier *notifier;
    struct arena *arena; /* of one attempt */
    pthread_t thread;
    bool started;
};

struct outbox {
    const struct respond_config *config;
    const struct pace *pace;
    struct outbox_hooks hooks;
    struct sender senders[RESPOND_NOTIFIERS_MAX];
    pthread_mutex_t lock; /* of the three below */
    pthread_cond_t woken;
    uint64_t wakes;
    bool stopping;
};

struct owed {
    int64_t id, incident, attempts, refusals, waking; /* incident 0: what the gate did; waking 0: news */
    struct slice event, payload, key, address;
};

static int64_t wall_of(const struct outbox *outbox)
{
    return clock_wall_ns(outbox->config->clock);
}

static void note(const struct outbox *outbox, const char *text)
{
    if (outbox->config->note)
        outbox->config->note(outbox->config->context, text);
}

/* ---- owing ---- */

/* Who has it is what all others want to know. */
static void say_owner(const struct incident *incident, struct arena *arena, struct notice *notice)
{
    if (!slice_is(notice->event, "acknowledged"))
        return;
    notice->text_en = arena_printf(arena, "%.*s has it.", SLICE_ARG(incident->owner));
    notice->text_ja = arena_printf(arena, "%.*s が対応しています。", SLICE_ARG(incident->owner));
}

static struct notice notice_of(const struct outbox *outbox, const struct incident *incident, const char *event,
                               struct arena *arena)
{
    char name[INCIDENT_NAME_SIZE];
    struct slice base = outbox->config->link;
    incident_name(incident->id, name);
    return (struct notice){
        .event = slice_text(event), .incident = arena_copy(arena, slice_text(name)),
        .title_en = incident->en[INCIDENT_TITLE], .title_ja = incident->ja[INCIDENT_TITLE],
        .severity = incident->severity, .entities = incident->entities, .entity_count = incident->entity_count,
        .entity_total = incident->entity_count, .sent_ns = wall_of(outbox),
        .link = base.len ? arena_printf(arena, "%.*s/#/incidents?id=%s", SLICE_ARG(base), name) : SLICE_NONE};
}

static void make_key(const struct outbox *outbox, char key[2 * KEY_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[KEY_BYTES];
    outbox->config->rand->fill(outbox->config->rand->context, bytes, sizeof(bytes));
    for (int i = 0; i < KEY_BYTES; i++) {
        key[2 * i] = hex[bytes[i] >> 4];
        key[2 * i + 1] = hex[bytes[i] & 15];
    }
}

struct message { /* a row to be */
    int64_t incident, waking;
    struct slice notifier, address;
    const struct notice *notice;
};

static int put_row(struct outbox *outbox, const struct message *message, struct slice payload, struct err *err)
{
    char key[2 * KEY_BYTES];
    make_key(outbox, key);
    return database_do(outbox->config->database,
                       "INSERT INTO outbox(incident,notifier,event,payload,key,created_ns,next_ns,waking,address)"
                       " VALUES(?1,?2,?3,?4,?5,?6,?6,nullif(?7,0),?8)",
                       BINDS(bind_i64(message->incident), bind_text(message->notifier),
                             bind_text(message->notice->event), bind_text(payload),
                             bind_text(slice_of(key, sizeof(key))), bind_i64(pace_now(outbox->pace)),
                             bind_i64(message->waking), bind_text(message->address)), err);
}

static int put_message(struct outbox *outbox, const struct message *message, struct err *err)
{
    struct buffer payload;
    struct json json;
    buffer_init(&payload, NOTICE_BYTES_MAX);
    json_init(&json, &payload);
    notice_put(message->notice, &json);
    int result = buffer_failed(&payload) ? err_nomem(err) : put_row(outbox, message, buffer_slice(&payload), err);
    buffer_close(&payload);
    return result;
}

int outbox_put(struct outbox *outbox, const struct incident *incident, const char *event,
               struct arena *arena, struct err *err)
{
    struct notice notice = notice_of(outbox, incident, event, arena);
    int result = 0;
    say_owner(incident, arena, &notice);
    for (size_t i = 0; i < outbox->config->notifier_count && result == 0; i++) {
        const struct message message = {.incident = incident->id, .notifier = outbox->senders[i].row->name,
                                        .notice = &notice};
        if (incident->severity >= outbox->senders[i].row->least && notifier_takes_news(outbox->senders[i].row))
            result = put_message(outbox, &message, err);
    }
    return result;
}

int outbox_put_waking(struct outbox *outbox, int64_t incident, int64_t waking, struct slice notifier,
                      struct slice address, const struct notice *notice, struct err *err)
{
    const struct message message = {incident, waking, notifier, address, notice};
    return put_message(outbox, &message, err);
}

int outbox_put_gate(struct outbox *outbox, const struct respond_gate_call *call, struct arena *arena, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < outbox->config->notifier_count && result == 0; i++) {
        const struct respond_notifier *row = outbox->senders[i].row;
        if (!row->gate.len || (call->plain && !slice_is(row->gate, "all")))
            continue;
        struct slice key = arena_printf(arena, "gate/%.*s/%.*s", SLICE_ARG(row->name), SLICE_ARG(call->key));
        result = key.ptr ? database_do(outbox->config->database,
                                       "INSERT OR IGNORE INTO outbox(notifier,event,payload,key,created_ns,next_ns)"
                                       " VALUES(?1,?2,?3,?4,?5,?5)",
                                       BINDS(bind_text(row->name), bind_text(call->event), bind_text(call->payload), bind_text(key),
                                             bind_i64(pace_now(outbox->pace))), err)
                         : err_nomem(err);
    }
    return result;
}

int outbox_withdraw(struct outbox *outbox, int64_t page, const char *why, struct err *err)
{
    return database_do(outbox->config->database,
                       "UPDATE outbox SET done_ns=?2,last_error=?3 WHERE done_ns IS NULL AND waking IN"
                       " (SELECT id FROM wakings WHERE page=?1)",
                       BINDS(bind_i64(page), bind_i64(pace_now(outbox->pace)), bind_text(slice_text(why))), err);
}

/* ---- sending ---- */

/* No earlier one of the same incident to the same address waits. */
#define IS_FIRST                                                                                   \
    "NOT EXISTS(SELECT 1 FROM outbox p WHERE p.done_ns IS NULL AND p.notifier=o.notifier"          \
    " AND p.incident IS o.incident AND p.address IS o.address AND p.id<o.id)"

/* The next one due: 1, 0 for none, -1. Persons go first; an earlier one of the same incident to the same address goes
 * before a later one. */
static int take_due(struct sender *sender, struct owed *owed, struct err *err)
{
    struct outbox *outbox = sender->outbox;
    struct query *query;
    if (query_begin(outbox->config->database,
                    "SELECT id,incident,attempts,refusals,event,payload,key,address,waking FROM outbox o"
                    " WHERE done_ns IS NULL AND notifier=?1 AND next_ns<=?2 AND " IS_FIRST
                    " ORDER BY waking IS NULL,next_ns,id LIMIT 1", &query, err) < 0)
        return -1;
    query_text(query, 1, sender->row->name);
    query_i64(query, 2, pace_now(outbox->pace));
    int result = query_step(query, err);
    if (result == 1) {
        owed->id = query_get_i64(query, 0);
        owed->incident = query_get_i64(query, 1);
        owed->attempts = query_get_i64(query, 2) + 1;
        owed->refusals = query_get_i64(query, 3);
        owed->event = query_get_text(query, 4, sender->arena);
        owed->payload = query_get_text(query, 5, sender->arena);
        owed->key = query_get_text(query, 6, sender->arena);
        owed->address = query_get_text(query, 7, sender->arena);
        owed->waking = query_get_i64(query, 8);
    }
    query_end(query);
    if (result == 1 && (!owed->event.ptr || !owed->payload.ptr || !owed->key.ptr))
        return err_nomem(err);
    return result;
}

static int64_t backoff(const struct outbox *outbox, const struct owed *owed, int64_t wait_s)
{
    int64_t most = owed->waking ? PERSON_BACKOFF_MOST_NS : BACKOFF_MOST_NS;
    int64_t delay = BACKOFF_LEAST_NS << (owed->attempts > 10 ? 9 : owed->attempts - 1);
    if (delay > most)
        delay = most;
    delay -= (int64_t)rand_below(outbox->config->rand, (uint64_t)delay / 2);
    if (wait_s > RETRY_AFTER_MOST_S)
        wait_s = RETRY_AFTER_MOST_S;
    return delay > wait_s * NS_PER_SECOND ? delay : wait_s * NS_PER_SECOND;
}

static int note_attempt(struct sender *sender, const struct owed *owed, bool done, bool failed,
                        int64_t next_ns, struct slice why, struct slice receipt, struct err *err)
{
    struct query *query;
    if (query_begin(sender->outbox->config->database,
                    "UPDATE outbox SET attempts=?2,refusals=?3,next_ns=?4,done_ns=coalesce(?5,done_ns),failed=?6,"
                    "last_error=?7,receipt=?8 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, owed->id);
    query_i64(query, 2, owed->attempts);
    query_i64(query, 3, owed->refusals);
    query_i64(query, 4, next_ns);
    if (done)
        query_i64(query, 5, pace_now(sender->outbox->pace));
    query_i64(query, 6, failed);
    query_text(query, 7, why);
    query_text(query, 8, receipt);
    return query_run(query, err);
}

static const char *event_ja(struct slice event)
{
    static const struct {
        const char *name, *ja;
    } words[] = {{"opened", "発生"}, {"acknowledged", "受領"}, {"closed", "終了"}, {"severity", "重大度の上昇"}, {"page", "呼出"}, {"drill", "訓練"},
                 {"test", "試験"}, {"answered", "受領の知らせ"}};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (slice_is(event, words[i].name))
            return words[i].ja;
    return "通知";
}

struct outcome { /* of an attempt */
    enum notifier_result result;
    bool failed; /* for good */
    struct slice why, receipt;
    int64_t wait_s;
};

static int add_receipt(struct sender *sender, const struct owed *owed, const struct outcome *outcome, struct err *err)
{
    struct slice name = sender->row->name, gap = owed->address.len ? SLICE(" ") : SLICE("");
    long long attempts = owed->attempts;
    struct timeline_entry entry = {.time_ns = wall_of(sender->outbox), .kind = "notification"};
    if (outcome->failed) {
        entry.en = arena_printf(sender->arena, "%.*s%.*s%.*s could not be told (%.*s) and it was given up "
                                "after %lld attempts: %.*s", SLICE_ARG(name), SLICE_ARG(gap), SLICE_ARG(owed->address),
                                SLICE_ARG(owed->event), attempts, SLICE_ARG(outcome->why));
        entry.ja = arena_printf(sender->arena, "%.*s%.*s%.*s への通知（%s）は%lld回失敗したため中止しました: %.*s",
                                SLICE_ARG(name), SLICE_ARG(gap), SLICE_ARG(owed->address), event_ja(owed->event),
                                attempts, SLICE_ARG(outcome->why));
    } else {
        entry.en = arena_printf(sender->arena, "%.*s%.*s%.*s was told (%.*s), attempt %lld: %.*s", SLICE_ARG(name),
                                SLICE_ARG(gap), SLICE_ARG(owed->address), SLICE_ARG(owed->event), attempts,
                                SLICE_ARG(outcome->receipt));
        entry.ja = arena_printf(sender->arena, "%.*s%.*s%.*s へ通知しました（%s、%lld回目）: %.*s", SLICE_ARG(name),
                                SLICE_ARG(gap), SLICE_ARG(owed->address), event_ja(owed->event), attempts,
                                SLICE_ARG(outcome->receipt));
    }
    return incident_add_entry(sender->outbox->config->database, owed->incident, &entry, err);
}

static int tell_hook(struct sender *sender, const struct owed *owed, const struct outcome *outcome, struct err *err)
{
    const struct outbox_hooks *hooks = &sender->outbox->hooks;
    if (!owed->waking || !hooks->told)
        return 0;
    return hooks->told(hooks->context, owed->waking, outcome->receipt, outcome->why, err);
}

static int record(struct sender *sender, struct owed *owed, struct outcome *outcome, struct err *err)
{
    struct database *database = sender->outbox->config->database;
    int64_t now = pace_now(sender->outbox->pace);
    owed->refusals += outcome->result == NOTIFIER_REFUSED;
    outcome->failed = owed->refusals >= REFUSALS_MAX && owed->incident;
    bool done = outcome->result == NOTIFIER_SENT || outcome->failed;
    int64_t next_ns = done ? now : now + backoff(sender->outbox, owed, outcome->wait_s);
    if (database_begin(database, err) < 0)
        return -1;
    if (note_attempt(sender, owed, done, outcome->failed, next_ns, outcome->why, outcome->receipt, err) < 0 ||
        (done && owed->incident && add_receipt(sender, owed, outcome, err) < 0) || tell_hook(sender, owed, outcome, err) < 0) {
        database_rollback(database);
        return -1;
    }
    if (database_commit(database, err) < 0)
        return -1;
    if (sender->outbox->hooks.after)
        sender->outbox->hooks.after(sender->outbox->hooks.context);
    return 0;
}

static enum notifier_result send_one(struct sender *sender, const struct owed *owed,
                                     struct notifier_answer *answer, struct err *why)
{
    const struct respond_config *config = sender->outbox->config;
    struct notice notice = {0};
    const struct notifier_message message = {
        .to = sender->row, .address = owed->address, .payload = owed->payload, .notice = &notice, .key = owed->key,
        .now_ns = wall_of(sender->outbox), .arena = sender->arena};
    if (owed->incident && notice_read(owed->payload, sender->arena, &notice, why) < 0)
        return NOTIFIER_AGAIN;
    return sender->notifier->send(&message, config->net, config->rand, answer, why);
}

static int attempt(struct sender *sender, struct owed *owed, struct err *err)
{
    struct err why;
    struct notifier_answer answer = {0};
    err_clear(&why);
    struct outcome outcome = {.result = send_one(sender, owed, &answer, &why), .wait_s = answer.wait_s};
    if (outcome.result == NOTIFIER_SENT)
        outcome.receipt = slice_text(answer.receipt);
    else
        outcome.why = slice_text(why.text);
    if (record(sender, owed, &outcome, err) < 0)
        return -1;
    if (outcome.failed) {
        char line[ERR_TEXT_SIZE + 128];
        snprintf(line, sizeof(line), "notifier %.*s refuses INC-%lld, given up: %s",
                 SLICE_ARG(sender->row->name), (long long)owed->incident, why.text);
        note(sender->outbox, line);
    }
    return 0;
}

/* ---- waiting ---- */

static bool waits(struct sender *sender)
{
    struct query *query;
    struct err err;
    if (query_begin(sender->outbox->config->database,
                    "SELECT 1 FROM outbox WHERE done_ns IS NULL AND notifier=?1 LIMIT 1", &query,
                    &err) < 0)
        return true;
    query_text(query, 1, sender->row->name);
    bool some = query_step(query, &err) != 0;
    query_end(query);
    return some;
}

/* False when it is time to stop. */
static bool wait_for(struct outbox *outbox, uint64_t *seen, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&outbox->lock);
    while (!outbox->stopping && outbox->wakes == *seen)
        if (pthread_cond_timedwait(&outbox->woken, &outbox->lock, &until) != 0)
            break;
    *seen = outbox->wakes;
    bool on = !outbox->stopping;
    pthread_mutex_unlock(&outbox->lock);
    return on;
}

static int step(struct sender *sender, struct err *err)
{
    struct owed owed;
    arena_reset(sender->arena);
    int result = take_due(sender, &owed, err);
    return result == 1 && attempt(sender, &owed, err) < 0 ? -1 : result;
}

int outbox_step(struct outbox *outbox, size_t notifier, struct err *err)
{
    return step(&outbox->senders[notifier], err);
}

int outbox_due(struct outbox *outbox, int64_t *pace_ns, struct err *err)
{
    struct query *query;
    *pace_ns = INT64_MAX;
    if (query_begin(outbox->config->database, "SELECT min(next_ns) FROM outbox o WHERE done_ns IS NULL AND " IS_FIRST,
                    &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1 && !query_is_null(query, 0))
        *pace_ns = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}

static void *run(void *context)
{
    struct sender *sender = context;
    struct err err;
    uint64_t seen = 0;
    int64_t wait_ms = 0;
    pthread_setname_np(pthread_self(), "notify");
    while (wait_for(sender->outbox, &seen, wait_ms)) {
        int result = step(sender, &err);
        if (result < 0)
            note(sender->outbox, err.text);
        wait_ms = result == 1 ? 0 : result < 0 || waits(sender) ? LOOK_MS : IDLE_MS;
    }
    return NULL;
}

/* ---- start and stop ---- */

/* What is owed to a notifier that is not there any more would wait for ever, unseen. */
static int drop_unknown(struct outbox *outbox, struct err *err)
{
    const struct respond_config *config = outbox->config;
    struct query *query;
    struct buffer sql;
    buffer_init(&sql, 64 * KIB);
    buffer_put_text(&sql, "UPDATE outbox SET done_ns=?1,failed=1,last_error='the notifier is not "
                          "configured any more' WHERE done_ns IS NULL AND notifier NOT IN (''");
    for (size_t i = 0; i < config->notifier_count; i++)
        buffer_printf(&sql, ",?%zu", i + 2);
    buffer_put(&sql, slice_of(")", 2));
    int result = buffer_failed(&sql)
                     ? err_nomem(err)
                     : query_begin(config->database, sql.ptr, &query, err);
    buffer_close(&sql);
    if (result < 0)
        return -1;
    query_i64(query, 1, pace_now(outbox->pace));
    for (size_t i = 0; i < config->notifier_count; i++)
        query_text(query, (int)i + 2, config->notifiers[i].name);
    return query_run(query, err);
}

static int add_sender(struct outbox *outbox, size_t i, struct err *err)
{
    struct sender *sender = &outbox->senders[i];
    const struct respond_notifier *row = &outbox->config->notifiers[i];
    *sender = (struct sender){.outbox = outbox, .row = row, .notifier = notifier_find(row->kind)};
    if (!row->name.len)
        return err_set(err, ERR_CONFIG, "notifier %zu has no name", i + 1);
    for (size_t k = 0; k < i; k++)
        if (slice_equal(outbox->config->notifiers[k].name, row->name))
            return err_set(err, ERR_CONFIG, "two notifiers are named %.*s", SLICE_ARG(row->name));
    if (!sender->notifier)
        return err_set(err, ERR_CONFIG, "there is no notifier of the kind \"%.*s\"",
                       SLICE_ARG(row->kind));
    if (sender->notifier->check(row, err) < 0)
        return err_within(err, "notifier %.*s", SLICE_ARG(row->name));
    sender->arena = arena_new(4 * MIB);
    return sender->arena ? 0 : err_nomem(err);
}

static int add_senders(struct outbox *outbox, struct err *err)
{
    size_t count = outbox->config->notifier_count;
    if (count > RESPOND_NOTIFIERS_MAX)
        return err_set(err, ERR_CONFIG, "at most %d notifiers", RESPOND_NOTIFIERS_MAX);
    for (size_t i = 0; i < count; i++)
        if (add_sender(outbox, i, err) < 0)
            return -1;
    return drop_unknown(outbox, err);
}

int outbox_start(struct outbox *outbox, struct err *err)
{
    for (size_t i = 0; i < outbox->config->notifier_count; i++) {
        int code = pthread_create(&outbox->senders[i].thread, NULL, run, &outbox->senders[i]);
        if (code != 0)
            return err_set_errno(err, code, "a thread for notifications");
        outbox->senders[i].started = true;
    }
    return 0;
}

int outbox_open(const struct respond_config *config, const struct pace *pace, const struct outbox_hooks *hooks,
                struct outbox **out, struct err *err)
{
    pthread_condattr_t monotonic;
    *out = NULL;
    struct outbox *outbox = mem_calloc(1, sizeof(*outbox));
    if (!outbox)
        return err_nomem(err);
    outbox->config = config;
    outbox->pace = pace;
    outbox->hooks = hooks ? *hooks : (struct outbox_hooks){0};
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&outbox->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (add_senders(outbox, err) < 0) {
        outbox_stop(outbox);
        return -1;
    }
    *out = outbox;
    return 0;
}

void outbox_halt(struct outbox *outbox)
{
    if (!outbox)
        return;
    pthread_mutex_lock(&outbox->lock);
    outbox->stopping = true;
    pthread_cond_broadcast(&outbox->woken);
    pthread_mutex_unlock(&outbox->lock);
    for (size_t i = 0; i < RESPOND_NOTIFIERS_MAX; i++) {
        if (outbox->senders[i].started)
            pthread_join(outbox->senders[i].thread, NULL);
        outbox->senders[i].started = false;
    }
}

void outbox_stop(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_halt(outbox);
    for (size_t i = 0; i < RESPOND_NOTIFIERS_MAX; i++)
        arena_free(outbox->senders[i].arena);
    pthread_cond_destroy(&outbox->woken);
    pthread_mutex_destroy(&outbox->lock);
    mem_free(outbox);
}

void outbox_wake(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->wakes++;
    pthread_cond_broadcast(&outbox->woken);
    pthread_mutex_unlock(&outbox->lock);
}
