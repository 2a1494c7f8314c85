/* Requests: who may be acted upon, the caps, approvals, and the way back. */
#include "respond/act/act_inside.h"

#include "base/hash.h"
#include "base/map.h"
#include "state/audit.h"

#include <stdio.h>

/* ---- names, rows ---- */

void act_name(int64_t id, char to[ACT_NAME_SIZE])
{
    snprintf(to, ACT_NAME_SIZE, "ACT-%lld", (long long)id);
}

int act_parse_name(struct slice name, int64_t *id, struct err *err)
{
    if (slice_starts(name, SLICE("ACT-")) && slice_to_i64(slice_from(name, 4), id) && *id > 0)
        return 0;
    return err_set(err, ERR_NOT_FOUND, "there is no action %.*s", SLICE_ARG(name));
}

const struct act_settings *act_find(const struct act *act, struct slice action)
{
    for (size_t i = 0; i < act->config.count; i++)
        if (slice_equal(act->config.actions[i].name, action))
            return &act->config.actions[i];
    return NULL;
}

int act_number(struct act *act, const char *sql, int64_t id, struct slice text, int64_t *out, struct err *err)
{
    struct query *query;
    *out = 0;
    if (query_begin(act->config.database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    if (text.ptr)
        query_text(query, 2, text);
    int result = query_step(query, err);
    if (result == 1)
        *out = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}

int act_read_order(struct act *act, int64_t id, struct arena *arena, struct act_order *out, struct err *err)
{
    struct query *query;
    *out = (struct act_order){.id = id};
    if (query_begin(act->config.database, "SELECT coalesce(incident,0),asked_ns,lasts_ns,approvals_needed,asked,over_cap,already,"
                    "action,asked_by,reason,state,told FROM action_orders WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    int result = query_step(query, err);
    if (result == 1) {
        int64_t *numbers[] = {&out->incident, &out->asked_ns, &out->lasts_ns, &out->approvals_needed, &out->asked, &out->over_cap,
                              &out->already};
        struct slice *texts[] = {&out->action, &out->by, &out->reason, &out->state, &out->told};
        for (int i = 0; i < (int)ARRAY_COUNT(numbers); i++)
            *numbers[i] = query_get_i64(query, i);
        for (int i = 0; i < (int)ARRAY_COUNT(texts); i++)
            *texts[i] = query_get_text(query, (int)ARRAY_COUNT(numbers) + i, arena);
    }
    query_end(query);
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no action ACT-%lld", (long long)id);
    if (result < 0)
        return -1;
    return out->action.ptr && out->by.ptr && out->reason.ptr && out->state.ptr && out->told.ptr ? 0 : err_nomem(err);
}

int act_action_of(struct act *act, int64_t id, struct arena *arena, struct slice *action, struct err *err)
{
    struct act_order order;
    int result = act_read_order(act, id, arena, &order, err);
    *action = order.action;
    return result;
}

/* ---- what is told ---- */

int act_tell(struct act *act, const struct act_order *order, const struct act_news *news, struct err *err)
{
    char name[ACT_NAME_SIZE];
    act_name(order->id, name);
    const struct audit_row row = {.actor = news->actor, .via = news->via, .peer = SLICE(""), .action = slice_text(news->what),
                                  .object = slice_text(name), .detail = news->en, .result = SLICE("ok")};
    const struct timeline_entry entry = {.time_ns = act_now(act), .kind = "action", .en = news->en, .ja = news->ja,
                                         .user = news->actor};
    if (!news->en.ptr || !news->ja.ptr)
        return err_nomem(err);
    if (order->incident && incident_add_entry(act->config.database, order->incident, &entry, err) < 0)
        return -1;
    return audit_add_within(act->config.database, act->config.clock, &row, err);
}

/* ---- which entities ---- */

/* A request on its way to an order. */
struct asking {
    struct act *act;
    const struct act_request *request;
    const struct act_settings *settings;
    struct arena *arena;
    int64_t incident, now, room, lasts_ns;
    struct slice cap_text; /* why there is no more room */
    struct slice digest;   /* of the request */
    const struct entity **chosen;
    size_t count;
    int64_t over_cap, already;
};

static bool is_never(const struct act_settings *settings, const struct entity *entity)
{
    struct ip ip;
    struct cidr net;
    bool address = ip_parse(entity->value, &ip);
    for (size_t i = 0; i < settings->never_count; i++) {
        struct slice never = settings->never[i];
        if (slice_equal_nocase(never, entity->value) ||
            (address && cidr_parse(never, &net) && cidr_contains(&net, ip.bytes, ip.family)))
            return true;
    }
    return false;
}

static bool is_plain(struct slice text, size_t most)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return text.len > 0 && text.len <= most;
}

static int check_entity(const struct act_settings *settings, const struct entity *entity, struct err *err)
{
    bool taken = false;
    for (size_t i = 0; i < settings->take_count; i++)
        taken |= slice_equal(settings->takes[i], entity->type);
    if (!is_plain(entity->type, ACTION_VALUE_BYTES_MAX) || !is_plain(entity->value, ACTION_VALUE_BYTES_MAX))
        return err_set(err, ERR_CONFIG, "an entity has a type and a value, of at most %d bytes each, without control characters",
                       ACTION_VALUE_BYTES_MAX);
    if (!taken)
        return err_set(err, ERR_CONFIG, "%.*s is not done to a %.*s (%.*s); see takes in its configuration", SLICE_ARG(settings->name),
                       SLICE_ARG(entity->type), SLICE_ARG(entity->value));
    if (is_never(settings, entity))
        return err_set(err, ERR_DENIED, "%.*s is never done to %.*s: it is in never in its configuration; nothing was done",
                       SLICE_ARG(settings->name), SLICE_ARG(entity->value));
    return settings->kind->check_entity ? settings->kind->check_entity(entity, err) : 0;
}

static int check_request(struct asking *a, struct err *err)
{
    const struct act_request *request = a->request;
    a->settings = act_find(a->act, request->action);
    if (!a->settings)
        return err_set(err, ERR_NOT_FOUND, "there is no action %.*s in the configuration", SLICE_ARG(request->action));
    if (!slice_trim(request->reason).len || request->reason.len > 10 * ACTION_VALUE_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "a reason of at most %d bytes is needed", 10 * ACTION_VALUE_BYTES_MAX);
    if (request->key.len > ACTION_VALUE_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "a key has at most %d bytes", ACTION_VALUE_BYTES_MAX);
    if (!request->entity_count || request->entity_count > ACTION_ENTITIES_MAX)
        return err_set(err, ERR_CONFIG, "one to %d entities are needed", ACTION_ENTITIES_MAX);
    if (request->incident.len && !incident_parse_name(request->incident, &a->incident))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(request->incident));
    int64_t most = a->settings->lasts_ns;
    a->lasts_ns = request->lasts_ns ? request->lasts_ns : most;
    if (request->lasts_ns < 0 || (most && a->lasts_ns > most))
        return err_set(err, ERR_CONFIG, "%.*s lasts at most %lld seconds", SLICE_ARG(a->settings->name), (long long)(most / NS_PER_SECOND));
    for (size_t i = 0; i < request->entity_count; i++)
        if (check_entity(a->settings, &request->entities[i], err) < 0)
            return -1;
    return 0;
}

/* How many more the caps let through. A clock that was set back does not make room. */
static int find_room(struct asking *a, struct err *err)
{
    int64_t active, hour;
    struct slice name = a->settings->name;
    if (act_number(a->act, "SELECT count(*) FROM action_deeds WHERE action=?2 AND ?1=0 AND state NOT IN('undone','failed','cancelled')",
                   0, name, &active, err) < 0 ||
        act_number(a->act, "SELECT count(*) FROM action_deeds WHERE action=?2 AND asked_ns>?1 AND"
                   " (state!='cancelled' OR begun_ns IS NOT NULL)", a->now - NS_PER_HOUR, name, &hour, err) < 0)
        return -1;
    int64_t left = a->settings->at_once - active, in_hour = a->settings->per_hour - hour;
    a->room = left < in_hour ? left : in_hour;
    a->room = a->room < 0 ? 0 : a->room;
    a->cap_text = arena_printf(a->arena, "the caps of %.*s are %u at once (%lld are) and %u an hour (%lld were)", SLICE_ARG(name),
                               a->settings->at_once, (long long)active, a->settings->per_hour, (long long)hour);
    return a->cap_text.ptr ? 0 : err_nomem(err);
}

static int is_in_effect(struct asking *a, const struct entity *entity, struct err *err)
{
    struct query *query;
    if (query_begin(a->act->config.database, "SELECT 1 FROM action_deeds WHERE action=?1 AND type=?2 AND value=?3"
                    " AND state NOT IN('undone','failed','cancelled')", &query, err) < 0)
        return -1;
    query_text(query, 1, a->settings->name);
    query_text(query, 2, entity->type);
    query_text(query, 3, entity->value);
    int result = query_step(query, err);
    query_end(query);
    return result;
}

/* 1: it is in the request twice, or in effect; -1. */
static int is_known(struct asking *a, struct map *seen, const struct entity *entity, struct err *err)
{
    struct slice key = arena_printf(a->arena, "%.*s %.*s", SLICE_ARG(entity->type), SLICE_ARG(entity->value));
    if (!key.ptr)
        return err_nomem(err);
    if (map_has(seen, key))
        return 1;
    return map_put(seen, key, a) < 0 ? err_nomem(err) : is_in_effect(a, entity, err);
}

static int choose(struct asking *a, struct err *err)
{
    const struct act_request *request = a->request;
    size_t most = request->entity_count < ACTION_CAP_MAX ? request->entity_count : ACTION_CAP_MAX;
    struct map seen;
    map_init(&seen, a->arena);
    a->chosen = arena_array(a->arena, most + 1, sizeof(*a->chosen));
    if (!a->chosen)
        return err_nomem(err);
    if (find_room(a, err) < 0)
        return -1;
    for (size_t i = 0; i < request->entity_count; i++) {
        int known = is_known(a, &seen, &request->entities[i], err);
        if (known < 0)
            return -1;
        a->already += known;
        if (!known && (int64_t)a->count < a->room)
            a->chosen[a->count++] = &request->entities[i];
        else if (!known)
            a->over_cap++;
    }
    if (a->count)
        return 0;
    if (a->over_cap)
        return err_set(err, ERR_LIMIT, "%.*s; nothing was done. Undo some, or wait", SLICE_ARG(a->cap_text));
    return err_set(err, ERR_CONFLICT, "%.*s is in effect there already", SLICE_ARG(a->settings->name));
}

/* ---- writing it down ---- */

static void make_key(const struct act *act, char to[33])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    act->config.rand->fill(act->config.rand->context, bytes, sizeof(bytes));
    for (int i = 0; i < 16; i++) {
        to[2 * i] = hex[bytes[i] >> 4];
        to[2 * i + 1] = hex[bytes[i] & 15];
    }
    to[32] = '\0';
}

static int insert_order(struct asking *a, int64_t *id, struct err *err)
{
    struct query *query;
    const struct act_request *request = a->request;
    if (query_begin(a->act->config.database, "INSERT INTO action_orders(key,action,incident,asked_by,reason,asked_ns,lasts_ns,state,"
                    "approvals_needed,asked,over_cap,already,digest) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)", &query, err) < 0)
        return -1;
    query_text(query, 1, request->key.len ? request->key : SLICE_NONE);
    query_text(query, 2, a->settings->name);
    if (a->incident)
        query_i64(query, 3, a->incident);
    query_text(query, 4, request->by);
    query_text(query, 5, request->reason);
    query_i64(query, 6, a->now);
    query_i64(query, 7, a->lasts_ns);
    query_text(query, 8, a->settings->approvals ? SLICE("waiting") : SLICE("approved"));
    query_i64(query, 9, a->settings->approvals);
    query_i64(query, 10, (int64_t)request->entity_count);
    query_i64(query, 11, a->over_cap);
    query_i64(query, 12, a->already);
    query_text(query, 13, a->digest);
    int result = query_step(query, err);
    *id = database_last_id(a->act->config.database);
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int insert_deed(struct asking *a, int64_t order, size_t number, struct err *err)
{
    struct query *query;
    char key[33];
    make_key(a->act, key);
    if (query_begin(a->act->config.database, "INSERT INTO action_deeds(order_id,number,action,type,value,state,key,asked_ns,from_ns,"
                    "next_ns) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?8,?8)", &query, err) < 0)
        return -1;
    query_i64(query, 1, order);
    query_i64(query, 2, (int64_t)number + 1);
    query_text(query, 3, a->settings->name);
    query_text(query, 4, a->chosen[number]->type);
    query_text(query, 5, a->chosen[number]->value);
    query_text(query, 6, a->settings->approvals ? SLICE("waiting") : SLICE("pending"));
    query_text(query, 7, slice_text(key));
    query_i64(query, 8, a->now);
    return query_run(query, err);
}

static int tell_asked(struct asking *a, int64_t id, struct err *err)
{
    const struct act_order order = {.id = id, .incident = a->incident};
    const struct act_request *request = a->request;
    const struct entity *first = a->chosen[0];
    struct slice cap = SLICE(""), cap_ja = SLICE("");
    if (a->over_cap) {
        cap = arena_printf(a->arena, "; %lld more were left out, because %.*s", (long long)a->over_cap, SLICE_ARG(a->cap_text));
        cap_ja = arena_printf(a->arena, "。上限のため残り %lld 件は実行しません", (long long)a->over_cap);
    }
    const struct act_news news = {
        .what = "action.ask", .actor = request->by, .via = request->via,
        .en = arena_printf(a->arena, "ACT-%lld: %.*s asked for %.*s on %zu %s (%.*s%s): %.*s%.*s", (long long)id, SLICE_ARG(request->by),
                           SLICE_ARG(a->settings->name), a->count, a->count == 1 ? "entity" : "entities", SLICE_ARG(first->value),
                           a->count > 1 ? " ..." : "", SLICE_ARG(request->reason), SLICE_ARG(cap)),
        .ja = arena_printf(a->arena, "ACT-%lld: %.*s が %.*s を %zu 件（%.*s%s）に依頼しました: %.*s%.*s", (long long)id,
                           SLICE_ARG(request->by), SLICE_ARG(a->settings->name), a->count, SLICE_ARG(first->value),
                           a->count > 1 ? " ほか" : "", SLICE_ARG(request->reason), SLICE_ARG(cap_ja))};
    return act_tell(a->act, &order, &news, err);
}

static int write_order(struct asking *a, int64_t *id, struct err *err)
{
    struct incident incident;
    if ((a->incident && incident_read_head(a->act->config.database, a->incident, a->arena, &incident, err) < 0) ||
        choose(a, err) < 0 || insert_order(a, id, err) < 0)
        return -1;
    for (size_t i = 0; i < a->count; i++)
        if (insert_deed(a, *id, i, err) < 0)
            return -1;
    return tell_asked(a, *id, err);
}

/* Of what a request says, so that one with the same key can be told from it. */
static struct slice digest_of(const struct asking *a)
{
    const struct act_request *request = a->request;
    struct buffer text;
    buffer_init(&text, ACT_ARENA_MAX);
    const struct slice head[] = {request->action, request->incident, request->by, request->reason};
    for (size_t i = 0; i < ARRAY_COUNT(head); i++)
        buffer_put_block(&text, head[i]);
    buffer_put_le64(&text, (uint64_t)a->lasts_ns);
    for (size_t i = 0; i < request->entity_count; i++) {
        buffer_put_block(&text, request->entities[i].type);
        buffer_put_block(&text, request->entities[i].value);
    }
    struct hash128 hash = hash_bytes128(buffer_slice(&text));
    struct slice digest = buffer_failed(&text) ? SLICE_NONE
                                               : arena_printf(a->arena, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low);
    buffer_close(&text);
    return digest;
}

/* 1: the key is known and *id is its order; 0: it is new. The same key with another request is another's mistake. */
static int find_by_key(struct asking *a, int64_t *id, struct err *err)
{
    int64_t same;
    a->digest = digest_of(a);
    if (!a->digest.ptr)
        return err_nomem(err);
    if (!a->request->key.len)
        return 0;
    if (act_number(a->act, "SELECT id FROM action_orders WHERE key=?2 AND ?1=0", 0, a->request->key, id, err) < 0)
        return -1;
    if (!*id)
        return 0;
    if (act_number(a->act, "SELECT count(*) FROM action_orders WHERE id=?1 AND digest=?2", *id, a->digest, &same, err) < 0)
        return -1;
    if (same)
        return 1;
    return err_set(err, ERR_CONFLICT, "this key is that of another request, ACT-%lld", (long long)*id);
}

static int write_request(struct asking *a, int64_t *id, struct err *err)
{
    struct database *database = a->act->config.database;
    if (database_begin(database, err) < 0)
        return -1;
    int known = find_by_key(a, id, err), result = known;
    if (known == 0)
        result = write_order(a, id, err);
    if (result < 0 || known) {
        database_rollback(database);
        return result < 0 ? -1 : 0;
    }
    return database_commit(database, err);
}

int act_request(struct act *act, const struct act_request *request, int64_t *id, struct err *err)
{
    struct asking a = {.act = act, .request = request, .arena = arena_new(ACT_ARENA_MAX), .now = act_now(act)};
    *id = 0;
    if (!a.arena)
        return err_nomem(err);
    int result = check_request(&a, err);
    if (result == 0)
        result = write_request(&a, id, err);
    if (result == 0 && a.over_cap && act->config.note) {
        struct slice line = arena_printf(a.arena, "action ACT-%lld by %.*s was stopped by its cap: %zu of %zu entities; %.*s",
                                         (long long)*id, SLICE_ARG(request->by), a.count, request->entity_count, SLICE_ARG(a.cap_text));
        if (line.ptr)
            act->config.note(act->config.context, line.ptr);
    }
    arena_free(a.arena);
    act_wake(act);
    return result;
}

/* ---- a dry run ---- */

static int put_dry(struct asking *a, const struct entity *entity, struct json *json, struct err *err)
{
    const struct act_request *request = a->request;
    int result = 0;
    json_open(json, '{');
    json_put_text(json, "type", entity->type);
    json_put_text(json, "value", entity->value);
    for (int undo = 0; undo < 2 && result == 0; undo++) {
        const struct act_work work = {.settings = a->settings, .undo = undo, .id = SLICE("ACT-?"), .key = SLICE("(new)"),
                                      .entity = *entity, .incident = request->incident, .by = request->by, .reason = request->reason,
                                      .until_ns = a->lasts_ns ? a->now + a->lasts_ns : 0, .now_ns = a->now, .arena = a->arena};
        json_key(json, undo ? "undo" : "do");
        json_open(json, '{');
        result = a->settings->kind->tell(&work, json, err);
        json_close(json, '}');
    }
    json_close(json, '}');
    return result;
}

static int put_dry_all(struct asking *a, struct json *json, struct err *err)
{
    int result = 0;
    json_open(json, '{');
    json_put_bool(json, "dry_run", true);
    json_put_text(json, "action", a->settings->name);
    json_put_text(json, "kind", slice_text(a->settings->kind->name));
    json_put_i64(json, "asked", (int64_t)a->request->entity_count);
    json_put_i64(json, "would_do", (int64_t)a->count);
    json_put_i64(json, "over_cap", a->over_cap);
    json_put_i64(json, "already", a->already);
    json_put_i64(json, "approvals_needed", a->settings->approvals);
    json_put_i64(json, "lasts_s", a->lasts_ns / NS_PER_SECOND);
    json_key(json, "deeds");
    json_open(json, '[');
    for (size_t i = 0; i < a->count && i < ACTION_DEEDS_SHOWN_MAX && result == 0; i++)
        result = put_dry(a, a->chosen[i], json, err);
    json_close(json, ']');
    json_close(json, '}');
    return result;
}

int act_dry_run(struct act *act, const struct act_request *request, struct json *json, struct err *err)
{
    struct asking a = {.act = act, .request = request, .arena = arena_new(ACT_ARENA_MAX), .now = act_now(act)};
    if (!a.arena)
        return err_nomem(err);
    int result = check_request(&a, err);
    if (result == 0)
        result = choose(&a, err);
    if (result == 0)
        result = put_dry_all(&a, json, err);
    arena_free(a.arena);
    return result;
}

/* ---- approvals, and the way back ---- */

struct changing {
    struct act *act;
    struct act_order order;
    struct slice person;
    struct arena *arena;
};

static int run_on(struct changing *c, const char *sql, bool with_person, struct err *err)
{
    struct query *query;
    if (query_begin(c->act->config.database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, c->order.id);
    query_i64(query, 2, act_now(c->act));
    if (with_person)
        query_text(query, 3, c->person);
    return query_run(query, err);
}

static int approve(struct changing *c, struct err *err)
{
    const struct act_order *order = &c->order;
    int64_t before, have;
    if (!slice_is(order->state, "waiting"))
        return err_set(err, ERR_CONFLICT, "ACT-%lld does not wait for approvals: it is %.*s", (long long)order->id, SLICE_ARG(order->state));
    if (slice_equal(order->by, c->person))
        return err_set(err, ERR_DENIED, "who asked for it cannot approve it");
    const char *count = "SELECT count(*) FROM action_approvals WHERE order_id=?1";
    if (act_number(c->act, count, order->id, SLICE_NONE, &before, err) < 0 ||
        run_on(c, "INSERT OR IGNORE INTO action_approvals(order_id,time_ns,person) VALUES(?1,?2,?3)", true, err) < 0 ||
        act_number(c->act, count, order->id, SLICE_NONE, &have, err) < 0)
        return -1;
    if (have == before)
        return 0; /* a second click */
    if (have >= order->approvals_needed &&
        (run_on(c, "UPDATE action_orders SET state='approved' WHERE id=?1 AND ?2>0", false, err) < 0 ||
         run_on(c, "UPDATE action_deeds SET state='pending',from_ns=?2,next_ns=?2 WHERE order_id=?1 AND state='waiting'", false, err) < 0))
        return -1;
    const struct act_news news = {
        .what = "action.approve", .actor = c->person, .via = SLICE("session"),
        .en = arena_printf(c->arena, "ACT-%lld: %.*s approved %.*s (%lld of %lld)", (long long)order->id, SLICE_ARG(c->person),
                           SLICE_ARG(order->action), (long long)have, (long long)order->approvals_needed),
        .ja = arena_printf(c->arena, "ACT-%lld: %.*s が %.*s を承認しました（%lld/%lld）", (long long)order->id, SLICE_ARG(c->person),
                           SLICE_ARG(order->action), (long long)have, (long long)order->approvals_needed)};
    return act_tell(c->act, order, &news, err);
}

static int undo(struct changing *c, struct err *err)
{
    const struct act_order *order = &c->order;
    int64_t open;
    if (act_number(c->act, "SELECT count(*) FROM action_deeds WHERE order_id=?1 AND state IN('waiting','pending','doing','done')", order->id,
                   SLICE_NONE, &open, err) < 0)
        return -1;
    if (!open)
        return 0;
    if (run_on(c, "UPDATE action_orders SET state='cancelled' WHERE id=?1 AND state='waiting' AND ?2>0", false, err) < 0 ||
        run_on(c, "UPDATE action_deeds SET state='cancelled',undone_ns=?2,undo_by=?3 WHERE order_id=?1 AND (state='waiting' OR"
               " (state='pending' AND begun_ns IS NULL))", true, err) < 0 ||
        run_on(c, "UPDATE action_deeds SET state='undo',next_ns=?2,from_ns=?2,undo_by=?3 WHERE order_id=?1"
               " AND state IN('pending','doing','done')", true, err) < 0)
        return -1;
    const struct act_news news = {
        .what = "action.undo", .actor = c->person, .via = SLICE("session"),
        .en = arena_printf(c->arena, "ACT-%lld: %.*s takes back %.*s (%lld)", (long long)order->id, SLICE_ARG(c->person),
                           SLICE_ARG(order->action), (long long)open),
        .ja = arena_printf(c->arena, "ACT-%lld: %.*s が %.*s（%lld 件）を取り消します", (long long)order->id, SLICE_ARG(c->person),
                           SLICE_ARG(order->action), (long long)open)};
    return act_tell(c->act, order, &news, err) < 0 ? -1 : act_settle(c->act, order->id, c->arena, err);
}

static int change(struct act *act, int64_t id, struct slice person, int (*how)(struct changing *c, struct err *err), struct err *err)
{
    struct database *database = act->config.database;
    struct changing c = {.act = act, .person = person, .arena = arena_new(ACT_ARENA_MAX)};
    if (!c.arena)
        return err_nomem(err);
    int result = database_begin(database, err);
    if (result == 0) {
        result = act_read_order(act, id, c.arena, &c.order, err);
        if (result == 0)
            result = how(&c, err);
        if (result < 0)
            database_rollback(database);
        else
            result = database_commit(database, err);
    }
    arena_free(c.arena);
    act_wake(act);
    return result;
}

int act_approve(struct act *act, int64_t id, struct slice person, struct err *err)
{
    return change(act, id, person, approve, err);
}

int act_undo(struct act *act, int64_t id, struct slice person, struct err *err)
{
    return change(act, id, person, undo, err);
}
