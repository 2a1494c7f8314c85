#include "state/schedules.h"

#include "base/limits.h"

static const char *const outcomes[] = {
    [SCHEDULE_RAN] = "ran", [SCHEDULE_LATE] = "late", [SCHEDULE_INCOMPLETE] = "incomplete",
    [SCHEDULE_FAILED] = "failed", [SCHEDULE_MISSED] = "missed"};

const char *schedule_outcome_name(enum schedule_outcome outcome)
{
    return outcomes[outcome];
}

static int end_transaction(struct database *database, int result, struct err *err)
{
    if (result == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

/* ---- where each stands ---- */

int schedules_list(struct database *database, struct arena *arena, schedule_visit visit, void *context,
                   struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT id,search,scope,plan,owner,state,reason,until_ns,changed_ns,wanted_ns,"
                    "wanted_by,ran,late,incomplete,failed,missed,by_hand,findings,suppressed FROM schedules "
                    "ORDER BY search,scope", &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        struct schedule one = {.id = query_get_i64(query, 0),
                               .search = query_get_text(query, 1, arena),
                               .scope = query_get_text(query, 2, arena),
                               .plan = query_get_text(query, 3, arena),
                               .owner = query_get_text(query, 4, arena),
                               .state = query_get_text(query, 5, arena),
                               .reason = query_get_text(query, 6, arena),
                               .until_ns = query_get_i64(query, 7),
                               .changed_ns = query_get_i64(query, 8),
                               .wanted_ns = query_get_i64(query, 9),
                               .wanted_by = query_get_text(query, 10, arena),
                               .ran = query_get_i64(query, 11),
                               .late = query_get_i64(query, 12),
                               .incomplete = query_get_i64(query, 13),
                               .failed = query_get_i64(query, 14),
                               .missed = query_get_i64(query, 15),
                               .by_hand = query_get_i64(query, 16),
                               .findings = query_get_i64(query, 17),
                               .suppressed = query_get_i64(query, 18)};
        visit(context, &one);
    }
    query_end(query);
    return result;
}

static int put_row(struct database *database, const struct hin_clock *clock, struct schedule *s,
                   struct err *err)
{
    struct query *query;
    const char *sql =
        s->id ? "UPDATE schedules SET plan=?3,owner=?4,state=?5,reason=?6,until_ns=?7,changed_ns=?8,"
                "wanted_ns=NULL,wanted_by=NULL WHERE search=?1 AND scope=?2"
              : "INSERT INTO schedules(search,scope,plan,owner,state,reason,until_ns,changed_ns) "
                "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)";
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    s->changed_ns = clock_wall_ns(clock);
    query_text(query, 1, s->search);
    query_text(query, 2, s->scope);
    query_text(query, 3, s->plan);
    query_text(query, 4, s->owner);
    query_text(query, 5, s->state);
    query_text(query, 6, s->reason);
    query_i64(query, 7, s->until_ns);
    query_i64(query, 8, s->changed_ns);
    return query_run(query, err);
}

static int run_with(struct database *database, const char *sql, int64_t first, int64_t second,
                    struct err *err)
{
    struct query *query;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, first);
    query_i64(query, 2, second);
    return query_run(query, err);
}

int schedules_put(struct database *database, const struct hin_clock *clock, struct schedule *schedule,
                  struct err *err)
{
    if (database_begin(database, err) < 0)
        return -1;
    int result = put_row(database, clock, schedule, err);
    int64_t id = schedule->id ? schedule->id : database_last_id(database);
    if (result == 0 && schedule->id)
        result = run_with(database, "DELETE FROM schedule_runs WHERE schedule=?1 AND due_ns>?2", id,
                          schedule->until_ns, err);
    if (end_transaction(database, result, err) < 0)
        return -1;
    schedule->id = id;
    schedule->wanted_ns = 0;
    return 0;
}

/* ---- runs ---- */

static int is_there(struct database *database, int64_t id, int64_t due_ns, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT 1 FROM schedule_runs WHERE schedule=?1 AND due_ns=?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, due_ns);
    int result = query_step(query, err);
    query_end(query);
    return result;
}

