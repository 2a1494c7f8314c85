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

static int check_text(struct slice text, const char *what, struct err *err)
{
    if (slice_trim(text).len == 0)
        return err_set(err, ERR_CONFIG, "%s is needed", what);
    if (text.len > RESPOND_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "%s has at most %d bytes", what, RESPOND_TEXT_MAX);
    return 0;
}

struct deed { /* something a person does to an incident */
    struct respond *respond;
    int64_t id, now;
    struct slice user, text;
    const char *how; /* it was answered */
    struct arena *arena;
    struct incident incident; /* as it was before */
    bool changes;
};

static int add_entry(struct deed *deed, const char *kind, struct slice en, struct slice ja,
                     struct err *err)
{
    const struct timeline_entry entry = {
        .time_ns = deed->now, .kind = kind, .en = en, .ja = ja, .user = deed->user};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(deed->respond->config.database, deed->id, &entry, err);
}

static int do_acknowledge(struct deed *deed, struct err *err)
{
    struct slice owner = deed->incident.owner;
    if (slice_is(deed->incident.state, "acknowledged")) {
        deed->changes = false;
        return slice_equal(owner, deed->user)
                   ? 0 /* a second click */
                   : err_set(err, ERR_CONFLICT, "INC-%lld was acknowledged by %.*s already",
                             (long long)deed->id, SLICE_ARG(owner));
    }
    if (incident_set_state(deed->respond->config.database, deed->id, "open", "acknowledged",
                           deed->user, deed->now, err) < 0 ||
        page_answer(wake_pager(deed->respond->wake), deed->id, deed->user, deed->how, err) < 0)
        return -1;
    return add_entry(deed, "state",
                     arena_printf(deed->arena, "Acknowledged by %.*s (%s)", SLICE_ARG(deed->user), deed->how),
                     arena_printf(deed->arena, "%.*s が対応を開始しました（%s）", SLICE_ARG(deed->user), deed->how), err);
}

static int do_comment(struct deed *deed, struct err *err)
{
    deed->changes = false;
    return add_entry(deed, "comment", deed->text, deed->text, err);
}

static int do_close(struct deed *deed, struct err *err)
{
    if (do_comment(deed, err) < 0 ||
        add_entry(deed, "state", arena_printf(deed->arena, "Closed by %.*s", SLICE_ARG(deed->user)),
                  arena_printf(deed->arena, "%.*s が終了しました", SLICE_ARG(deed->user)), err) < 0 ||
        incident_set_state(deed->respond->config.database, deed->id, NULL, "closed", SLICE_NONE,
                           deed->now, err) < 0 ||
        page_end(wake_pager(deed->respond->wake), deed->id, "the incident was closed", err) < 0)
        return -1;
    deed->changes = true;
    deed->incident.state = SLICE("closed");
    return outbox_put(deed->respond->outbox, &deed->incident, "closed", deed->arena, err);
}

static int read_and_do(struct deed *deed, int (*act)(struct deed *deed, struct err *err),
                       struct err *err)
{
    if (incident_read(deed->respond->config.database, deed->id, deed->arena, &deed->incident, err) < 0)
        return -1;
    if (slice_is(deed->incident.state, "closed"))
        return err_set(err, ERR_CONFLICT, "INC-%lld is closed and does not change any more",
                       (long long)deed->id);
    return act(deed, err);
}

static int with_incident(struct respond *respond, struct slice name, struct slice user,
                         struct slice text, const char *how, int (*act)(struct deed *deed, struct err *err),
                         struct err *err)
{
    struct database *database = respond->config.database;
    struct deed deed = {.respond = respond, .user = user, .text = text, .how = how, .changes = true,
                        .now = clock_wall_ns(respond->config.clock)};
    int result = -1;
    if (parse_id(name, &deed.id, err) < 0)
        return -1;
    deed.arena = arena_new(RESPOND_ARENA_MAX);
    if (!deed.arena)
        return err_nomem(err);
    if (database_begin(database, err) == 0) {
        result = read_and_do(&deed, act, err);
        if (result < 0)
            database_rollback(database);
        else
            result = database_commit(database, err);
    }
    if (result == 0 && deed.changes) {
        respond_tell(respond, deed.id, slice_is(deed.incident.state, "closed"));
        outbox_wake(respond->outbox);
        wake_now(respond->wake);
    }
    arena_free(deed.arena);
    return result;
}

int respond_acknowledge(struct respond *respond, struct slice id, struct slice user, struct err *err)
{
    return respond_acknowledge_by(respond, id, user, "console", err);
}

int respond_acknowledge_by(struct respond *respond, struct slice id, struct slice user, const char *how, struct err *err)
{
    return with_incident(respond, id, user, SLICE_NONE, how, do_acknowledge, err);
}

int respond_close(struct respond *respond, struct slice id, struct slice user, struct slice comment,
                  struct err *err)
{
    if (check_text(comment, "a comment that says why it is closed", err) < 0)
        return -1;
    return with_incident(respond, id, user, comment, "console", do_close, err);
}

int respond_comment(struct respond *respond, struct slice id, struct slice user, struct slice text,
                    struct err *err)
{
    if (check_text(text, "a comment", err) < 0)
        return -1;
    return with_incident(respond, id, user, text, "console", do_comment, err);
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
    int result = incident_json(respond->config.database, number, held, held_count, arena, json, err);
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

int64_t respond_oldest_notice_ns(struct respond *respond)
{
    return (int64_t)count(respond, "SELECT coalesce(min(created_ns),0) FROM outbox WHERE done_ns IS NULL");
}
