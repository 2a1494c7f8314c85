/* The note for who takes over: what is open, what changed since, what is to do, and what stops being kept quiet. */
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/incident.h"
#include "respond/inside.h"

enum { ENTRIES_MAX = 200 };

struct note {
    struct database *database;
    struct arena *arena;
    struct json *json;
    struct buffer en, ja; /* the same for people */
    int64_t since, now;
};

static const char *severity_word(int64_t severity)
{
    return severity ? severity_name((enum severity)severity) : "informational";
}

static void put_incident(struct note *note, struct query *query)
{
    char name[INCIDENT_NAME_SIZE];
    struct slice en = query_get_text(query, 4, note->arena), ja = query_get_text(query, 5, note->arena);
    struct slice state = query_get_text(query, 2, note->arena), owner = query_get_text(query, 3, note->arena);
    struct slice who = owner.len ? owner : SLICE("-");
    long long tasks = query_get_i64(query, 6);
    incident_name(query_get_i64(query, 0), name);
    json_open(note->json, '{');
    json_put_text(note->json, "id", slice_text(name));
    json_put_text(note->json, "severity", slice_text(severity_word(query_get_i64(query, 1))));
    json_put_text(note->json, "state", state);
    json_put_text_or_null(note->json, "owner", owner);
    json_put_text_or_null(note->json, "en", en);
    json_put_text_or_null(note->json, "ja", ja.len ? ja : en);
    json_put_i64(note->json, "tasks_not_done", tasks);
    json_close(note->json, '}');
    buffer_printf(&note->en, "- %s [%s] %.*s, %.*s, %lld tasks: %.*s\n", name, severity_word(query_get_i64(query, 1)),
                  SLICE_ARG(state), SLICE_ARG(who), tasks, SLICE_ARG(en.len ? en : SLICE("-")));
    buffer_printf(&note->ja, "- %s [%s] %.*s、担当 %.*s、残タスク%lld件: %.*s\n", name, severity_word(query_get_i64(query, 1)),
                  SLICE_ARG(state), SLICE_ARG(who), tasks, SLICE_ARG(ja.len ? ja : en.len ? en : SLICE("-")));
}

static void put_exception(struct note *note, struct query *query)
{
    char when[TIME_TEXT_SIZE];
    struct slice reason = query_get_text(query, 2, note->arena), owner = query_get_text(query, 3, note->arena);
    int len = (int)time_format(query_get_i64(query, 1), when);
    long long id = query_get_i64(query, 0), count = query_get_i64(query, 4);
    json_open(note->json, '{');
    json_put_i64(note->json, "id", id);
    json_put_time(note->json, "expires", query_get_i64(query, 1));
    json_put_text(note->json, "reason", reason);
    json_put_text(note->json, "owner", owner);
    json_put_i64(note->json, "count", count);
    json_close(note->json, '}');
    buffer_printf(&note->en, "- %lld until %.*s (%.*s, owner %.*s): %lld findings\n", id, len, when, SLICE_ARG(reason),
                  SLICE_ARG(owner), count);
    buffer_printf(&note->ja, "- %lld %.*s まで（%.*s、担当 %.*s）: 検知%lld件\n", id, len, when, SLICE_ARG(reason), SLICE_ARG(owner),
                  count);
}

/* A part of the note: its rows as an array, and as lines below a title. */
static int put_part(struct note *note, const char *key, const char *en, const char *ja, const char *sql,
                    void (*put)(struct note *note, struct query *query), struct err *err)
{
    struct query *query;
    int result, rows = 0;
    if (query_begin(note->database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, note->since);
    query_i64(query, 2, note->now);
    query_i64(query, 3, ENTRIES_MAX + 1);
    json_key(note->json, key);
    json_open(note->json, '[');
    buffer_printf(&note->en, "%s\n", en);
    buffer_printf(&note->ja, "%s\n", ja);
    while ((result = query_step(query, err)) == 1 && ++rows <= ENTRIES_MAX) {
        arena_reset(note->arena);
        put(note, query);
    }
    json_close(note->json, ']');
    query_end(query);
    buffer_put_text(&note->en, rows == 0 ? "- none\n" : rows > ENTRIES_MAX ? "- and more, see the list\n" : "");
    buffer_put_text(&note->ja, rows == 0 ? "- なし\n" : rows > ENTRIES_MAX ? "- ほかにもあります（一覧を参照）\n" : "");
    return result < 0 ? -1 : 0;
}

#define INCIDENT_ROW "SELECT id,severity,state,owner,title_en,title_ja,(SELECT count(*) FROM tasks t WHERE t.incident=i.id AND t.done_ns IS NULL) FROM incidents i "

static int put_parts(struct note *note, struct err *err)
{
    if (put_part(note, "open", "Open:", "対応中:", INCIDENT_ROW "WHERE state!='closed' ORDER BY severity DESC,id LIMIT ?3",
                 put_incident, err) < 0 ||
        put_part(note, "closed", "Closed in this shift:", "このシフトで終了:",
                 INCIDENT_ROW "WHERE state='closed' AND closed_ns>=?1 ORDER BY id LIMIT ?3", put_incident, err) < 0 ||
        put_part(note, "exceptions_ending", "Exceptions and mutes that end within a day:", "24時間以内に期限が切れる例外とミュート:",
                 "SELECT id,expires_ns,reason,owner,count FROM exceptions WHERE ended_ns IS NULL AND expires_ns>?2 AND"
                 " expires_ns<=?2+86400000000000 ORDER BY expires_ns LIMIT ?3", put_exception, err) < 0)
        return -1;
    return put_part(note, "exceptions_ended", "Exceptions and mutes that ended in this shift:", "このシフトで期限が切れた例外とミュート:",
                    "SELECT id,min(expires_ns,coalesce(ended_ns,expires_ns)),reason,owner,count FROM exceptions WHERE"
                    " min(expires_ns,coalesce(ended_ns,expires_ns)) BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3", put_exception, err);
}

int respond_handover_json(struct respond *respond, int64_t since_ns, struct json *json, struct err *err)
{
    struct note note = {.database = respond->config.database, .json = json, .since = since_ns,
                        .now = clock_wall_ns(respond->config.clock), .arena = arena_new(4 * MIB)};
    if (!note.arena)
        return err_nomem(err);
    buffer_init(&note.en, 4 * MIB);
    buffer_init(&note.ja, 4 * MIB);
    json_open(json, '{');
    json_put_time(json, "since", since_ns);
    json_put_time(json, "until", note.now);
    int result = put_parts(&note, err);
    json_key(json, "note");
    json_open(json, '{');
    json_put_text(json, "en", buffer_slice(&note.en));
    json_put_text(json, "ja", buffer_slice(&note.ja));
    json_close(json, '}');
    json_close(json, '}');
    if (result == 0 && (buffer_failed(&note.en) || buffer_failed(&note.ja)))
        result = err_nomem(err);
    buffer_close(&note.en);
    buffer_close(&note.ja);
    arena_free(note.arena);
    return result;
}
