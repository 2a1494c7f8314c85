#include "schedule/scheduled_run.h"

#include "base/limits.h"
#include "base/time_modifier.h"
#include "schedule/own_search.h"
#include "schedule/schedule_findings.h"
#include "schedule/search_writes.h"

#include <stdio.h>

/* The clock of the search: the wall shows the due time, waiting and limits go by the real one. */
struct due_clock {
    struct hin_clock clock;
    const struct hin_clock *real;
    int64_t due_ns;
};

static int64_t due_wall(void *context)
{
    return ((const struct due_clock *)context)->due_ns;
}

static int64_t real_mono(void *context)
{
    return clock_mono_ns(((const struct due_clock *)context)->real);
}

struct running {
    const struct scheduled_parts *parts;
    const struct knowledge *knowledge;
    const struct know_saved_search *saved;
    const struct schedule *schedule;
    struct slice doubt;
    const atomic_bool *stop;
    int tries;
    struct arena *arena; /* of what becomes of rows; emptied when the run fails */
    struct due_clock clock;
    struct own_search own;
    struct search_writes writes;
    char key[64], what[64];
    int64_t from_ns, to_ns;
};

/* ---- the search ---- */

static int prepare(struct running *r, struct err *err)
{
    const struct scheduled_parts *parts = r->parts;
    const struct know_schedule *schedule = r->saved->schedule;
    r->to_ns = r->clock.due_ns;
    if (time_modifier_read(r->saved->earliest, r->clock.due_ns, schedule->zone, &r->from_ns, err) < 0 ||
        (r->saved->latest.len && time_modifier_read(r->saved->latest, r->clock.due_ns, schedule->zone,
                                                    &r->to_ns, err) < 0))
        return -1;
    r->own = (struct own_search){.store = parts->store, .lookups = parts->lookups, .files = parts->files,
                                 .redecoder = parts->redecoder, .knowledge = r->knowledge, .clock = &r->clock.clock,
                                 .stop = r->stop};
    search_writes_init(&r->writes, &(struct search_writes){
        .database = parts->database, .clock = parts->clock, .journal = parts->journal,
        .lookups = parts->lookups, .person = r->schedule->owner, .via = SLICE("schedule"),
        .what = r->what, .key = slice_text(r->key)});
    struct search_options options = {.zone = schedule->zone, .from_ns = r->from_ns, .to_ns = r->to_ns,
                                     .memory_max = (int64_t)SCHEDULE_MEMORY_MAX,
                                     .time_max_ms = SCHEDULE_TIME_MAX_S * 1000,
                                     .rows_max = SCHEDULE_ROWS_MAX, .person = r->schedule->owner,
                                     .writer = &r->writes.writer};
    return own_search_begin(&r->own, r->saved->search, &options, err);
}

/* ---- what came of it ---- */

static int quiet_until(void *context, struct slice key, int64_t *out, struct err *err)
{
    struct running *r = context;
    return schedules_quiet_until(r->parts->database, r->schedule->id, key, out, err);
}

static struct slice join_messages(struct running *r, const struct search_result *result, struct slice cut)
{
    struct buffer to;
    buffer_init(&to, MIB);
    buffer_put(&to, cut);
    if (r->doubt.len)
        buffer_printf(&to, "%s%.*s", to.len ? "; " : "", SLICE_ARG(r->doubt));
    for (const struct search_message *m = result->messages; m; m = m->next) {
        if (to.len)
            buffer_put_text(&to, "; ");
        buffer_put(&to, m->text);
        if (m->seen)
            buffer_printf(&to, " (kept %llu of %llu)", (unsigned long long)m->kept,
                          (unsigned long long)m->seen);
    }
    struct slice out = buffer_failed(&to) ? SLICE_NONE : arena_copy(r->arena, buffer_slice(&to));
    buffer_close(&to);
    return out;
}

static int read_rows(struct running *r, struct scheduled_run *out, struct err *err)
{
    const struct search_result *result = search_result(r->own.search);
    struct schedule_rows rows = {
        .schedule = r->saved->schedule,
        .subject = {r->schedule->search, r->schedule->scope, r->clock.due_ns},
        .from_ns = r->from_ns, .to_ns = r->to_ns, .raised_ns = clock_wall_ns(r->parts->clock),
        .arena = r->arena, .quiet_until = quiet_until, .context = r};
    if (schedule_rows_read(&rows, result, err) < 0)
        return -1;
    out->findings = rows.findings;
    out->finding_count = rows.finding_count;
    out->quiet = rows.quiet;
    out->quiet_count = rows.quiet_count;
    out->record.rows = (int64_t)result->row_count;
    out->record.suppressed = rows.suppressed;
    out->record.message = join_messages(r, result, rows.cut);
    if (!result->complete || rows.cut.len || r->doubt.len)
        out->record.outcome = SCHEDULE_INCOMPLETE;
    return out->record.message.ptr ? 0 : err_nomem(err);
}

