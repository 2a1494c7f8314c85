#include "respond/inside.h"

#include "base/limits.h"
#include "respond/incidents/incident_json.h"

/* ---- what people do ---- */

static int parse_id(struct slice name, int64_t *id, struct err *err)
{
    return incident_parse_name(name, id)
               ? 0
               : err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(name));
}

int text_check(struct slice text, const char *what, struct err *err)
{
    if (slice_trim(text).len == 0)
        return err_set(err, ERR_CONFIG, "%s is needed", what);
    if (text.len > RESPOND_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "%s has at most %d bytes", what, RESPOND_TEXT_MAX);
    return 0;
}

int deed_entry(struct deed *deed, const char *kind, struct slice en, struct slice ja, struct err *err)
{
    const struct timeline_entry entry = {
        .time_ns = deed->now, .kind = kind, .en = en, .ja = ja, .user = deed->user};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(deed->respond->config.database, deed->id, &entry, err);
}

struct join deed_join(const struct deed *deed)
{
    struct join join = deed->respond->join;
    join.arena = deed->arena;
    return join;
}

static int do_acknowledge(struct deed *deed, struct err *err)
{
    struct slice owner = deed->incident.owner;
    const char *how = deed->what;
    if (slice_is(deed->incident.state, "acknowledged")) {
        return slice_equal(owner, deed->user)
                   ? 0 /* a second click */
                   : err_set(err, ERR_CONFLICT, "INC-%lld was acknowledged by %.*s already",
                             (long long)deed->id, SLICE_ARG(owner));
    }
    if (incident_set_state(deed->respond->config.database, deed->id, "open", "acknowledged",
                           deed->user, deed->now, err) < 0 ||
        page_answer(wake_pager(deed->respond->wake), deed->id, deed->user, how, err) < 0)
        return -1;
    deed->changed.changed[deed->changed.changed_count++] = deed->id;
    deed->incident.owner = deed->user;
    if (outbox_put(deed->respond->outbox, &deed->incident, "acknowledged", deed->arena, err) < 0)
        return -1;
    return deed_entry(deed, "state",
                     arena_printf(deed->arena, "Acknowledged by %.*s (%s)", SLICE_ARG(deed->user), how),
                     arena_printf(deed->arena, "%.*s が対応を開始しました（%s）", SLICE_ARG(deed->user), how), err);
}

static int read_and_do(struct deed *deed, int (*act)(struct deed *deed, struct err *err),
                       struct err *err)
{
    if (incident_read(deed->respond->config.database, deed->id, deed->arena, &deed->incident, err) < 0)
        return -1;
    if (slice_is(deed->incident.state, "closed") && act != deed_reopen)
        return err_set(err, ERR_CONFLICT, "INC-%lld is closed and does not change any more",
                       (long long)deed->id);
    return act(deed, err);
}

static void tell_changed(struct respond *respond, const struct join_result *changed)
{
    for (int closed = 0; closed < 2; closed++)
        for (size_t i = 0; i < changed->changed_count; i++)
            respond_tell(respond, changed->changed[i], closed);
    outbox_wake(respond->outbox);
    wake_now(respond->wake);
}

int deed_do_number(struct respond *respond, int64_t id, struct slice user, const void *what,
                   int (*act)(struct deed *deed, struct err *err), struct err *err)
{
    struct database *database = respond->config.database;
    struct deed deed = {.respond = respond, .id = id, .user = user, .what = what,
                        .now = clock_wall_ns(respond->config.clock), .arena = arena_new(RESPOND_ARENA_MAX)};
    int result = -1;
    if (!deed.arena)
        return err_nomem(err);
    if (database_begin(database, err) == 0) {
        result = read_and_do(&deed, act, err);
        if (result < 0)
            database_rollback(database);
        else
            result = database_commit(database, err);
    }
    if (result == 0 && deed.changed.changed_count)
        tell_changed(respond, &deed.changed);
    arena_free(deed.arena);
    return result;
}

