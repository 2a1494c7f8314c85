#include "respond/wake/roster.h"

/* ---- contacts ---- */

int roster_contacts(struct database *database, struct slice person, struct arena *arena, struct contact **out,
                    size_t *count, struct err *err)
{
    struct query *query;
    int result;
    *count = 0;
    *out = arena_array(arena, CONTACTS_MAX, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    if (query_begin_with(database, "SELECT id,notifier,address,proven_ns FROM contacts WHERE person=?1 ORDER BY position",
                         BINDS(bind_text(person)), &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1 && *count < CONTACTS_MAX)
        (*out)[(*count)++] = (struct contact){query_get_i64(query, 0), person, query_get_text(query, 1, arena),
                                              query_get_text(query, 2, arena), query_get_i64(query, 3)};
    query_end(query);
    return result < 0 ? -1 : 0;
}

int roster_reach(struct database *database, struct slice person, struct arena *arena, struct contact **out, size_t *count,
                 struct err *err)
{
    int64_t left;
    if (roster_contacts(database, person, arena, out, count, err) < 0 ||
        database_number(database, "SELECT count(*) FROM users WHERE name=?1 AND disabled=1", BINDS(bind_text(person)), &left,
                        err) < 0)
        return -1;
    *count = left ? 0 : *count;
    return 0;
}

static int upsert(struct database *database, const struct contact *contact, struct slice person, size_t position,
                  int64_t now_ns, struct err *err)
{
    return database_do(database,
                       "INSERT INTO contacts(person,notifier,address,position,added_ns) VALUES(?1,?2,?3,?4,?5)"
                       " ON CONFLICT(person,notifier,address) DO UPDATE SET position=excluded.position",
                       BINDS(bind_text(person), bind_text(contact->notifier), bind_text(contact->address),
                             bind_i64((int64_t)position), bind_i64(now_ns)), err);
}

int roster_set_contacts(struct database *database, struct slice person, const struct contact *contacts, size_t count,
                        int64_t now_ns, struct err *err)
{
    if (count > CONTACTS_MAX)
        return err_set(err, ERR_LIMIT, "one person has at most %d contacts", CONTACTS_MAX);
    if (database_run(database, "UPDATE contacts SET position=-1 WHERE person=?1", &person, 1, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (upsert(database, &contacts[i], person, i, now_ns, err) < 0)
            return -1;
    return database_run(database, "DELETE FROM contacts WHERE person=?1 AND position<0", &person, 1, err);
}

int roster_proven(struct database *database, struct slice person, struct slice notifier, struct slice address,
                  int64_t now_ns, struct err *err)
{
    return database_do(database, "UPDATE contacts SET proven_ns=?4 WHERE person=?1 AND notifier=?2 AND address=?3",
                       BINDS(bind_text(person), bind_text(notifier), bind_text(address), bind_i64(now_ns)), err);
}

int roster_language(struct database *database, struct slice person, struct arena *arena, struct slice *out,
                    struct err *err)
{
    struct query *query;
    *out = SLICE_NONE;
    if (query_begin_with(database, "SELECT language FROM users WHERE name=?1", BINDS(bind_text(person)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = query_get_text(query, 0, arena);
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* ---- swaps and absences ---- */

static int count_open(struct database *database, int64_t now_ns, int64_t *count, struct err *err)
{
    return database_number(database, "SELECT count(*) FROM stand_ins WHERE ended_ns IS NULL AND to_ns>?1",
                           BINDS(bind_i64(now_ns)), count, err);
}

int roster_stand_ins(struct database *database, int64_t from_ns, struct arena *arena, struct stand_in **out,
                     size_t *count, struct err *err)
{
    struct query *query;
    int64_t open;
    int result;
    *count = 0;
    if (count_open(database, from_ns, &open, err) < 0)
        return -1;
    *out = arena_array(arena, (size_t)open + 1, sizeof(**out));
    if (!*out)
        return err_nomem(err);
    if (query_begin_with(database,
                         "SELECT id,schedule,away,instead,from_ns,to_ns,added_ns FROM stand_ins"
                         " WHERE ended_ns IS NULL AND to_ns>?1 ORDER BY id", BINDS(bind_i64(from_ns)), &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1 && *count < (size_t)open)
        (*out)[(*count)++] = (struct stand_in){
            query_get_i64(query, 0), query_get_text(query, 1, arena), query_get_text(query, 2, arena),
            query_get_text(query, 3, arena), query_get_i64(query, 4), query_get_i64(query, 5), query_get_i64(query, 6)};
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int check_wish(const struct plan *plan, const struct stand_in *what, struct err *err)
{
    if (what->to_ns <= what->from_ns)
        return err_set(err, ERR_CONFIG, "it ends before it begins");
    if (what->schedule.len && !plan_schedule_find(plan, what->schedule))
        return err_set(err, ERR_CONFIG, "there is no schedule '%.*s'", SLICE_ARG(what->schedule));
    if (!what->schedule.len && !what->away.len)
        return err_set(err, ERR_CONFIG, "an absence needs the name of who is away");
    if (what->schedule.len && !what->instead.len)
        return err_set(err, ERR_CONFIG, "say who takes the schedule instead");
    const struct slice names[] = {what->away, what->instead};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (names[i].len && !plan_has_person(plan, names[i]))
            return err_set(err, ERR_CONFIG, "'%.*s' is not among the people of the waking plan", SLICE_ARG(names[i]));
    if (what->away.len && slice_equal(what->away, what->instead))
        return err_set(err, ERR_CONFIG, "nobody stands in for themselves");
    return 0;
}

int roster_add_stand_in(struct database *database, const struct plan *plan, struct stand_in_wish *wish, int64_t now_ns,
                        struct err *err)
{
    struct stand_in *what = &wish->what;
    struct query *query;
    int64_t open;
    if (check_wish(plan, what, err) < 0 || count_open(database, now_ns, &open, err) < 0)
        return -1;
    if (open >= STAND_INS_MAX)
        return err_set(err, ERR_LIMIT, "there are %d swaps and absences already that are not over", STAND_INS_MAX);
    if (query_begin_with(database,
                         "INSERT INTO stand_ins(schedule,away,instead,from_ns,to_ns,reason,added_by,added_ns)"
                         " VALUES(nullif(?1,''),nullif(?2,''),nullif(?3,''),?4,?5,?6,?7,?8)",
                         BINDS(bind_text(what->schedule), bind_text(what->away), bind_text(what->instead),
                               bind_i64(what->from_ns), bind_i64(what->to_ns), bind_text(wish->reason),
                               bind_text(wish->by), bind_i64(now_ns)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    what->id = database_last_id(database);
    query_end(query);
    return result < 0 ? -1 : 0;
}

int roster_end_stand_in(struct database *database, int64_t id, struct slice by, int64_t now_ns, struct err *err)
{
    struct query *query;
    if (query_begin_with(database, "UPDATE stand_ins SET ended_by=?2,ended_ns=?3 WHERE id=?1 AND ended_ns IS NULL",
                         BINDS(bind_i64(id), bind_text(by), bind_i64(now_ns)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    int64_t changed = database_changes(database);
    query_end(query);
    if (result < 0)
        return -1;
    return changed ? 0 : err_set(err, ERR_NOT_FOUND, "there is no swap or absence %lld that is not over", (long long)id);
}
