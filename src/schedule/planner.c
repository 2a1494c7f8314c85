#include "schedule/planner.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "schedule/schedule_findings.h"
#include "schedule/schedule_owner.h"
#include "state/audit.h"

#include <stdio.h>

#define RETRY_NS NS_PER_SECOND
#define CLOCK_BACK_NS NS_PER_HOUR /* more than this in the future is no due time that has been */

struct entry {
    struct entry *next;
    struct arena *arena; /* of the texts in at; made anew when they change */
    struct schedule at;
    struct due due;
    int64_t next_ns;  /* the due time after until_ns, INT64_MAX: none */
    int64_t retry_ns; /* by the monotonic clock: not before */
    bool running, seen;
    int tries; /* of the next run that were not recorded */
    char wanted_by[USER_NAME_MAX * 4]; /* what at.wanted_by is: it outlives a change of the other texts */
};

struct planner {
    struct planner_config config;
    struct entry *first;
    bool full; /* which was said */
};

static const struct know_schedule *schedule_of(const struct know_object *object)
{
    return ((const struct know_saved_search *)object->spec)->schedule;
}

/* ---- entries ---- */

static bool is_on(const struct entry *entry)
{
    return slice_is(entry->at.state, "on");
}

static void find_next(struct entry *entry)
{
    if (!is_on(entry) || !due_next(&entry->due, entry->at.until_ns, &entry->next_ns))
        entry->next_ns = INT64_MAX;
}

/* The texts of from are copied. */
static int entry_set(struct entry *entry, const struct schedule *from, struct err *err)
{
    struct arena *arena = arena_new(MIB);
    struct schedule copy = *from;
    struct slice *texts[] = {&copy.search, &copy.scope, &copy.plan, &copy.owner, &copy.state, &copy.reason};
    for (size_t i = 0; arena && i < ARRAY_COUNT(texts); i++)
        if ((*texts[i] = arena_copy(arena, *texts[i])).ptr == NULL)
            copy.id = -1;
    if (!arena || copy.id < 0 || due_parse(copy.plan, &entry->due, err) < 0) {
        bool nomem = !arena || copy.id < 0;
        arena_free(arena);
        return nomem ? err_nomem(err) : -1;
    }
    arena_free(entry->arena);
    entry->arena = arena;
    entry->at = copy;
    find_next(entry);
    return 0;
}

static void entry_free(struct entry *entry)
{
    arena_free(entry->arena);
    mem_free(entry);
}

static void set_wanted(struct entry *entry, int64_t wanted_ns, struct slice by)
{
    snprintf(entry->wanted_by, sizeof(entry->wanted_by), "%.*s", SLICE_ARG(by));
    entry->at.wanted_ns = wanted_ns;
    entry->at.wanted_by = wanted_ns ? slice_text(entry->wanted_by) : SLICE_NONE;
}

static struct entry *add_entry(struct planner *planner, const struct schedule *from, struct err *err)
{
    struct entry *entry = mem_calloc(1, sizeof(*entry));
    if (!entry || entry_set(entry, from, err) < 0) {
        if (!entry)
            err_nomem(err);
        mem_free(entry);
        return NULL;
    }
    set_wanted(entry, from->wanted_ns, from->wanted_by);
    entry->next = planner->first;
    planner->first = entry;
    return entry;
}

struct loading {
    struct planner *planner;
    struct err *err;
    bool failed;
};

static void load_one(void *context, const struct schedule *schedule)
{
    struct loading *loading = context;
    loading->failed = loading->failed || !add_entry(loading->planner, schedule, loading->err);
}

int planner_open(const struct planner_config *config, struct planner **out, struct err *err)
{
    struct planner *planner = mem_calloc(1, sizeof(*planner));
    struct arena *arena = arena_new(64 * MIB);
    struct loading loading = {planner, err, false};
    *out = planner;
    if (planner)
        planner->config = *config;
    int result = planner && arena ? schedules_list(config->database, arena, load_one, &loading, err)
                                  : err_nomem(err);
    arena_free(arena);
    if (result == 0 && !loading.failed)
        return 0;
    planner_close(planner);
    *out = NULL;
    return err_within(err, "scheduled searches");
}

void planner_close(struct planner *planner)
{
    if (!planner)
        return;
    for (struct entry *entry = planner->first, *next; entry; entry = next) {
        next = entry->next;
        entry_free(entry);
    }
    mem_free(planner);
}

/* ---- what is said of it ---- */

static int audit(struct planner *planner, const struct entry *entry, const char *action,
                 struct slice detail, struct err *err)
{
    struct audit_row row = {.actor = SLICE("hinomi"), .via = SLICE("schedule"), .peer = SLICE(""),
                            .action = slice_text(action), .object = entry->at.search, .detail = detail,
                            .result = SLICE("ok")};
    return audit_add(planner->config.database, planner->config.clock, &row, err);
}

