#include "schedule/asker.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/time_modifier.h"
#include "schedule/own_search.h"
#include "state/answers.h"

#include <pthread.h>
#include <stdio.h>

enum { RUNNER_NICE = 15, RETRY_S = 1 }; /* as searches of people (serve/jobs) */
#define LIST_PREFIX SLICE("intel_")

struct asker {
    struct asker_config config;
    atomic_bool stop;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool dirty;           /* there may be incidents to ask */
    bool full;            /* some wait until there is room */
    bool planning;        /* a thread is choosing questions */
    int64_t busy[ANSWERS_RUNNING_MAX]; /* rows that are being answered; 0: none */
    pthread_t threads[ANSWERS_RUNNING_MAX];
    int started;
};

_Static_assert(ANSWERS_RUNNING_MAX == 2, "answers_next() leaves out two");

static void note(const struct asker *asker, const char *text)
{
    asker->config.note(asker->config.context, text);
}

static int64_t now_of(const struct asker *asker)
{
    return clock_wall_ns(asker->config.parts.clock);
}

/* ---- lists of intelligence ---- */

struct lists {
    struct arena *arena;
    struct slice names[ANSWER_LISTS_MAX];
    size_t count, left;
};

static int add_list(void *context, const char *path, struct err *err)
{
    struct lists *lists = context;
    const char *slash = strrchr(path, '/');
    struct slice name = slice_text(slash ? slash + 1 : path);
    if (!slice_starts(name, LIST_PREFIX) || !know_is_file_name(name) || slice_find_char(name, '"') >= 0)
        return 0;
    if (lists->count == ANSWER_LISTS_MAX) {
        lists->left++;
        return 0;
    }
    lists->names[lists->count] = arena_copy(lists->arena, name);
    return lists->names[lists->count++].ptr ? 0 : err_nomem(err);
}

static int find_lists(struct asker *asker, struct arena *arena, struct lists *out, struct err *err)
{
    const char *folder = asker->config.parts.lookups;
    *out = (struct lists){.arena = arena};
    if (!file_is_dir(folder))
        return 0;
    if (file_walk(folder, ".csv", add_list, out, err) < 0)
        return -1;
    if (out->left) {
        char text[160];
        snprintf(text, sizeof(text), "%zu lists of intelligence (intel_*.csv) beyond %d are not asked: join some", out->left, ANSWER_LISTS_MAX);
        note(asker, text);
    }
    return 0;
}

/* ---- choosing ---- */

struct choosing {
    struct asker *asker;
    struct arena *arena;
    struct answers_due due;
    struct finding finding;
    struct lists lists;
};

/* A question whose values make no search is one that has failed, and says so. */
static void set_failed(struct answer_row *row, struct arena *arena, const struct err *why)
{
    row->state = ANSWER_FAILED;
    row->en = arena_printf(arena, "This could not be asked: %s", why->text);
    row->ja = arena_printf(arena, "この質問は実行できませんでした: %s", why->text);
    if (!row->search.ptr)
        row->search = SLICE("");
}

/* From the first to the last event that the finding names; as the incident where the time of one is not known. */
static void evidence_window(const struct choosing *choosing, int64_t *from_ns, int64_t *to_ns)
{
    const struct finding *finding = &choosing->finding;
    size_t count = finding->evidence_count < QUESTION_EVIDENCE_MAX ? finding->evidence_count : QUESTION_EVIDENCE_MAX;
    int64_t first = INT64_MAX, last = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t at = finding->evidence[i].time_ns;
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    if (count && first > 0) {
        *from_ns = first;
        *to_ns = last;
    }
}

static int set_window(const struct choosing *choosing, const struct question *question, struct answer_row *row, struct err *err)
{
    bool opened = question->around == AROUND_OPENED;
    const struct answers_due *due = &choosing->due;
    int64_t from_ns = opened ? due->opened_ns : due->first_event_ns, to_ns = opened ? due->opened_ns : due->last_event_ns;
    if (question->around == AROUND_EVIDENCE)
        evidence_window(choosing, &from_ns, &to_ns);
    return time_modifier_read(question->from, from_ns, NULL, &row->from_ns, err) < 0
               ? -1
               : time_modifier_read(question->to, to_ns, NULL, &row->to_ns, err);
}

