#include "respond/incidents/incident_json.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/limits.h"
#include "respond/incidents/incident_chain.h"
#include "state/answers.h"

enum { LIST_MAX = 1000, STATES = 3 };

/* A language that is missing is spoken for by the other one. */
static void put_both(struct json *json, const char *key, struct slice en, struct slice ja)
{
    json_key(json, key);
    if (!en.len && !ja.len) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text(json, "en", en.len ? en : ja);
    json_put_text(json, "ja", ja.len ? ja : en);
    json_close(json, '}');
}

static struct slice severity_word(enum severity severity)
{
    return severity == SEVERITY_NONE ? SLICE("informational") : slice_text(severity_name(severity));
}

static void put_members(struct json *json, const struct incident *incident)
{
    char name[INCIDENT_NAME_SIZE];
    incident_name(incident->id, name);
    json_put_text(json, "id", slice_text(name));
    put_both(json, "title", incident->en[INCIDENT_TITLE], incident->ja[INCIDENT_TITLE]);
    json_put_text(json, "severity", severity_word(incident->severity));
    json_put_text(json, "state", incident->state);
    json_put_text_or_null(json, "owner", incident->owner);
    json_put_time(json, "opened", incident->opened_ns);
    json_put_time(json, "updated", incident->updated_ns);
    json_put_time(json, "first_event", incident->first_event_ns);
    json_put_time(json, "last_event", incident->last_event_ns);
    json_put_i64(json, "finding_count", incident->finding_count);
    json_key(json, "entities");
    json_open(json, '[');
    for (size_t i = 0; i < incident->entity_count; i++) {
        json_open(json, '{');
        json_put_text(json, "type", incident->entities[i].type);
        json_put_text(json, "value", incident->entities[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_put_text(json, "raw_severity", severity_word(incident->raw_severity));
    json_put_text_or_null(json, "verdict", incident->verdict);
    json_put_bool(json, "entities_complete", incident->entities_left == 0);
}

/* ---- the list ---- */

struct filter {
    struct slice states[STATES];
};

static int read_filter(struct slice states, struct filter *filter, struct err *err)
{
    static const char *const names[STATES] = {"open", "acknowledged", "closed"};
    struct slice part;
    for (int i = 0; i < STATES; i++)
        filter->states[i] = states.len ? SLICE_NONE : slice_text(names[i]);
    while (states.len && slice_next_part(&states, ',', &part)) {
        bool known = false;
        for (int i = 0; i < STATES; i++)
            if (slice_is(part, names[i])) {
                filter->states[i] = part;
                known = true;
            }
        if (!known)
            return err_set(err, ERR_CONFIG, "\"%.*s\" is no state; they are open, acknowledged and "
                           "closed", SLICE_ARG(part));
    }
    return 0;
}

#define WHERE_STATES " FROM incidents WHERE state IN (?1,?2,?3)"

static int begin_filtered(struct database *database, const char *sql, const struct filter *filter,
                          struct query **query, struct err *err)
{
    if (query_begin(database, sql, query, err) < 0)
        return -1;
    for (int i = 0; i < STATES; i++)
        query_text(*query, i + 1, filter->states[i]);
    return 0;
}

static int put_list(struct database *database, const struct filter *filter, int64_t limit,
                    struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    struct incident incident;
    int result;
    if (begin_filtered(database, "SELECT id" WHERE_STATES " ORDER BY id DESC LIMIT ?4", filter,
                       &query, err) < 0)
        return -1;
    query_i64(query, 4, limit > LIST_MAX ? LIST_MAX : limit);
    while ((result = query_step(query, err)) == 1) {
        arena_reset(arena);
        result = incident_read(database, query_get_i64(query, 0), arena, &incident, err);
        if (result < 0)
            break;
        json_open(json, '{');
        put_members(json, &incident);
        json_close(json, '}');
    }
    query_end(query);
    return result;
}

static int count_list(struct database *database, const struct filter *filter, int64_t *total,
                      struct err *err)
{
    struct query *query;
    if (begin_filtered(database, "SELECT count(*)" WHERE_STATES, filter, &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *total = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

int incident_list_json(struct database *database, struct slice states, int64_t limit,
                       struct arena *arena, struct json *json, struct err *err)
{
    struct filter filter;
    int64_t total;
    if (read_filter(states, &filter, err) < 0 || count_list(database, &filter, &total, err) < 0)
        return -1;
    json_open(json, '{');
    json_key(json, "incidents");
    json_open(json, '[');
    if (put_list(database, &filter, limit, arena, json, err) < 0)
        return -1;
    json_close(json, ']');
    json_put_i64(json, "total", total);
    json_close(json, '}');
    return 0;
}

/* ---- one ---- */

/* Repeats of the line that an entry begins; NULL: it begins none. */
struct line {
    int64_t count, first_ns, last_ns;
};

static int read_lines(struct database *database, int64_t id, struct arena *arena, struct map *lines, struct err *err)
{
    struct query *query;
    int result;
    map_init(lines, arena);
    if (query_begin(database, "SELECT line,count,first_ns,last_ns FROM incident_lines WHERE incident=?1 AND shown=1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    while ((result = query_step(query, err)) == 1) {
        struct line *line = arena_alloc(arena, sizeof(*line));
        struct slice key = query_get_text(query, 0, arena);
        if (!line || !key.ptr || map_put(lines, key, line) < 0) {
            result = err_nomem(err);
            break;
        }
        *line = (struct line){query_get_i64(query, 1), query_get_i64(query, 2), query_get_i64(query, 3)};
    }
    query_end(query);
    return result;
}

static void put_line(const struct line *line, struct json *json)
{
    if (!line)
        return;
    json_put_i64(json, "count", line->count);
    json_put_time(json, "first", line->first_ns);
    json_put_time(json, "last", line->last_ns);
}

static void put_entry(struct query *query, const struct map *lines, struct arena *arena, struct json *json)
{
    struct slice en = query_get_text(query, 2, arena), ja = query_get_text(query, 3, arena);
    struct slice evidence = query_get_text(query, 6, arena), detail = query_get_text(query, 11, arena);
    struct slice line = query_get_text(query, 10, arena);
    json_open(json, '{');
    json_put_time(json, "time", query_get_i64(query, 0));
    json_put_text(json, "kind", query_get_text(query, 1, arena));
    put_both(json, "text", en.len || ja.len ? en : SLICE("-"), ja);
    json_put_text_or_null(json, "rule", query_get_text(query, 4, arena));
    json_put_text_or_null(json, "severity", query_is_null(query, 5)
                                      ? SLICE_NONE
                                      : severity_word((enum severity)query_get_i64(query, 5)));
    json_key(json, "evidence");
    json_raw(json, evidence.len ? evidence : SLICE("[]"));
    json_put_text_or_null(json, "user", query_get_text(query, 7, arena));
    if (line.len)
        put_line(map_find(lines, line), json);
    if (detail.len) {
        json_key(json, "detail");
        json_raw(json, detail);
    }
    if (!query_is_null(query, 9)) {
        json_put_i64(json, "number", query_get_i64(query, 9));
        json_put_text(json, "hash", query_get_text(query, 12, arena));
    }
    json_close(json, '}');
}

/* Entries in the order of their times; what was only counted says so at the time of its last. */
static int put_timeline(struct database *database, int64_t id, struct arena *arena,
                        struct json *json, struct err *err)
{
    struct query *query;
    struct map lines;
    int result;
    if (read_lines(database, id, arena, &lines, err) < 0 ||
        query_begin(database,
                    "SELECT time_ns,kind,text_en,text_ja,rule,severity,evidence,user,id,number,line,detail,hash FROM timeline"
                    " WHERE incident=?1 UNION ALL SELECT max(last_ns),'finding',"
                    " sum(count)||' more findings of this rule are kept, and not shown one by one',"
                    " 'このルールの検知は他に'||sum(count)||'件あり、保存されていますが個別には表示していません',"
                    " rule,max(severity),NULL,NULL,9223372036854775807,NULL,NULL,NULL,NULL FROM incident_lines WHERE incident=?1"
                    " AND shown=0 GROUP BY rule ORDER BY 1,9", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    json_key(json, "timeline");
    json_open(json, '[');
    struct arena_mark mark = arena_mark(arena);
    while ((result = query_step(query, err)) == 1) {
        arena_rewind(arena, &mark);
        put_entry(query, &lines, arena, json);
    }
    json_close(json, ']');
    query_end(query);
    return result;
}

/* ---- what people work with ---- */

static void put_seconds(struct json *json, const char *key, int64_t from_ns, int64_t to_ns)
{
    json_key(json, key);
    if (from_ns && to_ns)
        json_i64(json, (to_ns - from_ns) / NS_PER_SECOND);
    else
        json_null(json);
}

static void put_clocks(struct json *json, const struct incident *incident)
{
    json_key(json, "clocks");
    json_open(json, '{');
    json_put_time(json, "first_event", incident->first_event_ns);
    json_put_time(json, "opened", incident->opened_ns);
    json_put_time_or_null(json, "acknowledged", incident->acknowledged_ns);
    json_put_time_or_null(json, "contained", incident->contained_ns);
    json_put_text_or_null(json, "contained_by", incident->contained_by);
    json_put_time_or_null(json, "closed", incident->closed_ns);
    json_key(json, "seconds");
    json_open(json, '{');
    put_seconds(json, "to_open", incident->first_event_ns, incident->opened_ns);
    put_seconds(json, "to_acknowledge", incident->opened_ns, incident->acknowledged_ns);
    put_seconds(json, "to_contain", incident->opened_ns, incident->contained_ns);
    put_seconds(json, "to_close", incident->opened_ns, incident->closed_ns);
    json_close(json, '}');
    json_close(json, '}');
}

/* The rows of one statement as an array of objects. */
static int put_rows(struct database *database, const char *key, const char *sql, int64_t id,
                    void (*put)(struct query *query, struct arena *arena, struct json *json), struct arena *arena,
                    struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    json_key(json, key);
    json_open(json, '[');
    struct arena_mark mark = arena_mark(arena);
    while ((result = query_step(query, err)) == 1) {
        arena_rewind(arena, &mark);
        json_open(json, '{');
        put(query, arena, json);
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result;
}

static void put_relation(struct query *query, struct arena *arena, struct json *json)
{
    char name[INCIDENT_NAME_SIZE];
    incident_name(query_get_i64(query, 0), name);
    json_put_text(json, "id", slice_text(name));
    json_put_text(json, "how", query_get_text(query, 1, arena));
    json_put_text_or_null(json, "by", query_get_text(query, 2, arena));
    json_put_text(json, "state", query_get_text(query, 3, arena));
}

static void put_task(struct query *query, struct arena *arena, struct json *json)
{
    json_put_i64(json, "id", query_get_i64(query, 0));
    json_put_text(json, "text", query_get_text(query, 1, arena));
    json_put_text_or_null(json, "owner", query_get_text(query, 2, arena));
    json_put_time_or_null(json, "due", query_get_i64(query, 3));
    json_put_text(json, "added_by", query_get_text(query, 4, arena));
    json_put_time(json, "added", query_get_i64(query, 5));
    json_put_text_or_null(json, "done_by", query_get_text(query, 6, arena));
    json_put_time_or_null(json, "done", query_get_i64(query, 7));
}

static void put_attachment(struct query *query, struct arena *arena, struct json *json)
{
    json_put_i64(json, "id", query_get_i64(query, 0));
    json_put_text(json, "name", query_get_text(query, 1, arena));
    json_put_text_or_null(json, "type", query_get_text(query, 2, arena));
    json_put_i64(json, "size", query_get_i64(query, 3));
    json_put_text(json, "sha256", query_get_text(query, 4, arena));
    json_put_text(json, "added_by", query_get_text(query, 5, arena));
    json_put_time(json, "added", query_get_i64(query, 6));
}

static int put_chain(struct database *database, int64_t id, struct json *json, struct err *err)
{
    struct incident_head head;
    if (incident_chain_head(database, id, &head, err) < 0)
        return -1;
    json_key(json, "chain");
    json_open(json, '{');
    json_put_i64(json, "entries", head.entries);
    json_put_text_or_null(json, "hash", slice_text(head.hash));
    json_close(json, '}');
    return 0;
}

static int put_work(struct database *database, const struct incident *incident, struct arena *arena, struct json *json,
                    struct err *err)
{
    put_clocks(json, incident);
    if (put_rows(database, "related", "SELECT r.other,r.kind,r.link,i.state FROM incident_relations r JOIN incidents i ON i.id=r.other"
                 " WHERE r.incident=?1 ORDER BY r.other,r.kind LIMIT 1000", incident->id, put_relation, arena, json, err) < 0 ||
        put_rows(database, "tasks", "SELECT id,text,owner,due_ns,added_by,added_ns,done_by,done_ns FROM tasks WHERE incident=?1"
                 " ORDER BY id", incident->id, put_task, arena, json, err) < 0 ||
        put_rows(database, "attachments", "SELECT id,name,type,size,sha256,added_by,added_ns FROM attachments WHERE incident=?1"
                 " ORDER BY id", incident->id, put_attachment, arena, json, err) < 0)
        return -1;
    return put_chain(database, incident->id, json, err);
}

static void put_held(struct json *json, const struct respond_held *held, size_t count)
{
    json_key(json, "held");
    json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(json, '{');
        json_put_text(json, "id", held[i].id);
        json_put_text(json, "request_id", held[i].request_id);
        json_put_text_or_null(json, "asset", held[i].asset);
        json_put_text_or_null(json, "amount", held[i].amount);
        json_close(json, '}');
    }
    json_close(json, ']');
}

int incident_json(struct database *database, int64_t id, const struct respond_held *held,
                  size_t held_count, int64_t now, struct arena *arena, struct json *json, struct err *err)
{
    static const char *const keys[INCIDENT_TEXTS] = {"title", "explanation", "why", "check", "do"};
    struct incident incident;
    if (incident_read(database, id, arena, &incident, err) < 0)
        return -1;
    json_open(json, '{');
    put_members(json, &incident);
    for (int i = INCIDENT_EXPLANATION; i < INCIDENT_TEXTS; i++)
        put_both(json, keys[i], incident.en[i], incident.ja[i]);
    if (put_work(database, &incident, arena, json, err) < 0)
        return -1;
    if (answers_json(database, id, now, arena, json, err) < 0)
        return -1;
    put_held(json, held, held_count);
    if (put_timeline(database, id, arena, json, err) < 0)
        return -1;
    json_close(json, '}');
    return 0;
}