static int raise(struct planner *planner, const struct entry *entry, const char *kind, int64_t due_ns,
                 struct slice en, struct slice ja, struct arena *arena, struct err *err)
{
    struct schedule_subject subject = {entry->at.search, entry->at.scope, due_ns};
    struct finding finding;
    if (schedule_finding_system(&subject, kind, en, ja, clock_wall_ns(planner->config.clock), arena,
                                &finding, err) < 0)
        return -1;
    return planner->config.raise(planner->config.context, &finding, err);
}

/* Due times after until_ns, up to to_ns, did not run and will not. The finding comes first: its id hangs on
 * the first of them, so that a crash in between raises no second one. */
static int record_missed(struct planner *planner, struct entry *entry, int64_t to_ns, const char *why_en,
                         const char *why_ja, struct arena *arena, struct err *err)
{
    int64_t first = 0, last = 0;
    int64_t count = due_count(&entry->due, entry->at.until_ns, to_ns, &first, &last);
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    if (count == 0)
        return 0;
    from[time_format(first, from)] = '\0';
    to[time_format(last, to)] = '\0';
    struct slice detail = arena_printf(arena, "%lld due times from %s to %s: %s", (long long)count, from, to,
                                       why_en);
    struct slice en = arena_printf(arena, "The scheduled search %.*s missed %.*s", SLICE_ARG(entry->at.search),
                                   SLICE_ARG(detail));
    struct slice ja = arena_printf(arena, "定期検索「%.*s」は %s から %s までの %lld 回が実行されませんでした: %s",
                                   SLICE_ARG(entry->at.search), from, to, (long long)count, why_ja);
    struct schedule_run run = {.due_ns = first, .last_due_ns = last, .due_count = count,
                               .outcome = SCHEDULE_MISSED, .message = slice_text(why_en)};
    if (!detail.ptr)
        return err_nomem(err);
    if (raise(planner, entry, "missed", first, en, ja, arena, err) < 0 ||
        audit(planner, entry, "schedule.missed", detail, err) < 0 ||
        schedules_record(planner->config.database, entry->at.id, &run, NULL, 0, err) < 0)
        return -1;
    entry->at.until_ns = last;
    find_next(entry);
    return 0;
}

/* ---- as it should be ---- */

struct wish {
    struct schedule at;
    bool by_choice; /* off or removed: somebody wanted that */
};

static int wish_for(struct planner *planner, const struct know_object *object, struct arena *arena,
                    struct wish *out, struct err *err)
{
    const struct know_schedule *schedule = schedule_of(object);
    enum schedule_right right;
    out->at = (struct schedule){.search = object->name, .plan = schedule->plan,
                                .scope = object->origin == KNOW_OWN ? object->owner : SLICE(""),
                                .owner = schedule_owner(object), .state = SLICE("on"), .reason = SLICE("")};
    out->by_choice = !schedule->enabled;
    if (!schedule->enabled) {
        out->at.state = SLICE("off");
        out->at.reason = SLICE("enabled is false");
        return 0;
    }
    if (schedule_owner_may(planner->config.database, out->at.owner, arena, &right, &out->at.reason, err) < 0)
        return -1;
    if (right == SCHEDULE_MAY_NOT)
        out->at.state = SLICE("stopped");
    return 0;
}

static bool is_as_wished(const struct entry *entry, const struct wish *wish)
{
    return slice_equal(entry->at.plan, wish->at.plan) && slice_equal(entry->at.owner, wish->at.owner) &&
           slice_equal(entry->at.state, wish->at.state) && slice_equal(entry->at.reason, wish->at.reason);
}

static int put(struct planner *planner, struct entry *entry, const struct wish *wish, int64_t until_ns,
               struct err *err)
{
    struct schedule next = entry->at;
    next.plan = wish->at.plan;
    next.owner = wish->at.owner;
    next.state = wish->at.state;
    next.reason = wish->at.reason;
    next.until_ns = until_ns;
    if (schedules_put(planner->config.database, planner->config.clock, &next, err) < 0 ||
        entry_set(entry, &next, err) < 0)
        return -1;
    set_wanted(entry, 0, SLICE(""));
    return 0;
}

static int say_stop(struct planner *planner, struct entry *entry, const struct wish *wish,
                    struct arena *arena, struct err *err)
{
    struct slice en = arena_printf(arena, "The scheduled search %.*s does not run any more: %.*s",
                                   SLICE_ARG(entry->at.search), SLICE_ARG(wish->at.reason));
    struct slice ja = arena_printf(arena, "定期検索「%.*s」は停止しました: %.*s", SLICE_ARG(entry->at.search),
                                   SLICE_ARG(wish->at.reason));
    if (!wish->by_choice && raise(planner, entry, "stopped", entry->at.until_ns, en, ja, arena, err) < 0)
        return -1;
    return audit(planner, entry, "schedule.stop", wish->at.reason, err);
}

