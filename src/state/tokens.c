#include "state/tokens.h"

#include "base/zone.h"
#include "event/ip.h"

#include <sodium.h>
#include <stdio.h>

enum { ID_BYTES = 5 };

static bool known_kind(struct slice kind)
{
    return slice_is(kind, "api") || slice_is(kind, "hec") || slice_is(kind, "gate");
}

static int check_networks(struct slice networks, struct err *err)
{
    struct slice part;
    struct cidr cidr;
    int count = 0;
    while (networks.len && slice_next_part(&networks, ',', &part)) {
        if (!cidr_parse(slice_trim(part), &cidr))
            return err_set(err, ERR_CONFIG, "'%.*s' is no network such as 10.0.0.0/8 or 2001:db8::/32",
                           SLICE_ARG(part));
        if (++count > TOKEN_NETWORKS_MAX)
            return err_set(err, ERR_CONFIG, "a token has at most %d networks", TOKEN_NETWORKS_MAX);
    }
    return 0;
}

static bool may_come_from(struct slice networks, struct slice peer)
{
    struct slice part;
    struct cidr cidr;
    struct ip ip;
    if (!networks.len)
        return true;
    if (!ip_parse_peer(peer, &ip))
        return false;
    while (slice_next_part(&networks, ',', &part))
        if (cidr_parse(slice_trim(part), &cidr) && cidr_contains(&cidr, ip.bytes, ip.family))
            return true;
    return false;
}

int tokens_add(struct database *database, const struct hin_clock *clock, const struct token *token,
               char text[TOKEN_TEXT_SIZE], struct err *err)
{
    unsigned char random_id[ID_BYTES];
    char id[2 * ID_BYTES + 1], secret[SECRET_TEXT_SIZE], hash[SECRET_TEXT_SIZE];
    struct query *query;
    if (!known_kind(token->kind))
        return err_set(err, ERR_CONFIG, "the kind of a token is api, hec or gate");
    if (slice_is(token->kind, "api") && token->role == ROLE_NONE)
        return err_set(err, ERR_CONFIG, "a token for the API needs a role");
    if (token->name.len == 0 || token->name.len > USER_NAME_MAX)
        return err_set(err, ERR_CONFIG, "a token needs a name of at most %d bytes", USER_NAME_MAX);
    if (check_networks(token->networks, err) < 0)
        return -1;
    if (token->zone.len && !zone_find(token->zone))
        return err_set(err, ERR_CONFIG, "there is no time zone '%.*s'; it is a name such as Asia/Tokyo", SLICE_ARG(token->zone));
    if (token->events_per_second < 0)
        return err_set(err, ERR_CONFIG, "a quota is a number of events a second, or 0 for any number");
    randombytes_buf(random_id, sizeof(random_id));
    sodium_bin2hex(id, sizeof(id), random_id, sizeof(random_id));
    secret_new(secret);
    secret_hash(slice_text(secret), hash);
    snprintf(text, TOKEN_TEXT_SIZE, "hin_%.*s_%s_%s", SLICE_ARG(token->kind), id, secret);
    if (query_begin(database,
                    "INSERT INTO tokens(id,hash,name,kind,role,stream,dataset,expires_ns,created_ns,"
                    "networks,zone,events_per_second) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(id));
    query_text(query, 2, slice_text(hash));
    query_text(query, 3, token->name);
    query_text(query, 4, token->kind);
    query_text(query, 5, slice_text(role_name(token->role)));
    query_text(query, 6, token->stream);
    query_text(query, 7, token->dataset);
    query_i64(query, 8, token->expires_ns);
    query_i64(query, 9, clock_wall_ns(clock));
    query_text(query, 10, token->networks.len ? token->networks : SLICE_NONE);
    query_text(query, 11, token->zone.len ? token->zone : SLICE_NONE);
    query_i64(query, 12, token->events_per_second);
    return query_run(query, err);
}

static void read_token(struct query *query, struct arena *arena, struct token *out)
{
    *out = (struct token){
        .id = query_get_text(query, 0, arena),
        .name = query_get_text(query, 1, arena),
        .kind = query_get_text(query, 2, arena),
        .role = role_parse(query_get_text(query, 3, arena)),
        .stream = query_get_text(query, 4, arena),
        .dataset = query_get_text(query, 5, arena),
        .expires_ns = query_get_i64(query, 6),
        .used_ns = query_get_i64(query, 7),
        .revoked = query_get_i64(query, 8) != 0,
        .networks = query_get_text(query, 9, arena),
        .zone = query_get_text(query, 10, arena),
        .events_per_second = query_get_i64(query, 11),
    };
}

#define TOKEN_COLUMNS "id,name,kind,role,stream,dataset,expires_ns,used_ns,revoked,networks,zone,events_per_second"

/* hin_kind_id_secret */
static bool split(struct slice text, struct slice *kind, struct slice *id, struct slice *secret)
{
    struct slice head, rest;
    return slice_cut(text, '_', &head, &rest) && slice_is(head, "hin") &&
           slice_cut(rest, '_', kind, &rest) && slice_cut(rest, '_', id, secret) &&
           secret->len == SECRET_TEXT_SIZE - 1;
}

static int note_use(struct database *database, struct slice id, int64_t now, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE tokens SET used_ns=?2 WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, id);
    query_i64(query, 2, now);
    return query_run(query, err);
}

struct slice tokens_id(struct slice text)
{
    struct slice kind, id, secret;
    return split(text, &kind, &id, &secret) ? id : SLICE_NONE;
}

int tokens_find(struct database *database, const struct hin_clock *clock, struct slice text,
                struct slice peer, struct arena *arena, struct token *out, struct err *err)
{
    struct slice kind, id, secret, stored = SLICE_NONE;
    char hash[SECRET_TEXT_SIZE];
    struct query *query;
    int64_t now = clock_wall_ns(clock);
    if (!split(text, &kind, &id, &secret))
        return err_set(err, ERR_DENIED, "that is no token");
    secret_hash(secret, hash);
    if (query_begin(database, "SELECT " TOKEN_COLUMNS ",hash FROM tokens WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, id);
    int result = query_step(query, err);
    if (result == 1) {
        read_token(query, arena, out);
        stored = query_get_text(query, 12, arena);
    }
    query_end(query);
    if (result < 0)
        return -1;
    bool right = stored.len == SECRET_TEXT_SIZE - 1 &&
                 sodium_memcmp(stored.ptr, hash, SECRET_TEXT_SIZE - 1) == 0 &&
                 slice_equal(out->kind, kind);
    if (!right || out->revoked || (out->expires_ns && out->expires_ns <= now))
        return err_set(err, ERR_DENIED, "the token is unknown, revoked or expired");
    if (!may_come_from(out->networks, peer))
        return err_set(err, ERR_DENIED, "the token may not be used from this address");
    return now - out->used_ns > NS_PER_MINUTE ? note_use(database, id, now, err) : 0;
}

int tokens_list(struct database *database, struct arena *arena, token_visit visit, void *context,
                struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT " TOKEN_COLUMNS " FROM tokens ORDER BY created_ns,id", &query,
                    err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        struct token token;
        read_token(query, arena, &token);
        visit(context, &token);
    }
    query_end(query);
    return result;
}

int tokens_revoke(struct database *database, struct slice id, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE tokens SET revoked=1 WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, id);
    int result = query_step(query, err);
    int64_t changed = result < 0 ? 0 : database_changes(database);
    query_end(query);
    if (result < 0)
        return -1;
    return changed ? 0 : err_set(err, ERR_NOT_FOUND, "there is no token %.*s", SLICE_ARG(id));
}
