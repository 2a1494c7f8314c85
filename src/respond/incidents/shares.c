/* One incident for an outside monitor: by a link that ends, and without anything that people wrote or are called. */
#include "base/json.h"
#include "base/limits.h"
#include "respond/incidents/cases.h"
#include "respond/inside.h"
#include "state/users.h"

#include <sodium.h>

enum { PSEUDONYM_BYTES = 16, PSEUDONYM_TEXT = 2 * PSEUDONYM_BYTES + 1, SHOWN_DIGITS = 12 };

struct sharing {
    struct slice note;
    int64_t expires_ns;
    char *secret;
    int64_t *out;
};

static int64_t now_of(const struct respond *respond)
{
    return clock_wall_ns(respond->config.clock);
}

/* ---- making and ending ---- */

static int insert(struct respond *respond, int64_t incident, struct slice user, const struct sharing *sharing, struct err *err)
{
    char hash[SECRET_TEXT_SIZE], salt[SECRET_TEXT_SIZE];
    struct query *query;
    secret_new(sharing->secret);
    secret_new(salt);
    secret_hash(slice_text(sharing->secret), hash);
    if (query_begin(respond->config.database, "INSERT INTO incident_shares(incident,hash,salt,note,added_by,added_ns,expires_ns)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7)", &query, err) < 0)
        return -1;
    query_i64(query, 1, incident);
    query_text(query, 2, slice_text(hash));
    query_text(query, 3, slice_text(salt));
    query_text(query, 4, sharing->note);
    query_text(query, 5, user);
    query_i64(query, 6, now_of(respond));
    query_i64(query, 7, sharing->expires_ns);
    int result = query_step(query, err);
    *sharing->out = database_last_id(respond->config.database);
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* A closed incident is shared like any other: that changes nothing of it. */
static int find_incident(struct respond *respond, struct slice name, int64_t *id, struct err *err)
{
    int64_t known = 0;
    if (incident_parse_name(name, id) &&
        incident_number(respond->config.database, "SELECT id FROM incidents WHERE id=?1", *id, &known, err) < 0)
        return -1;
    return known ? 0 : err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(name));
}

int respond_share(struct respond *respond, struct slice id, struct slice user, struct slice note, int64_t expires_ns,
                  char secret[SECRET_TEXT_SIZE], int64_t *share, struct err *err)
{
    const struct sharing sharing = {note, expires_ns, secret, share};
    int64_t incident, count, now = now_of(respond);
    if (text_check(note, "a note for whom the link is", err) < 0 || find_incident(respond, id, &incident, err) < 0 ||
        incident_number(respond->config.database, "SELECT count(*) FROM incident_shares WHERE incident=?1 AND ended_ns IS NULL",
                        incident, &count, err) < 0)
        return -1;
    if (count >= INCIDENT_SHARES_MAX)
        return err_set(err, ERR_LIMIT, "an incident has at most %d links; end some first", INCIDENT_SHARES_MAX);
    if (expires_ns <= now || expires_ns - now > SHARE_DAYS_MAX * NS_PER_DAY)
        return err_set(err, ERR_CONFIG, "expires is needed, and lies at most %d days ahead: a time or +7d", SHARE_DAYS_MAX);
    return insert(respond, incident, user, &sharing, err);
}

