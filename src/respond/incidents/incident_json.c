#include "respond/incidents/incident_json.h"

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

static void put_entry(struct query *query, struct arena *arena, struct json *json)
{
    struct slice en = query_get_text(query, 2, arena), ja = query_get_text(query, 3, arena);
    struct slice evidence = query_get_text(query, 6, arena);
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
    json_close(json, '}');
}

/* Entries in the order of their times; what was only counted says so at the time of its last. */
static int put_timeline(struct database *database, int64_t id, struct arena *arena,
                        struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database,
                    "SELECT time_ns,kind,text_en,text_ja,rule,severity,evidence,user,id FROM timeline"
                    " WHERE incident=?1 UNION ALL SELECT last_ns,'finding',"
                    " count||' more findings of this rule are kept, and not shown one by one',"
                    " 'このルールの検知は他に'||count||'件あり、保存されていますが個別には表示していません',"
                    " rule,severity,NULL,NULL,9223372036854775807 FROM timeline_more WHERE incident=?1"
                    " ORDER BY 1,9", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    json_key(json, "timeline");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        arena_reset(arena);
        put_entry(query, arena, json);
    }
    json_close(json, ']');
    query_end(query);
    return result;
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
                  size_t held_count, struct arena *arena, struct json *json, struct err *err)
{
    static const char *const keys[INCIDENT_TEXTS] = {"title", "explanation", "why", "check", "do"};
    struct incident incident;
    if (incident_read(database, id, arena, &incident, err) < 0)
        return -1;
    json_open(json, '{');
    put_members(json, &incident);
    for (int i = INCIDENT_EXPLANATION; i < INCIDENT_TEXTS; i++)
        put_both(json, keys[i], incident.en[i], incident.ja[i]);
    put_held(json, held, held_count);
    if (put_timeline(database, id, arena, json, err) < 0)
        return -1;
    json_close(json, '}');
    return 0;
}