/* A run that gave no answer, or not all of it, is a finding as well. */
static int add_failure(struct running *r, struct scheduled_run *out, struct err *err)
{
    bool failed = out->record.outcome == SCHEDULE_FAILED;
    struct schedule_subject subject = {r->schedule->search, r->schedule->scope, r->clock.due_ns};
    struct finding *list = arena_array(r->arena, out->finding_count + 1, sizeof(*list));
    char due[TIME_TEXT_SIZE];
    due[time_format(r->clock.due_ns, due)] = '\0';
    if (!list)
        return err_nomem(err);
    if (out->finding_count)
        memcpy(list, out->findings, out->finding_count * sizeof(*list));
    struct slice en = arena_printf(r->arena, "The scheduled search %.*s %s at %s: %.*s",
                                   SLICE_ARG(r->schedule->search), failed ? "failed" : "has an incomplete answer",
                                   due, SLICE_ARG(out->record.message));
    struct slice ja = arena_printf(r->arena, "定期検索「%.*s」の %s の実行%s: %.*s",
                                   SLICE_ARG(r->schedule->search), due,
                                   failed ? "が失敗しました" : "の結果は不完全です", SLICE_ARG(out->record.message));
    if (schedule_finding_system(&subject, "failed", en, ja, clock_wall_ns(r->parts->clock), r->arena,
                                &list[out->finding_count], err) < 0)
        return -1;
    out->findings = list;
    out->finding_count++;
    return 0;
}

/* Not the search's fault, and another try may go better. */
static bool is_ours(const struct running *r, const struct err *err)
{
    return atomic_load(r->stop) || (err->code == ERR_NOMEM && r->tries < SCHEDULE_TRIES_MAX);
}

static int run(struct running *r, struct scheduled_run *out, struct err *err)
{
    if (prepare(r, err) < 0 || own_search_all(&r->own, err) < 0 || read_rows(r, out, err) < 0) {
        if (is_ours(r, err))
            return -1;
        arena_reset(r->arena);
        out->finding_count = out->quiet_count = 0;
        out->record.suppressed = 0;
        out->record.outcome = SCHEDULE_FAILED;
        out->record.message = arena_copy(r->arena, slice_text(err->text));
        if (!out->record.message.ptr)
            return err_nomem(err);
    }
    out->record.findings = (int64_t)out->finding_count;
    if (out->record.outcome == SCHEDULE_FAILED || out->record.outcome == SCHEDULE_INCOMPLETE)
        return add_failure(r, out, err);
    return 0;
}

int scheduled_run_do(const struct scheduled_parts *parts, const struct knowledge *knowledge,
                     const struct know_object *object, const struct planner_job *job, struct slice doubt,
                     const atomic_bool *stop, struct arena *arena, struct scheduled_run *out,
                     struct err *err)
{
    const struct schedule *schedule = &job->schedule;
    int64_t due_ns = job->due_ns;
    struct running r = {.parts = parts, .knowledge = knowledge, .saved = object->spec,
                        .schedule = schedule, .doubt = doubt, .stop = stop, .tries = job->tries, .arena = arena};
    int64_t now = clock_wall_ns(parts->clock);
    bool late = !job->by_hand.ptr && now - due_ns > SCHEDULE_LATE_MS * NS_PER_MS;
    r.clock = (struct due_clock){.real = parts->clock, .due_ns = due_ns};
    r.clock.clock = (struct hin_clock){due_wall, real_mono, &r.clock};
    snprintf(r.key, sizeof(r.key), "schedule %lld %lld", (long long)schedule->id, (long long)due_ns);
    snprintf(r.what, sizeof(r.what), "%.*s", SLICE_ARG(schedule->search));
    *out = (struct scheduled_run){.record = {.due_ns = due_ns, .last_due_ns = due_ns, .due_count = 1,
                                             .outcome = late ? SCHEDULE_LATE : SCHEDULE_RAN,
                                             .by_hand = job->by_hand, .started_ns = now,
                                             .message = SLICE("")}};
    int result = run(&r, out, err);
    out->record.ended_ns = clock_wall_ns(parts->clock);
    own_search_close(&r.own);
    return result;
}
