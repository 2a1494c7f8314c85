/* Actions, orders and deeds as docs/api.md shows them. */
#include "respond/act/act_inside.h"
#include "respond/act/action_block_list.h"

/* Ids first, for nothing else may ask the database while a statement runs. */
struct ids {
    int64_t *list;
    size_t count;
};

static int read_ids(struct act *act, int64_t incident, int64_t limit, struct arena *arena, struct ids *out, struct err *err)
{
    struct query *query;
    int result;
    out->list = arena_array(arena, (size_t)limit + 1, sizeof(*out->list));
    if (!out->list)
        return err_nomem(err);
    if (query_begin(act->config.database, "SELECT id FROM action_orders WHERE (?1=0 OR incident=?1) ORDER BY id DESC LIMIT ?2", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, incident);
    query_i64(query, 2, limit);
    while ((result = query_step(query, err)) == 1)
        out->list[out->count++] = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* ---- one order ---- */

int act_put_approvals(struct act *act, const char *sql, int64_t id, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin_with(act->config.database, sql, BINDS(bind_i64(id)), &query, err) < 0)
        return -1;
    json_key(json, "approvals");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        json_open(json, '{');
        if (!query_is_null(query, 2))
            json_put_i64(json, "step", query_get_i64(query, 2));
        json_put_text(json, "person", query_get_text(query, 0, arena));
        json_put_time(json, "time", query_get_i64(query, 1));
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

static void put_deed(struct query *query, struct arena *arena, struct json *json)
{
    json_open(json, '{');
    json_put_i64(json, "number", query_get_i64(query, 0));
    json_put_text(json, "type", query_get_text(query, 1, arena));
    json_put_text(json, "value", query_get_text(query, 2, arena));
    json_put_text(json, "state", query_get_text(query, 3, arena));
    json_put_i64(json, "attempts", query_get_i64(query, 4));
    json_put_i64(json, "undo_attempts", query_get_i64(query, 5));
    json_put_time_or_null(json, "done", query_get_i64(query, 6));
    json_put_time_or_null(json, "expires", query_get_i64(query, 7));
    json_put_time_or_null(json, "undone", query_get_i64(query, 8));
    json_put_text_or_null(json, "undo_by", query_get_text(query, 9, arena));
    json_put_text_or_null(json, "why", query_get_text(query, 10, arena));
    json_close(json, '}');
}

static int put_deeds(struct act *act, int64_t id, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(act->config.database, "SELECT number,type,value,state,attempts,undo_attempts,coalesce(done_ns,0),coalesce(expires_ns,0),"
                    "coalesce(undone_ns,0),undo_by,why FROM action_deeds WHERE order_id=?1 ORDER BY number LIMIT ?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, ACTION_DEEDS_SHOWN_MAX);
    json_key(json, "deeds");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        struct arena_mark mark = arena_mark(arena);
        put_deed(query, arena, json);
        arena_rewind(arena, &mark);
    }
    json_close(json, ']');
    query_end(query);
    return result < 0 ? -1 : 0;
}

static void put_head(struct json *json, const struct act_order *order, const struct act_state *state)
{
    char name[ACT_NAME_SIZE], incident[INCIDENT_NAME_SIZE] = "";
    act_name(order->id, name);
    if (order->incident)
        incident_name(order->incident, incident);
    json_put_text(json, "id", slice_text(name));
    json_put_text(json, "action", order->action);
    json_put_text_or_null(json, "incident", slice_text(incident));
    json_put_text(json, "by", order->by);
    json_put_text(json, "reason", order->reason);
    json_put_time(json, "asked_at", order->asked_ns);
    json_put_i64(json, "lasts_s", order->lasts_ns / NS_PER_SECOND);
    json_put_text(json, "state", state->state);
    json_put_i64(json, "approvals_needed", order->approvals_needed);
    json_put_i64(json, "asked", order->asked);
    json_put_i64(json, "over_cap", order->over_cap);
    json_put_i64(json, "already", order->already);
    json_put_i64(json, "deed_count", state->deeds);
    json_put_i64(json, "done", state->done);
    json_put_i64(json, "failed", state->failed);
    json_put_i64(json, "undone", state->undone);
    json_put_i64(json, "cancelled", state->cancelled);
    json_put_i64(json, "stuck", state->stuck);
}

static int put_order(struct act *act, int64_t id, bool whole, struct arena *arena, struct json *json, struct err *err)
{
    struct act_order order;
    struct act_state state;
    if (act_read_order(act, id, arena, &order, err) < 0 || act_state(act, id, arena, &state, err) < 0)
        return -1;
    json_open(json, '{');
    put_head(json, &order, &state);
    int result = act_put_approvals(act, "SELECT person,time_ns,NULL FROM action_approvals WHERE order_id=?1 ORDER BY time_ns,person",
                                   id, arena, json, err);
    if (result == 0 && whole)
        result = put_deeds(act, id, arena, json, err);
    json_close(json, '}');
    return result;
}

/* ---- the actions ---- */

static int put_action(struct act *act, const struct act_settings *row, struct json *json, struct err *err)
{
    int64_t active, hour, stuck;
    if (act_number(act, "SELECT count(*) FROM action_deeds WHERE action=?2 AND ?1=0 AND state NOT IN('undone','failed','cancelled')", 0,
                   row->name, &active, err) < 0 ||
        act_number(act, "SELECT count(*) FROM action_deeds WHERE action=?2 AND asked_ns>?1 AND (state!='cancelled' OR begun_ns IS NOT NULL)",
                   act_now(act) - NS_PER_HOUR, row->name, &hour, err) < 0 ||
        act_number(act, "SELECT count(*) FROM action_deeds WHERE action=?2 AND state IN('undo','undoing') AND undo_attempts>=?1",
                   ACT_STUCK_ATTEMPTS, row->name, &stuck, err) < 0)
        return -1;
    json_open(json, '{');
    json_put_text(json, "name", row->name);
    json_put_text(json, "kind", slice_text(row->kind->name));
    json_put_text(json, "summary", slice_text(row->kind->summary));
    json_put_texts(json, "takes", row->takes, row->take_count);
    json_put_i64(json, "at_once", row->at_once);
    json_put_i64(json, "per_hour", row->per_hour);
    json_put_i64(json, "lasts_s", row->lasts_ns / NS_PER_SECOND);
    json_put_i64(json, "approvals", row->approvals);
    json_put_text(json, "role", slice_text(role_name(row->role)));
    json_put_text(json, "approver_role", slice_text(role_name(row->approver_role)));
    json_put_i64(json, "in_effect", active);
    json_put_i64(json, "last_hour", hour);
    json_put_i64(json, "stuck", stuck);
    json_close(json, '}');
    return 0;
}

static int put_all(struct act *act, int64_t incident, int64_t limit, struct arena *arena, struct json *json, struct err *err)
{
    struct ids ids = {0};
    int result = read_ids(act, incident, limit, arena, &ids, err);
    json_open(json, '{');
    json_key(json, "actions");
    json_open(json, '[');
    for (size_t i = 0; i < act->config.count && result == 0; i++)
        result = put_action(act, &act->config.actions[i], json, err);
    json_close(json, ']');
    json_key(json, "orders");
    json_open(json, '[');
    for (size_t i = 0; i < ids.count && result == 0; i++)
        result = put_order(act, ids.list[i], false, arena, json, err);
    json_close(json, ']');
    json_close(json, '}');
    return result;
}

int act_list_json(struct act *act, struct slice incident, int64_t limit, struct json *json, struct err *err)
{
    int64_t id = 0;
    if (incident.len && !incident_parse_name(incident, &id))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = put_all(act, id, limit, arena, json, err);
    arena_free(arena);
    return result;
}

int act_order_json(struct act *act, int64_t id, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(ACT_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = put_order(act, id, true, arena, json, err);
    arena_free(arena);
    return result;
}

int act_block_list(struct act *act, struct slice name, struct buffer *to, struct err *err)
{
    const struct act_settings *row = act_find(act, name);
    if (!row || !slice_is(slice_text(row->kind->name), "block_list"))
        return err_set(err, ERR_NOT_FOUND, "there is no block list %.*s", SLICE_ARG(name));
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return err_nomem(err);
    int result = block_list_write(act->config.database, name, arena, to, err);
    arena_free(arena);
    return result;
}

static uint64_t count(struct act *act, const char *sql)
{
    int64_t n;
    struct err err;
    return act_number(act, sql, ACT_STUCK_ATTEMPTS, SLICE_NONE, &n, &err) < 0 ? 0 : (uint64_t)n;
}

struct act_stats act_stats(struct act *act)
{
    return (struct act_stats){
        .waiting = count(act, "SELECT count(*) FROM action_orders WHERE state='waiting' AND ?1>0"),
        .working = count(act, "SELECT count(*) FROM action_deeds WHERE state IN('pending','doing','undo','undoing') AND ?1>0"),
        .in_effect = count(act, "SELECT count(*) FROM action_deeds WHERE state='done' AND ?1>0"),
        .stuck = count(act, "SELECT count(*) FROM action_deeds WHERE state IN('undo','undoing') AND undo_attempts>=?1"),
    };
}
