/* Playbooks and their runs as docs/api.md shows them. */
#include "respond/act/act_inside.h"
#include "respond/act/playbook.h"

static void put_both(struct json *json, const char *key, struct slice en, struct slice ja)
{
    json_key(json, key);
    json_open(json, '{');
    json_put_text(json, "en", en);
    json_put_text(json, "ja", ja);
    json_close(json, '}');
}

/* 1: the incident has a finding of one of the playbook's rules. */
static int is_offered(const struct act *act, const struct playbook *book, int64_t incident, struct err *err)
{
    int found = 0;
    for (size_t i = 0; incident && found == 0 && i < book->rule_count; i++) {
        struct query *query;
        if (query_begin(act->config.database, "SELECT 1 FROM findings WHERE incident=?1 AND rule=?2 LIMIT 1", &query, err) < 0)
            return -1;
        query_i64(query, 1, incident);
        query_text(query, 2, book->rules[i]);
        found = query_step(query, err);
        query_end(query);
    }
    return found;
}

static void put_playbook(const struct act *act, const struct playbook *book, bool offered, struct json *json)
{
    bool usable = true;
    json_open(json, '{');
    json_put_text(json, "name", book->name);
    put_both(json, "title", book->title_en, book->title_ja);
    json_key(json, "steps");
    json_open(json, '[');
    for (size_t i = 0; i < book->count; i++) {
        const struct playbook_step *step = &book->steps[i];
        json_open(json, '{');
        json_put_text(json, "kind", slice_text(playbook_kind_name(step->kind)));
        json_put_text_or_null(json, "action", step->action);
        put_both(json, "text", step->en, step->ja);
        json_close(json, '}');
        usable &= step->kind != PLAYBOOK_ACTION || act_find(act, step->action);
    }
    json_close(json, ']');
    json_put_bool(json, "usable", usable);
    json_put_bool(json, "offered", offered);
    json_close(json, '}');
}

/* ---- runs ---- */

static void put_step(struct query *query, struct arena *arena, struct json *json)
{
    char order[ACT_NAME_SIZE] = "";
    if (query_get_i64(query, 2))
        act_name(query_get_i64(query, 2), order);
    json_open(json, '{');
    json_put_i64(json, "step", query_get_i64(query, 0));
    json_put_text(json, "kind", query_get_text(query, 1, arena));
    json_put_text_or_null(json, "order", slice_text(order));
    json_put_text_or_null(json, "action", query_get_text(query, 3, arena));
    put_both(json, "text", query_get_text(query, 4, arena), query_get_text(query, 5, arena));
    json_put_i64(json, "people", query_get_i64(query, 6));
    json_put_text_or_null(json, "role", query_get_text(query, 7, arena));
    json_put_text(json, "state", query_get_text(query, 8, arena));
    json_put_text_or_null(json, "person", query_get_text(query, 9, arena));
    json_put_text_or_null(json, "note", query_get_text(query, 10, arena));
    json_put_time_or_null(json, "ended", query_get_i64(query, 11));
    json_close(json, '}');
}

static int put_steps(struct act *act, int64_t run, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(act->config.database, "SELECT number,kind,coalesce(order_id,0),action,en,ja,people,role,state,person,text,"
                    "coalesce(ended_ns,0) FROM playbook_steps WHERE run=?1 ORDER BY number", &query, err) < 0)
        return -1;
    query_i64(query, 1, run);
    json_key(json, "steps");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1)
        put_step(query, arena, json);
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int put_head(struct act *act, int64_t run, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    char name[PLAYBOOK_NAME_SIZE], incident[INCIDENT_NAME_SIZE];
    if (query_begin(act->config.database, "SELECT playbook,title_en,title_ja,incident,started_by,started_ns,step,state FROM playbook_runs"
                    " WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, run);
    int result = query_step(query, err);
    if (result == 1) {
        playbook_run_name(run, name);
        incident_name(query_get_i64(query, 3), incident);
        json_put_text(json, "id", slice_text(name));
        json_put_text(json, "playbook", query_get_text(query, 0, arena));
        put_both(json, "title", query_get_text(query, 1, arena), query_get_text(query, 2, arena));
        json_put_text(json, "incident", slice_text(incident));
        json_put_text(json, "by", query_get_text(query, 4, arena));
        json_put_time(json, "started", query_get_i64(query, 5));
        json_put_i64(json, "step", query_get_i64(query, 6));
        json_put_text(json, "state", query_get_text(query, 7, arena));
    }
    query_end(query);
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no run RUN-%lld of a playbook", (long long)run);
    return result < 0 ? -1 : 0;
}

static int put_run(struct act *act, int64_t run, struct arena *arena, struct json *json, struct err *err)
{
    json_open(json, '{');
    int result = put_head(act, run, arena, json, err);
    if (result == 0)
        result = put_steps(act, run, arena, json, err);
    if (result == 0)
        result = act_put_approvals(act, "SELECT person,time_ns,number FROM playbook_approvals WHERE run=?1 ORDER BY number,time_ns",
                                   run, arena, json, err);
    json_close(json, '}');
    return result;
}

int playbook_run_json(struct act *act, int64_t run, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = put_run(act, run, arena, json, err);
    arena_free(arena);
    return result;
}

/* Newest first, one by one: a statement is not open while another is asked. */
static int put_runs(struct act *act, int64_t incident, int64_t limit, struct arena *arena, struct json *json, struct err *err)
{
    int64_t run = INT64_MAX;
    int result = 0;
    json_key(json, "runs");
    json_open(json, '[');
    for (int64_t i = 0; i < limit && result == 0; i++) {
        struct query *query;
        if (query_begin(act->config.database, "SELECT id FROM playbook_runs WHERE id<?1 AND (?2=0 OR incident=?2) ORDER BY id DESC LIMIT 1",
                        &query, err) < 0)
            return -1;
        query_i64(query, 1, run);
        query_i64(query, 2, incident);
        int found = query_step(query, err);
        run = found == 1 ? query_get_i64(query, 0) : 0;
        query_end(query);
        if (found <= 0) {
            result = found;
            break;
        }
        result = put_run(act, run, arena, json, err);
    }
    json_close(json, ']');
    return result;
}

int playbook_list_json(struct act *act, struct slice incident, int64_t limit, struct json *json, struct err *err)
{
    int64_t id = 0;
    if (incident.len && !incident_parse_name(incident, &id))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    json_open(json, '{');
    json_key(json, "playbooks");
    json_open(json, '[');
    int result = 0;
    for (size_t i = 0; act->config.playbooks && i < act->config.playbooks->count && result >= 0; i++) {
        result = is_offered(act, &act->config.playbooks->list[i], id, err);
        put_playbook(act, &act->config.playbooks->list[i], result == 1, json);
    }
    json_close(json, ']');
    if (result >= 0)
        result = put_runs(act, id, limit, arena, json, err);
    json_close(json, '}');
    arena_free(arena);
    return result;
}