static int make_row(struct choosing *choosing, const struct question_pick *pick, struct answer_row *row, struct err *err)
{
    const struct question *question = pick->question;
    struct arena *arena = choosing->arena;
    struct slice entity = pick->entity ? pick->entity->value : SLICE("");
    const struct question_subject subject = {choosing->asker->config.questions, &choosing->finding, pick->entity,
                                             choosing->lists.names, choosing->lists.count};
    struct err why;
    *row = (struct answer_row){.name = question->name, .entity = entity, .search = SLICE("")};
    if (question_text(question->ask.en, entity, arena, &row->question_en, err) < 0 ||
        question_text(question->ask.ja, entity, arena, &row->question_ja, err) < 0)
        return -1;
    if (question->uses_lists && !choosing->lists.count) {
        row->state = ANSWER_READY;
        return question_text(question->missing.en, entity, arena, &row->en, err) < 0
                   ? -1
                   : question_text(question->missing.ja, entity, arena, &row->ja, err);
    }
    if (set_window(choosing, question, row, &why) < 0 || question_search(question, &subject, arena, &row->search, &why) < 0)
        set_failed(row, arena, &why);
    return 0;
}

static int choose(struct choosing *choosing, struct err *err)
{
    struct asker *asker = choosing->asker;
    struct question_pick picks[QUESTIONS_ASKED_MAX];
    struct answer_row *rows = arena_array(choosing->arena, QUESTIONS_ASKED_MAX, sizeof(*rows));
    size_t left;
    if (!rows)
        return err_nomem(err);
    if (finding_decode(choosing->due.finding, choosing->arena, &choosing->finding, err) < 0 ||
        find_lists(asker, choosing->arena, &choosing->lists, err) < 0)
        return -1;
    size_t count = question_pick(asker->config.questions, &choosing->finding, picks, QUESTIONS_ASKED_MAX, &left);
    for (size_t i = 0; i < count; i++)
        if (make_row(choosing, &picks[i], &rows[i], err) < 0)
            return -1;
    if (left) {
        char text[160];
        snprintf(text, sizeof(text), "INC-%lld: %zu more questions would fit; at most %d are asked", (long long)choosing->due.incident, left,
                 QUESTIONS_ASKED_MAX);
        note(asker, text);
    }
    return answers_put(asker->config.parts.database, &choosing->due, now_of(asker), rows, count, err);
}

/* 1: an incident's questions wait now; 0: there is none to ask. What its events are is waited for once. */
static int choose_next(struct asker *asker, struct arena *arena, bool *settled, bool *full, struct err *err)
{
    struct choosing choosing = {.asker = asker, .arena = arena};
    int result = answers_due(asker->config.parts.database, arena, &choosing.due, full, err);
    if (result == 1 && !*settled) {
        asker->config.settle(asker->config.context);
        *settled = true;
    }
    return result == 1 && choose(&choosing, err) < 0 ? -1 : result;
}

/* ---- answering ---- */

static int put_events(const struct question_answer *answer, struct arena *arena, struct slice *out, struct err *err)
{
    struct buffer to;
    struct json json;
    buffer_init(&to, MIB);
    json_init(&json, &to);
    json_open(&json, '[');
    for (size_t i = 0; i < answer->event_count; i++)
        json_text(&json, answer->events[i]);
    json_close(&json, ']');
    *out = buffer_failed(&to) ? SLICE_NONE : arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    return out->ptr ? 0 : err_nomem(err);
}