/* What was due before the change is accounted for first. A search that was off by choice had no due times. */
static int change(struct planner *planner, struct entry *entry, const struct wish *wish,
                  struct arena *arena, struct err *err)
{
    int64_t now = clock_wall_ns(planner->config.clock);
    bool was_on = is_on(entry), goes_on = slice_is(wish->at.state, "on");
    bool new_plan = !slice_equal(entry->at.plan, wish->at.plan);
    bool leaves = slice_is(entry->at.state, "stopped") && (new_plan || !slice_is(wish->at.state, "stopped"));
    if (was_on && goes_on && !new_plan) /* another owner */
        return put(planner, entry, wish, entry->at.until_ns, err);
    if (was_on && record_missed(planner, entry, now,
                                goes_on ? "the schedule was changed" : "the search was stopped",
                                goes_on ? "スケジュールが変更されました" : "検索が停止されました", arena, err) < 0)
        return -1;
    if (leaves &&
        record_missed(planner, entry, now, "its owner might not run it", "所有者に権限がありませんでした", arena,
                      err) < 0)
        return -1;
    if (was_on && !goes_on && say_stop(planner, entry, wish, arena, err) < 0)
        return -1;
    if (!was_on && goes_on && audit(planner, entry, "schedule.start", entry->at.plan, err) < 0)
        return -1;
    return put(planner, entry, wish, was_on || goes_on || leaves ? now : entry->at.until_ns, err);
}

static struct entry *find_entry(struct planner *planner, struct slice search, struct slice scope)
{
    for (struct entry *entry = planner->first; entry; entry = entry->next)
        if (slice_equal(entry->at.search, search) && slice_equal(entry->at.scope, scope))
            return entry;
    return NULL;
}

static size_t count_there(const struct planner *planner)
{
    size_t count = 0;
    for (const struct entry *entry = planner->first; entry; entry = entry->next)
        count += !slice_is(entry->at.state, "removed");
    return count;
}

static int begin(struct planner *planner, const struct wish *wish, struct arena *arena, struct err *err)
{
    struct schedule first = wish->at;
    if (count_there(planner) >= SCHEDULES_MAX) {
        char text[128];
        snprintf(text, sizeof(text), "there are more than %d scheduled searches; some do not run",
                 SCHEDULES_MAX);
        if (!planner->full)
            planner->config.note(planner->config.context, text);
        planner->full = true;
        return 0;
    }
    first.until_ns = clock_wall_ns(planner->config.clock);
    if (schedules_put(planner->config.database, planner->config.clock, &first, err) < 0)
        return -1;
    struct entry *entry = add_entry(planner, &first, err);
    if (!entry)
        return -1;
    entry->seen = true;
    if (!is_on(entry) && !wish->by_choice)
        return say_stop(planner, entry, wish, arena, err);
    return is_on(entry) ? audit(planner, entry, "schedule.start", entry->at.plan, err) : 0;
}

static int sync_one(struct planner *planner, const struct know_object *object, struct arena *arena,
                    struct err *err)
{
    struct wish wish;
    if (wish_for(planner, object, arena, &wish, err) < 0)
        return -1;
    struct entry *entry = find_entry(planner, wish.at.search, wish.at.scope);
    if (!entry)
        return begin(planner, &wish, arena, err);
    entry->seen = true;
    return entry->running || is_as_wished(entry, &wish) ? 0 : change(planner, entry, &wish, arena, err);
}

/* The own ones of all people, and the strongest of those that all have. */
static int sync_name(struct planner *planner, const struct know_object *object, struct arena *arena,
                     struct err *err)
{
    for (; object; object = object->next) {
        if (schedule_of(object) && sync_one(planner, object, arena, err) < 0)
            return -1;
        if (object->origin != KNOW_OWN)
            return 0;
    }
    return 0;
}

