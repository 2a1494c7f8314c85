#include "state/answers.h"

#include "base/limits.h"
#include "base/time.h"

static const char *const state_names[] = {"waiting", "answered", "incomplete", "failed"};

/* ---- whom to ask ---- */

#define UNASKED " FROM incidents i LEFT JOIN incidents_asked a ON a.incident=i.id WHERE i.state!='closed' AND" \
                " (a.incident IS NULL OR a.raw_severity<i.raw_severity)"

static int read_due(struct query *query, struct arena *arena, struct answers_due *out)
{
    *out = (struct answers_due){query_get_i64(query, 0), query_get_i64(query, 1), query_get_i64(query, 2),
                                query_get_i64(query, 3), query_get_i64(query, 4), query_get_text(query, 5, arena)};
    return out->finding.ptr ? 1 : -1;
}

int answers_due(struct database *database, struct arena *arena, struct answers_due *out, bool *full, struct err *err)
{
    struct query *query;
    int64_t waiting;
    if (database_number(database, "SELECT count(*) FROM answers WHERE state=0", NULL, 0, &waiting, err) < 0)
        return -1;
    *full = waiting >= ANSWERS_WAITING_MAX;
    if (*full)
        return 0;
    if (query_begin(database, "SELECT d.*,(SELECT f.bytes FROM findings f WHERE f.incident=d.id ORDER BY f.severity DESC,f.number"
                    " LIMIT 1) FROM (SELECT i.id,i.raw_severity,i.opened_ns,i.first_event_ns,i.last_event_ns" UNASKED
                    " AND EXISTS(SELECT 1 FROM findings f WHERE f.incident=i.id)"
                    " ORDER BY i.severity DESC,i.id DESC LIMIT 1) d", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1 && read_due(query, arena, out) < 0)
        result = err_nomem(err);
    query_end(query);
    return result;
}

/* ---- rows ---- */

static int insert(struct database *database, int64_t incident, int64_t number, const struct answer_row *row, struct err *err)
{
    return database_do(database, "INSERT INTO answers(incident,number,name,question_en,question_ja,entity,search,from_ns,to_ns,state,"
                       "answer_en,answer_ja) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                       BINDS(bind_i64(incident), bind_i64(number), bind_text(row->name), bind_text(row->question_en),
                             bind_text(row->question_ja), bind_text(row->entity), bind_text(row->search), bind_i64(row->from_ns),
                             bind_i64(row->to_ns), bind_i64(row->state), bind_text(row->en), bind_text(row->ja)), err);
}