static int take_answer(const struct question *question, struct own_search *own, struct arena *arena, struct answer_row *row,
                       struct err *err)
{
    const struct search_result *result = search_result(own->search);
    struct question_answer answer;
    if (question_answer(question, row->entity, result, arena, &answer, err) < 0 || put_events(&answer, arena, &row->events, err) < 0)
        return -1;
    row->state = result->complete ? ANSWER_READY : ANSWER_INCOMPLETE;
    row->en = answer.text.en;
    row->ja = answer.text.ja;
    if (result->complete)
        return 0;
    struct slice why = result->messages ? result->messages->text : SLICE("");
    row->en = arena_printf(arena, "%.*s (The answer is incomplete: %.*s)", SLICE_ARG(row->en), SLICE_ARG(why));
    row->ja = arena_printf(arena, "%.*s（結果は不完全です: %.*s）", SLICE_ARG(row->ja), SLICE_ARG(why));
    return row->en.ptr && row->ja.ptr ? 0 : err_nomem(err);
}

static int search_row(struct asker *asker, const struct knowledge *set, struct arena *arena, struct answer_row *row, struct err *err)
{
    const struct scheduled_parts *parts = &asker->config.parts;
    const struct question *question = question_find(asker->config.questions, row->name);
    struct own_search own = {.store = parts->store, .lookups = parts->lookups, .files = parts->files, .redecoder = parts->redecoder,
                             .knowledge = set, .clock = parts->clock, .stop = &asker->stop};
    const struct search_options options = {.from_ns = row->from_ns, .to_ns = row->to_ns, .memory_max = (int64_t)ANSWER_MEMORY_MAX,
                                           .time_max_ms = ANSWER_TIME_MAX_S * 1000, .rows_max = QUESTION_ROWS_MAX,
                                           .person = SLICE("")};
    if (!question)
        return err_set(err, ERR_CONFIG, "there is no question named %.*s any more", SLICE_ARG(row->name));
    int result = own_search_begin(&own, row->search, &options, err) < 0 || own_search_all(&own, err) < 0
                     ? -1
                     : take_answer(question, &own, arena, row, err);
    own_search_close(&own);
    return result;
}

/* What is wrong with the search is an answer as well. -1: the server stops, or the row cannot be written. */
static int answer(struct asker *asker, struct arena *arena, struct answer_row *row, struct err *err)
{
    const struct hin_clock *clock = asker->config.parts.clock;
    int64_t began = clock_mono_ns(clock);
    struct knowledge *set = asker->config.knowledge(asker->config.context);
    int result = search_row(asker, set, arena, row, err);
    know_release(set);
    if (result < 0 && atomic_load(&asker->stop))
        return -1;
    if (result < 0)
        set_failed(row, arena, err);
    row->ms = (clock_mono_ns(clock) - began) / NS_PER_MS;
    return answers_set(asker->config.parts.database, row, now_of(asker), err);
}

/* ---- threads; the lock is held between calls ---- */

static void complain(struct asker *asker, const struct err *err)
{
    char text[ERR_TEXT_SIZE + 64];
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, RETRY_S * NS_PER_SECOND);
    snprintf(text, sizeof(text), "questions of incidents are tried again: %s", err->text);
    note(asker, text);
    while (!atomic_load(&asker->stop) && pthread_cond_timedwait(&asker->wake, &asker->lock, &until) == 0)
        continue;
    asker->dirty = true;
}

/* One chooses for all that came, while the other may answer already. */
static int plan(struct asker *asker, struct arena *arena, struct err *err)
{
    int result = 1;
    bool settled = false, full = false;
    asker->planning = true;
    asker->dirty = false;
    pthread_mutex_unlock(&asker->lock);
    while (result == 1 && !atomic_load(&asker->stop)) {
        arena_reset(arena);
        result = choose_next(asker, arena, &settled, &full, err);
        if (result == 1)
            pthread_cond_broadcast(&asker->wake);
    }
    pthread_mutex_lock(&asker->lock);
    asker->planning = false;
    asker->full = full;
    pthread_cond_broadcast(&asker->wake); /* it may have become dirty meanwhile */
    return result < 0 ? -1 : 0;
}