int respond_share_end(struct respond *respond, int64_t share, struct slice user, struct err *err)
{
    struct query *query;
    if (query_begin(respond->config.database, "UPDATE incident_shares SET ended_ns=?2,ended_by=?3 WHERE id=?1 AND ended_ns IS NULL",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, share);
    query_i64(query, 2, now_of(respond));
    query_text(query, 3, user);
    int result = query_step(query, err);
    int64_t changed = database_changes(respond->config.database);
    query_end(query);
    if (result == 0 && !changed)
        return err_set(err, ERR_NOT_FOUND, "there is no link %lld, or it has ended", (long long)share);
    return result;
}

int respond_shares_json(struct respond *respond, struct slice id, struct json *json, struct err *err)
{
    struct query *query;
    int64_t incident;
    struct arena *arena = arena_new(4 * MIB);
    int result = !arena ? err_nomem(err) : find_incident(respond, id, &incident, err);
    if (result == 0)
        result = query_begin(respond->config.database, "SELECT id,note,added_by,added_ns,expires_ns,ended_ns,ended_by,views,last_ns FROM"
                             " incident_shares WHERE incident=?1 ORDER BY id DESC LIMIT 1000", &query, err);
    if (result == 0) {
        query_i64(query, 1, incident);
        json_open(json, '{');
        json_key(json, "shares");
        json_open(json, '[');
        while ((result = query_step(query, err)) == 1) {
            arena_reset(arena);
            json_open(json, '{');
            json_put_i64(json, "id", query_get_i64(query, 0));
            json_put_text(json, "note", query_get_text(query, 1, arena));
            json_put_text(json, "added_by", query_get_text(query, 2, arena));
            json_put_time(json, "added", query_get_i64(query, 3));
            json_put_time(json, "expires", query_get_i64(query, 4));
            json_put_time_or_null(json, "ended", query_get_i64(query, 5));
            json_put_text_or_null(json, "ended_by", query_get_text(query, 6, arena));
            json_put_i64(json, "views", query_get_i64(query, 7));
            json_put_time_or_null(json, "last_view", query_get_i64(query, 8));
            json_close(json, '}');
        }
        json_close(json, ']');
        json_close(json, '}');
        query_end(query);
    }
    arena_free(arena);
    return result;
}

/* ---- what the outside sees ---- */

/* The same value has the same name within one link, and the salt stays here, so that nobody tries names until one fits. */
static void pseudonym(struct slice salt, const struct entity *entity, char to[PSEUDONYM_TEXT])
{
    unsigned char hash[PSEUDONYM_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, (const unsigned char *)salt.ptr, salt.len, sizeof(hash));
    crypto_generichash_update(&state, (const unsigned char *)entity->type.ptr, entity->type.len);
    crypto_generichash_update(&state, (const unsigned char *)"", 1);
    crypto_generichash_update(&state, (const unsigned char *)entity->value.ptr, entity->value.len);
    crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_bin2hex(to, PSEUDONYM_TEXT, hash, sizeof(hash));
}

static void put_entities(const struct incident *incident, struct slice salt, struct json *json)
{
    json_key(json, "entities");
    json_open(json, '[');
    for (size_t i = 0; i < incident->entity_count; i++) {
        char name[PSEUDONYM_TEXT];
        pseudonym(salt, &incident->entities[i], name);
        json_open(json, '{');
        json_put_text(json, "type", incident->entities[i].type);
        json_put_text(json, "name", slice_of(name, SHOWN_DIGITS));
        json_close(json, '}');
    }
    json_close(json, ']');
}

static int put_lines(struct database *database, int64_t id, struct arena *arena, struct json *json, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT rule,max(severity),sum(count),min(first_ns),max(last_ns) FROM incident_lines WHERE incident=?1"
                    " GROUP BY rule ORDER BY 4", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    json_key(json, "rules");
    json_open(json, '[');
    while ((result = query_step(query, err)) == 1) {
        json_open(json, '{');
        json_put_text(json, "rule", query_get_text(query, 0, arena));
        json_put_text(json, "severity", slice_text(severity_name((enum severity)query_get_i64(query, 1))));
        json_put_i64(json, "count", query_get_i64(query, 2));
        json_put_time(json, "first", query_get_i64(query, 3));
        json_put_time(json, "last", query_get_i64(query, 4));
        json_close(json, '}');
    }
    json_close(json, ']');
    query_end(query);
    return result;
}

static int put_masked(struct respond *respond, int64_t id, struct slice salt, struct arena *arena, struct json *json, struct err *err)
{
    struct incident incident;
    char name[INCIDENT_NAME_SIZE];
    if (incident_read(respond->config.database, id, arena, &incident, err) < 0)
        return -1;
    incident_name(id, name);
    json_open(json, '{');
    json_put_text(json, "id", slice_text(name));
    json_put_text(json, "severity", slice_text(severity_name(incident.severity)));
    json_put_text(json, "state", incident.state);
    json_put_text_or_null(json, "verdict", incident.verdict);
    json_put_i64(json, "finding_count", incident.finding_count);
    json_put_time(json, "first_event", incident.first_event_ns);
    json_put_time(json, "last_event", incident.last_event_ns);
    json_put_time(json, "opened", incident.opened_ns);
    json_put_time_or_null(json, "acknowledged", incident.acknowledged_ns);
    json_put_time_or_null(json, "contained", incident.contained_ns);
    json_put_time_or_null(json, "closed", incident.closed_ns);
    put_entities(&incident, salt, json);
    int result = put_lines(respond->config.database, id, arena, json, err);
    json_close(json, '}');
    return result;
}

static int find_share(struct respond *respond, struct slice secret, struct arena *arena, int64_t *share, int64_t *incident,
                      struct slice *salt, struct err *err)
{
    char hash[SECRET_TEXT_SIZE];
    struct query *query;
    secret_hash(secret, hash);
    if (query_begin(respond->config.database, "UPDATE incident_shares SET views=views+1,last_ns=?2 WHERE hash=?1 AND ended_ns IS NULL AND"
                    " expires_ns>?2 RETURNING id,incident,salt", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(hash));
    query_i64(query, 2, now_of(respond));
    int result = query_step(query, err);
    if (result == 1) {
        *share = query_get_i64(query, 0);
        *incident = query_get_i64(query, 1);
        *salt = query_get_text(query, 2, arena);
        result = query_step(query, err) < 0 ? -1 : 1;
    }
    query_end(query);
    return result == 0 ? err_set(err, ERR_NOT_FOUND, "this link does not exist, or has ended") : result < 0 ? -1 : 0;
}

int respond_shared_json(struct respond *respond, struct slice secret, int64_t *share, struct json *json, struct err *err)
{
    struct slice salt = SLICE_NONE;
    int64_t incident = 0;
    struct arena *arena = arena_new(RESPOND_ARENA_MAX);
    int result = !arena ? err_nomem(err) : find_share(respond, secret, arena, share, &incident, &salt, err);
    if (result == 0)
        result = salt.ptr ? put_masked(respond, incident, salt, arena, json, err) : err_nomem(err);
    arena_free(arena);
    return result;
}