static int insert_run(struct database *database, int64_t id, const struct schedule_run *run,
                      struct err *err)
{
    struct query *query;
    int there = is_there(database, id, run->due_ns, err);
    if (there != 0)
        return there < 0 ? -1 : err_set(err, ERR_CONFLICT, "that due time has its run already");
    if (query_begin(database, "INSERT INTO schedule_runs(schedule,due_ns,last_due_ns,due_count,outcome,"
                    "by_hand,started_ns,ended_ns,row_count,findings,suppressed,message) "
                    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, run->due_ns);
    query_i64(query, 3, run->last_due_ns);
    query_i64(query, 4, run->due_count);
    query_text(query, 5, slice_text(outcomes[run->outcome]));
    query_text(query, 6, run->by_hand);
    query_i64(query, 7, run->started_ns);
    query_i64(query, 8, run->ended_ns);
    query_i64(query, 9, run->rows);
    query_i64(query, 10, run->findings);
    query_i64(query, 11, run->suppressed);
    query_text(query, 12, run->message.ptr ? run->message : SLICE(""));
    return query_run(query, err);
}

static int count_run(struct database *database, int64_t id, const struct schedule_run *run,
                     struct err *err)
{
    struct query *query;
    const char *sql =
        run->by_hand.ptr
            ? "UPDATE schedules SET by_hand=by_hand+1,wanted_ns=NULL,wanted_by=NULL,findings=findings+?4,"
              "suppressed=suppressed+?5 WHERE id=?1"
            : "UPDATE schedules SET until_ns=?2,ran=ran+?3*(?6='ran'),late=late+?3*(?6='late'),"
              "incomplete=incomplete+?3*(?6='incomplete'),failed=failed+?3*(?6='failed'),"
              "missed=missed+?3*(?6='missed'),findings=findings+?4,suppressed=suppressed+?5 WHERE id=?1";
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    if (!run->by_hand.ptr) {
        query_i64(query, 2, run->last_due_ns);
        query_i64(query, 3, run->due_count);
        query_text(query, 6, slice_text(outcomes[run->outcome]));
    }
    query_i64(query, 4, run->findings);
    query_i64(query, 5, run->suppressed);
    return query_run(query, err);
}

static int put_quiet(struct database *database, int64_t id, const struct schedule_quiet *quiet,
                     struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO schedule_quiet(schedule,key,until_ns) VALUES(?1,?2,?3) "
                    "ON CONFLICT DO UPDATE SET until_ns=max(until_ns,excluded.until_ns)", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_blob(query, 2, quiet->key.ptr, quiet->key.len);
    query_i64(query, 3, quiet->until_ns);
    return query_run(query, err);
}

/* What is too old: runs beyond those kept, and keys that are quiet no more. */
static int forget(struct database *database, int64_t id, const struct schedule_run *run, struct err *err)
{
    if (!run->by_hand.ptr &&
        run_with(database, "DELETE FROM schedule_quiet WHERE schedule=?1 AND until_ns<=?2", id,
                 run->last_due_ns, err) < 0)
        return -1;
    return run_with(database, "DELETE FROM schedule_runs WHERE schedule=?1 AND due_ns<(SELECT due_ns FROM "
                    "schedule_runs WHERE schedule=?1 ORDER BY due_ns DESC LIMIT 1 OFFSET ?2)", id,
                    SCHEDULE_RUNS_KEPT - 1, err);
}

int schedules_record(struct database *database, int64_t id, const struct schedule_run *run,
                     const struct schedule_quiet *quiet, size_t quiet_count, struct err *err)
{
    if (database_begin(database, err) < 0)
        return -1;
    int result = insert_run(database, id, run, err);
    if (result == 0)
        result = count_run(database, id, run, err);
    if (result == 0)
        result = forget(database, id, run, err);
    for (size_t i = 0; result == 0 && i < quiet_count; i++)
        result = put_quiet(database, id, &quiet[i], err);
    return end_transaction(database, result, err);
}

static enum schedule_outcome outcome_by_name(struct slice name)
{
    size_t i = 0;
    while (i + 1 < ARRAY_COUNT(outcomes) && !slice_is(name, outcomes[i]))
        i++;
    return (enum schedule_outcome)i;
}

int schedules_runs(struct database *database, int64_t id, int64_t limit, struct arena *arena,
                   schedule_run_visit visit, void *context, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT due_ns,last_due_ns,due_count,outcome,by_hand,started_ns,ended_ns,"
                    "row_count,findings,suppressed,message FROM schedule_runs WHERE schedule=?1 "
                    "ORDER BY due_ns DESC LIMIT ?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, limit);
    while ((result = query_step(query, err)) == 1) {
        struct schedule_run run = {.due_ns = query_get_i64(query, 0),
                                   .last_due_ns = query_get_i64(query, 1),
                                   .due_count = query_get_i64(query, 2),
                                   .outcome = outcome_by_name(query_get_text(query, 3, arena)),
                                   .by_hand = query_get_text(query, 4, arena),
                                   .started_ns = query_get_i64(query, 5),
                                   .ended_ns = query_get_i64(query, 6),
                                   .rows = query_get_i64(query, 7),
                                   .findings = query_get_i64(query, 8),
                                   .suppressed = query_get_i64(query, 9),
                                   .message = query_get_text(query, 10, arena)};
        visit(context, &run);
    }
    query_end(query);
    return result;
}

int schedules_quiet_until(struct database *database, int64_t id, struct slice key, int64_t *out,
                          struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT until_ns FROM schedule_quiet WHERE schedule=?1 AND key=?2", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_blob(query, 2, key.ptr, key.len);
    int result = query_step(query, err);
    *out = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* ---- on request ---- */

static int want_within(struct database *database, int64_t id, int64_t wanted_ns, struct slice by,
                       struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT state='on',wanted_ns IS NULL FROM schedules WHERE id=?1", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, id);
    int found = query_step(query, err);
    bool on = found == 1 && query_get_i64(query, 0), idle = found == 1 && query_get_i64(query, 1);
    query_end(query);
    if (found < 0)
        return -1;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "there is no such scheduled search");
    if (!on)
        return err_set(err, ERR_CONFLICT, "the scheduled search is not on; its state says why");
    if (!idle)
        return err_set(err, ERR_CONFLICT, "a run is asked for already; wait for its result");
    if (query_begin(database, "UPDATE schedules SET wanted_ns=?2,wanted_by=?3 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, wanted_ns);
    query_text(query, 3, by);
    return query_run(query, err);
}

int schedules_want(struct database *database, int64_t id, int64_t wanted_ns, struct slice by,
                   struct err *err)
{
    if (database_begin(database, err) < 0)
        return -1;
    return end_transaction(database, want_within(database, id, wanted_ns, by, err), err);
}
