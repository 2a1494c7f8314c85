/* The work: what is due of an action is taken, written down as begun, done, and written down. */
#include "respond/act/act_inside.h"

#include "base/mem.h"
#include "net/http_client.h"
#include "respond/act/playbook.h"

#include <stdio.h>

enum { IDLE_MS = 60000, LOOK_MS = 1000, REFUSALS_MAX = 3 };
#define BACKOFF_LEAST_NS NS_PER_SECOND
#define BACKOFF_MOST_NS (5 * NS_PER_MINUTE)
#define RETRY_AFTER_MOST_S 3600
/* A next time further off than any we set: the clock was set back, so it counts as due. */
#define FAR_NS (2 * NS_PER_HOUR)

/* A deed that is due. */
struct due {
    int64_t id, order, number, attempts, refusals, undo_attempts, from_ns, expires_ns;
    bool undo, expired, unsure, failed;
    struct slice state, type, value, key;
};

int64_t act_now(const struct act *act)
{
    return clock_wall_ns(act->config.clock);
}

static void note(const struct act *act, const char *text)
{
    if (act->config.note)
        act->config.note(act->config.context, text);
}

/* ---- how an order stands ---- */

int act_state(struct act *act, int64_t id, struct arena *arena, struct act_state *out, struct err *err)
{
    struct query *query;
    struct act_order order;
    int64_t waiting = 0, undoing = 0, working = 0;
    *out = (struct act_state){0};
    if (act_read_order(act, id, arena, &order, err) < 0 ||
        query_begin(act->config.database, "SELECT count(*),sum(state='done'),sum(state='failed'),sum(state='undone'),"
                    "sum(state='cancelled'),sum(state IN('undo','undoing') AND undo_attempts>=?2),sum(state='waiting'),"
                    "sum(state IN('undo','undoing')),sum(state IN('pending','doing')) FROM action_deeds WHERE order_id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, ACT_STUCK_ATTEMPTS);
    int64_t *to[] = {&out->deeds, &out->done, &out->failed, &out->undone, &out->cancelled, &out->stuck, &waiting, &undoing, &working};
    int result = query_step(query, err);
    for (int i = 0; result == 1 && i < (int)ARRAY_COUNT(to); i++)
        *to[i] = query_get_i64(query, i);
    query_end(query);
    out->state = waiting       ? SLICE("waiting")
                 : undoing     ? SLICE("undoing")
                 : working     ? SLICE("working")
                 : out->done   ? SLICE("done")
                 : out->undone ? SLICE("undone")
                 : out->failed ? SLICE("failed")
                               : SLICE("cancelled");
    return result < 0 ? -1 : 0;
}

/* Whether the order has come to rest in a way that was not told. */
static bool is_news(const struct act_order *order, const struct act_state *state, struct slice figures)
{
    bool settled = !slice_is(state->state, "waiting") && !slice_is(state->state, "working") && !slice_is(state->state, "undoing");
    return settled && !slice_equal(order->told, figures);
}

static int remember_told(struct act *act, int64_t order, struct slice figures, struct err *err)
{
    struct query *query;
    if (query_begin(act->config.database, "UPDATE action_orders SET told=?2 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, order);
    query_text(query, 2, figures);
    return query_run(query, err);
}

/* The sentence of the last thing that went wrong. */
static struct slice last_why(struct act *act, int64_t order, struct arena *arena)
{
    struct query *query;
    struct err err;
    struct slice why = SLICE("");
    if (query_begin(act->config.database, "SELECT why FROM action_deeds WHERE order_id=?1 AND why IS NOT NULL ORDER BY id DESC LIMIT 1",
                    &query, &err) < 0)
        return why;
    query_i64(query, 1, order);
    if (query_step(query, &err) == 1)
        why = query_get_text(query, 0, arena);
    query_end(query);
    return why.ptr ? why : SLICE("");
}

int act_settle(struct act *act, int64_t id, struct arena *arena, struct err *err)
{
    struct act_order order;
    struct act_state s;
    if (act_read_order(act, id, arena, &order, err) < 0 || act_state(act, id, arena, &s, err) < 0)
        return -1;
    struct slice figures = arena_printf(arena, "%lld %lld %lld %lld", (long long)s.done, (long long)s.failed, (long long)s.undone,
                                        (long long)s.cancelled);
    if (!figures.ptr)
        return err_nomem(err);
    if (!is_news(&order, &s, figures))
        return 0;
    struct slice why = s.failed ? last_why(act, id, arena) : SLICE("");
    const struct act_news news = {
        .what = s.failed ? "action.failed" : s.done ? "action.done" : s.undone ? "action.undone" : "action.cancelled",
        .actor = SLICE("hinomi"), .via = SLICE("none"),
        .en = arena_printf(arena, "ACT-%lld: %.*s: %lld in effect, %lld undone, %lld failed, %lld cancelled%s%.*s", (long long)id,
                           SLICE_ARG(order.action), (long long)s.done, (long long)s.undone, (long long)s.failed, (long long)s.cancelled,
                           why.len ? ": " : "", SLICE_ARG(why)),
        .ja = arena_printf(arena, "ACT-%lld: %.*s: 実施中 %lld、取消済み %lld、失敗 %lld、中止 %lld%s%.*s", (long long)id,
                           SLICE_ARG(order.action), (long long)s.done, (long long)s.undone, (long long)s.failed, (long long)s.cancelled,
                           why.len ? ": " : "", SLICE_ARG(why))};
    if (s.failed && news.en.ptr)
        note(act, news.en.ptr);
    return act_tell(act, &order, &news, err) < 0 ? -1 : remember_told(act, id, figures, err);
}

/* ---- what is due ---- */

/* 1, 0 for nothing, -1. The way back goes first. */
static int take_due(struct act_worker *worker, struct due *due, struct err *err)
{
    struct query *query;
    int64_t now = act_now(worker->act);
    *due = (struct due){0};
    if (query_begin(worker->act->config.database,
                    "SELECT id,order_id,number,attempts,refusals,undo_attempts,from_ns,coalesce(expires_ns,0),unsure,failed,state,type,"
                    "value,key FROM action_deeds WHERE action=?1 AND ((state IN('pending','doing','undo','undoing') AND (next_ns<=?2 OR"
                    " next_ns>?3)) OR (state='done' AND expires_ns<=?2))"
                    " ORDER BY state IN('pending','doing'),next_ns,id LIMIT 1", &query, err) < 0)
        return -1;
    query_text(query, 1, worker->settings->name);
    query_i64(query, 2, now);
    query_i64(query, 3, now + FAR_NS);
    int result = query_step(query, err);
    if (result == 1) {
        int64_t *numbers[] = {&due->id, &due->order, &due->number, &due->attempts, &due->refusals, &due->undo_attempts, &due->from_ns,
                              &due->expires_ns};
        struct slice *texts[] = {&due->state, &due->type, &due->value, &due->key};
        for (int i = 0; i < (int)ARRAY_COUNT(numbers); i++)
            *numbers[i] = query_get_i64(query, i);
        due->unsure = query_get_i64(query, 8) != 0;
        due->failed = query_get_i64(query, 9) != 0;
        for (int i = 0; i < (int)ARRAY_COUNT(texts); i++)
            *texts[i] = query_get_text(query, 10 + i, worker->arena);
    }
    query_end(query);
    if (result != 1)
        return result;
    if (!due->state.ptr || !due->type.ptr || !due->value.ptr || !due->key.ptr)
        return err_nomem(err);
    due->expired = slice_is(due->state, "done");
    due->undo = due->expired || slice_starts(due->state, SLICE("undo"));
    due->unsure |= slice_is(due->state, "doing"); /* begun, and nothing known of the end */
    return 1;
}

/* Before anything is sent. 1: go on; 0: it is not as it was any more. */
static int begin(struct act_worker *worker, const struct due *due, struct err *err)
{
    struct query *query;
    if (query_begin(worker->act->config.database, due->undo
                    ? "UPDATE action_deeds SET state='undoing',undo_by=coalesce(undo_by,'expiry') WHERE id=?1 AND state=?2 AND ?3>0"
                    : "UPDATE action_deeds SET state='doing',begun_ns=coalesce(begun_ns,?3),unsure=?4 WHERE id=?1 AND state=?2",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, due->id);
    query_text(query, 2, due->state);
    query_i64(query, 3, act_now(worker->act));
    if (!due->undo)
        query_i64(query, 4, due->unsure);
    int result = query_step(query, err);
    int changed = result < 0 ? -1 : database_changes(worker->act->config.database) > 0;
    query_end(query);
    return changed;
}

/* ---- doing it ---- */

static int make_work(struct act_worker *worker, const struct due *due, const struct act_order *order, struct act_work *work,
                     struct err *err)
{
    struct act *act = worker->act;
    struct incident incident = {0};
    char name[INCIDENT_NAME_SIZE];
    if (order->incident && incident_read_head(act->config.database, order->incident, worker->arena, &incident, err) < 0)
        return -1;
    incident_name(order->incident, name);
    int64_t now = act_now(act);
    *work = (struct act_work){
        .settings = worker->settings, .undo = due->undo,
        .id = arena_printf(worker->arena, "ACT-%lld.%lld", (long long)due->order, (long long)due->number),
        .key = arena_printf(worker->arena, "%.*s%s", SLICE_ARG(due->key), due->undo ? "-undo" : ""),
        .entity = {due->type, due->value}, .by = order->by, .reason = order->reason,
        .incident = order->incident ? arena_copy(worker->arena, slice_text(name)) : SLICE_NONE, .severity = incident.severity,
        .until_ns = due->expires_ns ? due->expires_ns : order->lasts_ns ? now + order->lasts_ns : 0, .now_ns = now,
        .database = act->config.database, .net = act->config.net, .rand = act->config.rand, .arena = worker->arena};
    return work->id.ptr && work->key.ptr ? 0 : err_nomem(err);
}

static int64_t backoff(const struct act *act, int64_t attempts, int64_t wait_s)
{
    int64_t delay = BACKOFF_LEAST_NS << (attempts > 10 ? 9 : attempts - 1);
    if (delay > BACKOFF_MOST_NS)
        delay = BACKOFF_MOST_NS;
    delay -= (int64_t)rand_below(act->config.rand, (uint64_t)delay / 2);
    if (wait_s > RETRY_AFTER_MOST_S)
        wait_s = RETRY_AFTER_MOST_S;
    return delay > wait_s * NS_PER_SECOND ? delay : wait_s * NS_PER_SECOND;
}

/* How an attempt ended. */
struct ending {
    enum action_result result;
    struct action_answer answer;
    struct slice why;
    const struct act_order *order;
};

/* From what it was when it was begun; when a person has asked for the way back meanwhile, that stays. */
static int write_deed(struct act_worker *worker, const struct due *due, const char *state, const struct ending *ending, int64_t next_ns,
                      struct err *err)
{
    struct query *query;
    bool done = slice_is(slice_text(state), "done"), over = slice_is(slice_text(state), "undone") || slice_is(slice_text(state), "failed");
    int64_t now = act_now(worker->act);
    if (query_begin(worker->act->config.database,
                    "UPDATE action_deeds SET state=CASE WHEN state=?2 THEN ?3 ELSE state END,attempts=?4,refusals=?5,undo_attempts=?6,"
                    "unsure=?7,failed=?8,next_ns=CASE WHEN state=?2 THEN ?9 ELSE next_ns END,why=?10,done_ns=coalesce(?11,done_ns),"
                    "expires_ns=coalesce(?12,expires_ns),undone_ns=?13 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, due->id);
    query_text(query, 2, due->undo ? SLICE("undoing") : SLICE("doing"));
    query_text(query, 3, slice_text(state));
    query_i64(query, 4, due->attempts);
    query_i64(query, 5, due->refusals);
    query_i64(query, 6, due->undo_attempts);
    query_i64(query, 7, due->unsure);
    query_i64(query, 8, due->failed);
    query_i64(query, 9, next_ns);
    query_text(query, 10, ending->why);
    if (done)
        query_i64(query, 11, now);
    if (done && ending->order->lasts_ns)
        query_i64(query, 12, now + ending->order->lasts_ns);
    if (over)
        query_i64(query, 13, now);
    return query_run(query, err);
}

/* An undo that does not work is shown while it goes on. */
static int tell_stuck(struct act_worker *worker, const struct due *due, const struct ending *ending, struct err *err)
{
    struct act *act = worker->act;
    const struct act_news news = {
        .what = "action.undo_stuck", .actor = SLICE("hinomi"), .via = SLICE("none"),
        .en = arena_printf(worker->arena, "ACT-%lld: %.*s on %.*s COULD NOT BE UNDONE yet after %lld attempts; it is tried on: %.*s",
                           (long long)due->order, SLICE_ARG(worker->settings->name), SLICE_ARG(due->value), (long long)due->undo_attempts,
                           SLICE_ARG(ending->why)),
        .ja = arena_printf(worker->arena, "ACT-%lld: %.*s（%.*s）は%lld回試みましたがまだ取り消せていません。続けて試みます: %.*s",
                           (long long)due->order, SLICE_ARG(worker->settings->name), SLICE_ARG(due->value), (long long)due->undo_attempts,
                           SLICE_ARG(ending->why))};
    if (news.en.ptr)
        note(act, news.en.ptr);
    return act_tell(act, ending->order, &news, err);
}

/* What becomes of the deed. */
static int write_ending(struct act_worker *worker, struct due *due, const struct ending *ending, struct err *err)
{
    int64_t now = act_now(worker->act);
    enum action_result result = ending->result;
    if (due->undo) {
        due->undo_attempts++;
        if (result == ACTION_DONE)
            return write_deed(worker, due, due->failed ? "failed" : "undone", ending, now, err);
        int64_t next_ns = now + backoff(worker->act, due->undo_attempts, ending->answer.wait_s);
        if (write_deed(worker, due, "undo", ending, next_ns, err) < 0)
            return -1;
        return due->undo_attempts == ACT_STUCK_ATTEMPTS ? tell_stuck(worker, due, ending, err) : 0;
    }
    due->attempts++;
    due->refusals += result == ACTION_REFUSED;
    due->unsure |= result == ACTION_AGAIN;
    if (result == ACTION_DONE)
        return write_deed(worker, due, "done", ending, now, err);
    bool over = due->refusals >= REFUSALS_MAX || now - due->from_ns > ACTION_TRY_MINUTES * NS_PER_MINUTE;
    due->failed = over;
    if (over && due->unsure) /* it may have been done */
        return write_deed(worker, due, "undo", ending, now, err);
    if (over)
        return write_deed(worker, due, "failed", ending, now, err);
    return write_deed(worker, due, "pending", ending, now + backoff(worker->act, due->attempts, ending->answer.wait_s), err);
}

static int record(struct act_worker *worker, struct due *due, const struct ending *ending, struct err *err)
{
    struct database *database = worker->act->config.database;
    if (database_begin(database, err) < 0)
        return -1;
    if (write_ending(worker, due, ending, err) < 0 || act_settle(worker->act, due->order, worker->arena, err) < 0) {
        database_rollback(database);
        return -1;
    }
    return database_commit(database, err);
}

static int attempt(struct act_worker *worker, struct due *due, struct err *err)
{
    struct act_order order;
    struct act_work work;
    struct err why;
    int begun = begin(worker, due, err);
    if (begun <= 0)
        return begun;
    if (act_read_order(worker->act, due->order, worker->arena, &order, err) < 0 || make_work(worker, due, &order, &work, err) < 0)
        return -1;
    struct ending ending = {.order = &order};
    err_clear(&why);
    ending.result = worker->settings->kind->run(&work, &ending.answer, &why);
    ending.why = ending.result == ACTION_DONE ? SLICE_NONE : slice_text(why.text);
    return record(worker, due, &ending, err);
}

/* ---- approvals that nobody gave ---- */

static int lapse_one(struct act_worker *worker, struct err *err)
{
    struct act *act = worker->act;
    int64_t id;
    if (act_number(act, "SELECT id FROM action_orders WHERE state='waiting' AND asked_ns<?1 AND action=?2 LIMIT 1",
                   act_now(act) - ACTION_APPROVAL_HOURS * NS_PER_HOUR, worker->settings->name, &id, err) < 0 || !id)
        return -1;
    return act_undo(act, id, SLICE("hinomi"), err);
}

/* ---- the threads ---- */

/* When something may be due next, in ms. */
static int64_t next_wait(struct act_worker *worker)
{
    struct err err;
    int64_t some;
    if (act_number(worker->act, "SELECT count(*) FROM (SELECT 1 FROM action_deeds WHERE action=?2 AND ?1=0 AND (state IN('pending','doing',"
                   "'undo','undoing','waiting') OR (state='done' AND expires_ns IS NOT NULL)) LIMIT 1)", 0, worker->settings->name,
                   &some, &err) < 0)
        return LOOK_MS;
    return some ? LOOK_MS : IDLE_MS;
}

/* False when it is time to stop. */
static bool wait_for(struct act *act, uint64_t *seen, int64_t wait_ms)
{
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms * NS_PER_MS);
    pthread_mutex_lock(&act->lock);
    while (!act->stopping && act->wakes == *seen)
        if (pthread_cond_timedwait(&act->woken, &act->lock, &until) != 0)
            break;
    *seen = act->wakes;
    bool on = !act->stopping;
    pthread_mutex_unlock(&act->lock);
    return on;
}

/* A disk that is full is said once, not once a second. */
static void note_once(const struct act_worker *worker, bool *said, int result, const struct err *err)
{
    if (result < 0 && !*said)
        note(worker->act, err->text);
    *said = result < 0;
}

static void *run(void *context)
{
    struct act_worker *worker = context;
    struct err err;
    uint64_t seen = 0;
    int64_t wait_ms = 0;
    bool said = false;
    pthread_setname_np(pthread_self(), "act");
    while (wait_for(worker->act, &seen, wait_ms)) {
        struct due due;
        arena_reset(worker->arena);
        err_clear(&err);
        int result = take_due(worker, &due, &err);
        if (result == 1)
            result = attempt(worker, &due, &err) < 0 ? -1 : 1;
        else if (result == 0 && lapse_one(worker, &err) == 0)
            result = 1;
        note_once(worker, &said, result, &err);
        wait_ms = result == 1 ? 0 : result < 0 ? LOOK_MS : next_wait(worker);
    }
    return NULL;
}

static void *run_books(void *context)
{
    struct act_worker *worker = context;
    struct err err;
    uint64_t seen = 0;
    int64_t wait_ms = 0, some;
    bool said = false;
    pthread_setname_np(pthread_self(), "playbooks");
    while (wait_for(worker->act, &seen, wait_ms)) {
        arena_reset(worker->arena);
        int result = playbook_go_on(worker->act, worker->arena, &err);
        if (result == 0)
            result = act_number(worker->act, "SELECT ?1+count(*) FROM playbook_runs WHERE state='running'", 0, SLICE_NONE, &some, &err);
        note_once(worker, &said, result, &err);
        wait_ms = result > 0 ? 0 : result < 0 || some ? LOOK_MS : IDLE_MS;
    }
    return NULL;
}

/* ---- start and stop ---- */

/* What is in effect by an action that is not configured any more stays in effect, unseen: that is said. */
static int tell_orphans(struct act *act, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(MIB);
    int result;
    if (!arena)
        return err_nomem(err);
    if (query_begin(act->config.database, "SELECT action,count(*) FROM action_deeds WHERE state NOT IN('undone','failed','cancelled')"
                    " GROUP BY action", &query, err) < 0) {
        arena_free(arena);
        return -1;
    }
    while ((result = query_step(query, err)) == 1) {
        struct slice name = query_get_text(query, 0, arena);
        if (!name.ptr || act_find(act, name))
            continue;
        struct slice line = arena_printf(arena, "the action %.*s is not configured any more, but has %lld deeds that are not undone: put it "
                                         "back, and undo them", SLICE_ARG(name), (long long)query_get_i64(query, 1));
        if (line.ptr)
            note(act, line.ptr);
    }
    query_end(query);
    arena_free(arena);
    return result < 0 ? -1 : 0;
}

static int start_worker(struct act_worker *worker, void *(*body)(void *), struct err *err)
{
    worker->arena = arena_new(ACT_ARENA_MAX);
    if (!worker->arena)
        return err_nomem(err);
    int code = pthread_create(&worker->thread, NULL, body, worker);
    if (code != 0)
        return err_set_errno(err, code, "a thread for actions");
    worker->started = true;
    return 0;
}

static int start_workers(struct act *act, struct err *err)
{
    for (size_t i = 0; i < act->config.count; i++) {
        act->workers[i] = (struct act_worker){.act = act, .settings = &act->config.actions[i]};
        if (start_worker(&act->workers[i], run, err) < 0)
            return -1;
    }
    act->books.act = act;
    return act->config.playbooks ? start_worker(&act->books, run_books, err) : 0;
}

int act_start(const struct act_config *config, struct act **out, struct err *err)
{
    pthread_condattr_t monotonic;
    *out = NULL;
    struct act *act = mem_calloc(1, sizeof(*act));
    if (!act)
        return err_nomem(err);
    act->config = *config;
    if (!config->rand)
        act->config.rand = rand_real();
    if (!config->net)
        act->config.net = net_real();
    pthread_mutex_init(&act->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&act->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (tell_orphans(act, err) < 0 || start_workers(act, err) < 0) {
        act_stop(act);
        return -1;
    }
    *out = act;
    return 0;
}

void act_stop(struct act *act)
{
    if (!act)
        return;
    pthread_mutex_lock(&act->lock);
    act->stopping = true;
    pthread_cond_broadcast(&act->woken);
    pthread_mutex_unlock(&act->lock);
    if (act->books.started)
        pthread_join(act->books.thread, NULL);
    arena_free(act->books.arena);
    for (size_t i = 0; i < ACTIONS_MAX; i++) {
        if (act->workers[i].started)
            pthread_join(act->workers[i].thread, NULL);
        arena_free(act->workers[i].arena);
    }
    pthread_cond_destroy(&act->woken);
    pthread_mutex_destroy(&act->lock);
    mem_free(act);
}

void act_wake(struct act *act)
{
    pthread_mutex_lock(&act->lock);
    act->wakes++;
    pthread_cond_broadcast(&act->woken);
    pthread_mutex_unlock(&act->lock);
}