/* 1: a row was answered, 0: none waits, -1. */
static int work(struct asker *asker, int self, struct arena *arena, struct err *err)
{
    struct answer_row row;
    arena_reset(arena);
    int result = answers_next(asker->config.parts.database, asker->busy, arena, &row, err);
    if (result <= 0)
        return result;
    asker->busy[self] = row.id;
    pthread_mutex_unlock(&asker->lock);
    result = answer(asker, arena, &row, err);
    pthread_mutex_lock(&asker->lock);
    asker->busy[self] = 0;
    return result < 0 ? -1 : 1;
}

static void run_until_stopped(struct asker *asker, int self, struct arena *arena)
{
    struct err err;
    pthread_mutex_lock(&asker->lock);
    while (!atomic_load(&asker->stop)) {
        int result = asker->dirty && !asker->planning ? plan(asker, arena, &err) : 0;
        if (result == 0)
            result = work(asker, self, arena, &err);
        if (result == 1)
            asker->dirty |= asker->full;
        else if (result < 0 && !atomic_load(&asker->stop))
            complain(asker, &err);
        else if (!atomic_load(&asker->stop) && !(asker->dirty && !asker->planning))
            pthread_cond_wait(&asker->wake, &asker->lock);
    }
    pthread_mutex_unlock(&asker->lock);
}

struct runner {
    struct asker *asker;
    int self;
};

static void *run(void *context)
{
    struct runner runner = *(struct runner *)context;
    mem_free(context);
    pthread_setname_np(pthread_self(), "answers");
    thread_stand_behind(RUNNER_NICE);
    struct arena *arena = arena_new(ANSWER_MEMORY_MAX);
    if (arena)
        run_until_stopped(runner.asker, runner.self, arena);
    else
        note(runner.asker, "out of memory: questions of incidents are not answered");
    arena_free(arena);
    return NULL;
}

/* ---- life ---- */

struct asker *asker_open(void)
{
    pthread_condattr_t monotonic;
    struct asker *asker = mem_calloc(1, sizeof(*asker));
    if (!asker)
        return NULL;
    asker->dirty = true;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&asker->lock, NULL);
    pthread_cond_init(&asker->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return asker;
}

int asker_start(struct asker *asker, const struct asker_config *config, struct err *err)
{
    asker->config = *config;
    for (; asker->started < ANSWERS_RUNNING_MAX; asker->started++) {
        struct runner *runner = mem_alloc(sizeof(*runner));
        if (!runner)
            return err_nomem(err);
        *runner = (struct runner){asker, asker->started};
        int code = pthread_create(&asker->threads[asker->started], NULL, run, runner);
        if (code) {
            mem_free(runner);
            return err_set_errno(err, code, "a thread for questions");
        }
    }
    return 0;
}

void asker_wake(struct asker *asker)
{
    pthread_mutex_lock(&asker->lock);
    asker->dirty = true;
    pthread_cond_signal(&asker->wake);
    pthread_mutex_unlock(&asker->lock);
}

int asker_again(struct asker *asker, struct slice incident, struct err *err)
{
    int64_t id;
    if (!slice_starts(incident, SLICE("INC-")) || !slice_to_i64(slice_from(incident, 4), &id))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
    if (answers_again(asker->config.parts.database, id, err) < 0)
        return -1;
    asker_wake(asker);
    return 0;
}

void asker_stop(struct asker *asker)
{
    if (!asker)
        return;
    pthread_mutex_lock(&asker->lock);
    atomic_store(&asker->stop, true);
    pthread_cond_broadcast(&asker->wake);
    pthread_mutex_unlock(&asker->lock);
    for (; asker->started > 0; asker->started--)
        pthread_join(asker->threads[asker->started - 1], NULL);
}

void asker_free(struct asker *asker)
{
    if (!asker)
        return;
    pthread_cond_destroy(&asker->wake);
    pthread_mutex_destroy(&asker->lock);
    mem_free(asker);
}