int deed_do(struct respond *respond, struct slice name, struct slice user, const void *what,
            int (*act)(struct deed *deed, struct err *err), struct err *err)
{
    int64_t id;
    return parse_id(name, &id, err) < 0 ? -1 : deed_do_number(respond, id, user, what, act, err);
}

int respond_acknowledge(struct respond *respond, struct slice id, struct slice user, struct err *err)
{
    return respond_acknowledge_by(respond, id, user, "console", err);
}

int respond_acknowledge_by(struct respond *respond, struct slice id, struct slice user, const char *how, struct err *err)
{
    return deed_do(respond, id, user, how, do_acknowledge, err);
}

/* ---- reading ---- */

int respond_list_json(struct respond *respond, struct slice states, int64_t limit, struct json *json,
                      struct err *err)
{
    struct arena *arena = arena_new(RESPOND_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = incident_list_json(respond->config.database, states, limit, arena, json, err);
    arena_free(arena);
    return result;
}

int respond_incident_json(struct respond *respond, struct slice id, const struct respond_held *held,
                          size_t held_count, struct json *json, struct err *err)
{
    int64_t number;
    if (parse_id(id, &number, err) < 0)
        return -1;
    struct arena *arena = arena_new(RESPOND_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = incident_json(respond->config.database, number, held, held_count, clock_wall_ns(respond->config.clock),
                               arena, json, err);
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
        .running_pages = count(respond, "SELECT count(*) FROM pages WHERE state='running'"),
        .failed_notifications = count(respond, "SELECT count(*) FROM outbox WHERE failed=1"),
    };
}

int64_t respond_notice_waits_ns(struct respond *respond)
{
    int64_t oldest = (int64_t)count(respond, "SELECT coalesce(min(created_ns),0) FROM outbox WHERE done_ns IS NULL");
    int64_t now = pace_now(&respond->pace);
    return oldest && now > oldest ? now - oldest : 0;
}

bool respond_wakes_nobody(struct respond *respond)
{
    int64_t unreached = 0, mono = clock_mono_ns(respond->config.clock), last = wake_last_run_mono(respond->wake);
    struct err err;
    if (last && mono - last > WAKE_STILL_S * NS_PER_SECOND)
        return true;
    return database_number(respond->config.database,
                           "SELECT count(*) FROM pages p WHERE state='running' AND kind!='test' AND EXISTS(SELECT 1 FROM"
                           " wakings w WHERE w.page=p.id AND w.made_pace<?1) AND NOT EXISTS(SELECT 1 FROM wakings w WHERE"
                           " w.page=p.id AND w.received_ns IS NOT NULL)",
                           BINDS(bind_i64(pace_now(&respond->pace) - WAKE_UNREACHED_S * NS_PER_SECOND)), &unreached, &err) < 0 ||
           unreached > 0;
}

int64_t respond_people_reachable(struct respond *respond)
{
    struct err err;
    int64_t contacts = 0, people = 0;
    if (database_number(respond->config.database, "SELECT count(*) FROM contacts", NULL, 0, &contacts, &err) < 0 || contacts == 0 ||
        database_number(respond->config.database,
                        "SELECT count(DISTINCT c.person) FROM contacts c WHERE c.proven_ns IS NOT NULL"
                        " AND NOT EXISTS(SELECT 1 FROM users u WHERE u.name=c.person AND u.disabled=1)"
                        " AND NOT EXISTS(SELECT 1 FROM wakings w WHERE w.failed IS NOT NULL AND"
                        " w.received_ns IS NULL AND w.id=(SELECT max(v.id) FROM wakings v WHERE v.person=c.person AND"
                        " v.notifier=c.notifier AND v.address=c.address AND (v.failed IS NOT NULL OR v.received_ns IS NOT NULL)))",
                        NULL, 0, &people, &err) < 0)
        return -1;
    return people;
}