static int sync_gone(struct planner *planner, struct arena *arena, struct err *err)
{
    for (struct entry *entry = planner->first; entry; entry = entry->next) {
        struct wish wish = {.at = entry->at, .by_choice = true};
        wish.at.state = SLICE("removed");
        wish.at.reason = SLICE("there is no such definition any more");
        if (!entry->seen && !entry->running && !is_as_wished(entry, &wish) &&
            change(planner, entry, &wish, arena, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what can be caught up no more ---- */

static int sync_clock(struct planner *planner, struct entry *entry, int64_t now, struct arena *arena,
                      struct err *err)
{
    struct wish same = {.at = entry->at};
    struct slice detail = arena_printf(arena, "the clock went back %lld seconds: due times that seemed to have "
                                       "been are due again", (long long)((entry->at.until_ns - now) / NS_PER_SECOND));
    if (!detail.ptr)
        return err_nomem(err);
    return audit(planner, entry, "schedule.clock", detail, err) < 0 ? -1 : put(planner, entry, &same, now, err);
}

static int sync_old(struct planner *planner, struct entry *entry, const struct knowledge *set,
                    struct arena *arena, struct err *err)
{
    int64_t now = clock_wall_ns(planner->config.clock);
    const struct know_object *object = planner_find(set, entry->at.search, entry->at.scope);
    if (entry->running || !is_on(entry) || !object)
        return 0;
    if (entry->at.until_ns - CLOCK_BACK_NS > now)
        return sync_clock(planner, entry, now, arena, err);
    int64_t oldest = now - schedule_of(object)->catch_up_ns;
    if (entry->next_ns >= oldest)
        return 0;
    return record_missed(planner, entry, oldest - 1, "older than catch_up", "catch_up より古いため", arena, err);
}

int planner_sync(struct planner *planner, const struct knowledge *set, struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    const struct know_object *object;
    int result = arena ? 0 : err_nomem(err);
    for (struct entry *entry = planner->first; entry; entry = entry->next)
        entry->seen = false;
    for (size_t i = 0; result == 0 && (object = know_at(set, i)); i++)
        if (object->kind == KNOW_SAVED_SEARCH)
            result = sync_name(planner, object, arena, err);
    if (result == 0)
        result = sync_gone(planner, arena, err);
    for (struct entry *entry = planner->first; result == 0 && entry; entry = entry->next)
        result = sync_old(planner, entry, set, arena, err);
    arena_free(arena);
    return result;
}

/* ---- runs ---- */

static int64_t due_of(const struct entry *entry)
{
    return entry->at.wanted_ns && entry->at.wanted_ns < entry->next_ns ? entry->at.wanted_ns : entry->next_ns;
}

bool planner_take(struct planner *planner, struct planner_job *out)
{
    int64_t now = clock_wall_ns(planner->config.clock), mono = clock_mono_ns(planner->config.clock);
    struct entry *oldest = NULL;
    for (struct entry *entry = planner->first; entry; entry = entry->next)
        if (!entry->running && is_on(entry) && due_of(entry) <= now && entry->retry_ns <= mono &&
            (!oldest || due_of(entry) < due_of(oldest)))
            oldest = entry;
    if (!oldest)
        return false;
    oldest->running = true;
    *out = (struct planner_job){.schedule = oldest->at, .due_ns = due_of(oldest), .tries = oldest->tries};
    if (out->due_ns != oldest->next_ns)
        out->by_hand = oldest->at.wanted_by;
    return true;
}

int64_t planner_next_ns(const struct planner *planner)
{
    int64_t next = INT64_MAX, mono = clock_mono_ns(planner->config.clock);
    for (const struct entry *entry = planner->first; entry; entry = entry->next)
        if (!entry->running && is_on(entry) && entry->retry_ns <= mono && due_of(entry) < next)
            next = due_of(entry);
    return next;
}

static struct entry *entry_by_id(struct planner *planner, int64_t id)
{
    struct entry *entry = planner->first;
    while (entry && entry->at.id != id)
        entry = entry->next;
    return entry;
}

void planner_done(struct planner *planner, const struct planner_job *job, bool recorded)
{
    struct entry *entry = entry_by_id(planner, job->schedule.id);
    entry->running = false;
    entry->tries = recorded ? 0 : entry->tries + 1;
    if (!recorded) {
        entry->retry_ns = clock_mono_ns(planner->config.clock) + RETRY_NS;
    } else if (job->by_hand.ptr) {
        if (entry->at.wanted_ns == job->due_ns) /* not a newer wish */
            set_wanted(entry, 0, SLICE(""));
    } else {
        entry->at.until_ns = job->due_ns;
        find_next(entry);
    }
}

/* An odd number of nanoseconds: never the due time of a schedule. */
int planner_want(struct planner *planner, int64_t id, struct slice by, struct err *err)
{
    struct entry *entry = entry_by_id(planner, id);
    int64_t now = clock_wall_ns(planner->config.clock) | 1;
    if (!entry)
        return err_set(err, ERR_NOT_FOUND, "there is no such scheduled search");
    if (schedules_want(planner->config.database, id, now, by, err) < 0)
        return -1;
    set_wanted(entry, now, by);
    return 0;
}

const struct know_object *planner_find(const struct knowledge *set, struct slice search,
                                       struct slice scope)
{
    const struct know_object *object = know_find(set, KNOW_SAVED_SEARCH, search, scope);
    if (object && scope.len && object->origin != KNOW_OWN)
        return NULL;
    return object && schedule_of(object) ? object : NULL;
}