static int put(struct database *database, const struct answers_due *due, int64_t now, const struct answer_row *rows, size_t count,
               struct err *err)
{
    if (database_do(database, "DELETE FROM answers WHERE incident=?1", BINDS(bind_i64(due->incident)), err) < 0 ||
        database_do(database, "INSERT OR REPLACE INTO incidents_asked(incident,raw_severity,asked_ns) VALUES(?1,?2,?3)",
                    BINDS(bind_i64(due->incident), bind_i64(due->raw_severity), bind_i64(now)), err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (insert(database, due->incident, (int64_t)i + 1, &rows[i], err) < 0)
            return -1;
    return 0;
}

int answers_put(struct database *database, const struct answers_due *due, int64_t now, const struct answer_row *rows, size_t count,
                struct err *err)
{
    if (database_begin(database, err) < 0)
        return -1;
    if (put(database, due, now, rows, count, err) == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

int answers_next(struct database *database, const int64_t busy[2], struct arena *arena, struct answer_row *out, struct err *err)
{
    struct query *query;
    if (query_begin_with(database, "SELECT a.id,a.incident,a.name,a.entity,a.search,a.from_ns,a.to_ns FROM answers a JOIN incidents i ON"
                         " i.id=a.incident WHERE a.state=0 AND a.id NOT IN (?1,?2) ORDER BY i.severity DESC,i.id DESC,a.number LIMIT 1",
                         BINDS(bind_i64(busy[0]), bind_i64(busy[1])), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1) {
        *out = (struct answer_row){.id = query_get_i64(query, 0), .incident = query_get_i64(query, 1),
                                   .name = query_get_text(query, 2, arena), .entity = query_get_text(query, 3, arena),
                                   .search = query_get_text(query, 4, arena), .from_ns = query_get_i64(query, 5),
                                   .to_ns = query_get_i64(query, 6)};
        if (!out->name.ptr || !out->entity.ptr || !out->search.ptr)
            result = err_nomem(err);
    }
    query_end(query);
    return result;
}

int answers_set(struct database *database, const struct answer_row *row, int64_t now, struct err *err)
{
    return database_do(database, "UPDATE answers SET state=?2,answer_en=?3,answer_ja=?4,events=?5,ms=?6,answered_ns=?7 WHERE id=?1",
                       BINDS(bind_i64(row->id), bind_i64(row->state), bind_text(row->en), bind_text(row->ja), bind_text(row->events),
                             bind_i64(row->ms), bind_i64(now)), err);
}

int answers_again(struct database *database, int64_t incident, struct err *err)
{
    struct query *query;
    if (query_begin_with(database, "SELECT state='closed' FROM incidents WHERE id=?1", BINDS(bind_i64(incident)), &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    bool closed = result == 1 && query_get_i64(query, 0);
    query_end(query);
    if (result <= 0)
        return result < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "there is no incident INC-%lld", (long long)incident);
    if (closed)
        return err_set(err, ERR_CONFLICT, "INC-%lld is closed: its answers stay as they are", (long long)incident);
    return database_do(database, "DELETE FROM incidents_asked WHERE incident=?1", BINDS(bind_i64(incident)), err);
}

/* ---- JSON ---- */

static void put_words(struct json *json, const char *key, struct slice en, struct slice ja)
{
    json_key(json, key);
    json_open(json, '{');
    json_put_text(json, "en", en);
    json_put_text(json, "ja", ja);
    json_close(json, '}');
}

static void put_answer(struct query *query, int64_t now, struct arena *arena, struct json *json)
{
    int64_t state = query_get_i64(query, 2), asked_ns = query_get_i64(query, 10);
    struct slice events = query_get_text(query, 8, arena);
    bool late = state == ANSWER_WAITING && now - asked_ns > ANSWER_LATE_MS * NS_PER_MS;
    json_open(json, '{');
    json_put_text(json, "name", query_get_text(query, 11, arena));
    put_words(json, "question", query_get_text(query, 0, arena), query_get_text(query, 1, arena));
    json_put_text(json, "state", slice_text(late ? "late" : state_names[state]));
    if (late)
        put_words(json, "answer", SLICE("Not answered within 3 s; it is finished later."), SLICE("3秒以内に回答できませんでした。完了し次第、表示します。"));
    else if (state == ANSWER_WAITING)
        put_words(json, "answer", SLICE("Being looked up."), SLICE("確認中です。"));
    else
        put_words(json, "answer", query_get_text(query, 3, arena), query_get_text(query, 4, arena));
    json_put_text_or_null(json, "search", query_get_text(query, 5, arena));
    json_put_time(json, "from", query_get_i64(query, 6));
    json_put_time(json, "to", query_get_i64(query, 7));
    json_key(json, "events");
    json_raw(json, events.len ? events : SLICE("[]"));
    json_put_i64(json, "ms", query_get_i64(query, 9));
    json_put_time_or_null(json, "asked", asked_ns);
    json_put_time_or_null(json, "answered", query_get_i64(query, 12));
    json_close(json, '}');
}

int answers_json(struct database *database, int64_t incident, int64_t now, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin_with(database, "SELECT a.question_en,a.question_ja,a.state,a.answer_en,a.answer_ja,a.search,a.from_ns,a.to_ns,"
                         "a.events,a.ms,s.asked_ns,a.name,a.answered_ns FROM answers a LEFT JOIN incidents_asked s ON s.incident=a.incident"
                         " WHERE a.incident=?1 ORDER BY a.number", BINDS(bind_i64(incident)), &query, err) < 0)
        return -1;
    json_key(json, "answers");
    json_open(json, '[');
    struct arena_mark mark = arena_mark(arena);
    while ((result = query_step(query, err)) == 1) {
        arena_rewind(arena, &mark);
        put_answer(query, now, arena, json);
    }
    json_close(json, ']');
    query_end(query);
    return result;
}
