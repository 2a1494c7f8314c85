/* Searches that run by themselves: how they stand, their runs, a run now (docs/schedules.md). */
#include "base/due.h"
#include "base/limits.h"
#include "serve/api.h"

enum { RUNS = 100 };

static void put_run(void *context, const struct schedule_run *run)
{
    struct json *json = context;
    json_open(json, '{');
    json_put_time(json, "due", run->due_ns);
    json_put_text(json, "outcome", slice_text(schedule_outcome_name(run->outcome)));
    json_put_i64(json, "count", run->due_count);
    if (run->due_count > 1)
        json_put_time(json, "last_due", run->last_due_ns);
    if (run->by_hand.ptr)
        json_put_text(json, "by_hand", run->by_hand);
    json_put_time_or_null(json, "started", run->started_ns);
    json_put_i64(json, "duration_ms", (run->ended_ns - run->started_ns) / NS_PER_MS);
    json_put_i64(json, "rows", run->rows);
    json_put_i64(json, "findings", run->findings);
    json_put_i64(json, "suppressed", run->suppressed);
    json_put_text(json, "message", run->message);
    json_close(json, '}');
}


static int put_runs(struct api *api, const struct schedule *schedule, int64_t limit, struct err *err)
{
    json_key(&api->json, "runs");
    json_open(&api->json, '[');
    int result = schedules_runs(api->parts->database, schedule->id, limit, api->arena, put_run, &api->json, err);
    json_close(&api->json, ']');
    return result;
}

static void put_counts(struct json *json, const struct schedule *s)
{
    json_put_i64(json, "ran", s->ran);
    json_put_i64(json, "late", s->late);
    json_put_i64(json, "incomplete", s->incomplete);
    json_put_i64(json, "failed", s->failed);
    json_put_i64(json, "missed", s->missed);
    json_put_i64(json, "by_hand", s->by_hand);
    json_put_i64(json, "findings", s->findings);
    json_put_i64(json, "suppressed", s->suppressed);
}

static int put_schedule(struct api *api, const struct schedule *s, int64_t runs, struct err *err)
{
    struct json *json = &api->json;
    struct due due;
    int64_t next = 0, first, last, waiting = 0;
    bool on = slice_is(s->state, "on");
    if (due_parse(s->plan, &due, err) < 0)
        return -1;
    if (on && !due_next(&due, s->until_ns, &next))
        next = 0;
    if (on || slice_is(s->state, "stopped"))
        waiting = due_count(&due, s->until_ns, clock_wall_ns(api->parts->clock), &first, &last);
    json_open(json, '{');
    json_put_i64(json, "id", s->id);
    json_put_text(json, "search", s->search);
    json_put_bool(json, "shared", s->scope.len == 0);
    json_put_text(json, "owner", s->owner);
    json_put_text(json, "plan", s->plan);
    json_put_text(json, "state", s->state);
    json_put_text(json, "reason", s->reason);
    json_put_time(json, "changed", s->changed_ns);
    json_put_time_or_null(json, "next_due", next);
    json_put_time(json, "accounted_until", s->until_ns);
    json_put_i64(json, "waiting", waiting);
    json_put_bool(json, "run_asked", s->wanted_ns != 0);
    put_counts(json, s);
    int result = put_runs(api, s, runs, err);
    json_close(json, '}');
    return result;
}

/* ---- which ---- */

struct found {
    struct api *api;
    struct schedule *list;
    size_t count, size;
    bool failed;
};

static bool is_caller(const struct api *api, struct slice person)
{
    return !api->caller.is_token && slice_equal(person, api->caller.user.name);
}

/* Own ones are their owner's business, and the engineers'. */
static bool may_see(const struct api *api, const struct schedule *s)
{
    return s->scope.len == 0 || is_caller(api, s->scope) ||
           role_allows(api->caller.role, ROLE_ENGINEER);
}

static void find_one(void *context, const struct schedule *s)
{
    struct found *found = context;
    if (!may_see(found->api, s))
        return;
    if (found->count == found->size) {
        size_t size = found->size ? found->size * 2 : 16;
        struct schedule *list = arena_array(found->api->arena, size, sizeof(*list));
        found->failed |= !list;
        if (!list)
            return;
        if (found->count)
            memcpy(list, found->list, found->count * sizeof(*list));
        found->list = list;
        found->size = size;
    }
    found->list[found->count++] = *s;
}

static int find_all(struct api *api, struct found *found, struct err *err)
{
    *found = (struct found){.api = api};
    if (schedules_list(api->parts->database, api->arena, find_one, found, err) < 0)
        return -1;
    return found->failed ? err_nomem(err) : 0;
}

static const struct schedule *find_named(struct api *api, struct err *err)
{
    struct found found;
    int64_t id;
    if (find_all(api, &found, err) < 0)
        return NULL;
    for (size_t i = 0; slice_to_i64(api->param, &id) && i < found.count; i++)
        if (found.list[i].id == id)
            return &found.list[i];
    err_set(err, ERR_NOT_FOUND, "there is no such scheduled search");
    return NULL;
}

/* ---- routes ---- */

void api_schedules(struct api *api)
{
    struct err err;
    struct found found;
    err_clear(&err);
    int result = find_all(api, &found, &err);
    json_open(&api->json, '{');
    json_key(&api->json, "schedules");
    json_open(&api->json, '[');
    for (size_t i = 0; result == 0 && i < found.count; i++)
        result = put_schedule(api, &found.list[i], 1, &err);
    json_close(&api->json, ']');
    json_close(&api->json, '}');
    if (result < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

void api_schedule(struct api *api)
{
    struct err err;
    err_clear(&err);
    const struct schedule *schedule = find_named(api, &err);
    int64_t runs = api_number(api, "runs", RUNS, SCHEDULE_RUNS_KEPT);
    if (!schedule || put_schedule(api, schedule, runs, &err) < 0)
        api_reply_err(api, &err);
    else
        api_reply(api, 200);
}

/* It runs with the owner's rights, so it is the owner's to ask for, or an engineer's. */
static int run_now(struct api *api, const struct schedule *schedule, struct err *err)
{
    if (!is_caller(api, schedule->owner) && !role_allows(api->caller.role, ROLE_ENGINEER))
        return err_set(err, ERR_DENIED, "to run another's search takes the role engineer");
    return scheduler_run_now(api->parts->scheduler, schedule->id, api->caller.user.name, err);
}

void api_schedule_run(struct api *api)
{
    struct err err;
    err_clear(&err);
    const struct schedule *schedule = find_named(api, &err);
    int result = schedule ? run_now(api, schedule, &err) : -1;
    if (!api_did(api, "schedule.run", schedule ? schedule->search : api->param, SLICE(""), result, &err))
        return;
    json_open(&api->json, '{');
    json_put_i64(&api->json, "id", schedule->id);
    json_close(&api->json, '}');
    api_reply(api, 202);
}
