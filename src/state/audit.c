#include "state/audit.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <stdio.h>

#define ROW_ARENA_MAX (MIB)

/* What goes in must come out the same as text: valid UTF-8 of bounded length. */
static struct slice clean(struct slice text, struct arena *arena)
{
    size_t len = text.len > AUDIT_TEXT_MAX ? AUDIT_TEXT_MAX : text.len;
    while (len < text.len && len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    struct slice kept = slice_sub(text, 0, len);
    if (!utf8_valid(kept)) {
        char *copy = arena_string(arena, kept);
        for (size_t i = 0; copy && i < len; i++)
            if ((unsigned char)copy[i] >= 0x80)
                copy[i] = '?';
        kept = slice_of(copy, copy ? len : 0);
    }
    if (len < text.len)
        return arena_printf(arena, "%.*s... (%zu bytes)", SLICE_ARG(kept), text.len);
    return kept.ptr ? kept : SLICE("");
}

static int read_head(struct database *database, int64_t *id, char hash[AUDIT_HASH_SIZE],
                     struct arena *arena, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT id,hash FROM audit ORDER BY id DESC LIMIT 1", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *id = 0;
    if (result == 1) {
        struct slice text = query_get_text(query, 1, arena);
        *id = query_get_i64(query, 0);
        snprintf(hash, AUDIT_HASH_SIZE, "%.*s", SLICE_ARG(text));
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int insert(struct database *database, const struct audit_row *row, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO audit(id,time_ns,actor,via,peer,action,object,detail,result,"
                    "hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &query, err) < 0)
        return -1;
    query_i64(query, 1, row->id);
    query_i64(query, 2, row->time_ns);
    query_text(query, 3, row->actor);
    query_text(query, 4, row->via);
    query_text(query, 5, row->peer);
    query_text(query, 6, row->action);
    query_text(query, 7, row->object);
    query_text(query, 8, row->detail);
    query_text(query, 9, row->result);
    query_text(query, 10, slice_text(row->hash));
    return query_run(query, err);
}

/* Within a transaction, so that no other program can add a row between. */
static int add_row(struct database *database, const struct hin_clock *clock, struct audit_row *row,
                   struct arena *arena, struct err *err)
{
    char before[AUDIT_HASH_SIZE] = "";
    int64_t head;
    if (read_head(database, &head, before, arena, err) < 0)
        return -1;
    row->id = head + 1;
    row->time_ns = clock_wall_ns(clock);
    audit_chain_hash(head ? before : NULL, row, row->hash);
    return insert(database, row, err);
}

int audit_add_within(struct database *database, const struct hin_clock *clock, const struct audit_row *row,
                     struct err *err)
{
    struct arena *arena = arena_new(ROW_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    struct audit_row copy = {.actor = clean(row->actor, arena),
                             .via = clean(row->via, arena),
                             .peer = clean(row->peer, arena),
                             .action = clean(row->action, arena),
                             .object = clean(row->object, arena),
                             .detail = clean(row->detail, arena),
                             .result = clean(row->result, arena)};
    int result = add_row(database, clock, &copy, arena, err);
    arena_free(arena);
    return result;
}

int audit_add(struct database *database, const struct hin_clock *clock, const struct audit_row *row,
              struct err *err)
{
    int result = database_begin(database, err);
    if (result == 0) {
        result = audit_add_within(database, clock, row, err);
        if (result == 0)
            result = database_commit(database, err);
        else
            database_rollback(database);
    }
    return result < 0 ? err_within(err, "the audit trail cannot be written") : 0;
}

static void read_row(struct query *query, struct arena *arena, struct audit_row *row)
{
    *row = (struct audit_row){.id = query_get_i64(query, 0),
                              .time_ns = query_get_i64(query, 1),
                              .actor = query_get_text(query, 2, arena),
                              .via = query_get_text(query, 3, arena),
                              .peer = query_get_text(query, 4, arena),
                              .action = query_get_text(query, 5, arena),
                              .object = query_get_text(query, 6, arena),
                              .detail = query_get_text(query, 7, arena),
                              .result = query_get_text(query, 8, arena)};
    struct slice hash = slice_sub(query_get_text(query, 9, arena), 0, sizeof(row->hash) - 1);
    snprintf(row->hash, sizeof(row->hash), "%.*s", SLICE_ARG(hash));
}

#define AUDIT_SELECT                                                                               \
    "SELECT id,time_ns,actor,via,peer,action,object,detail,result,hash FROM audit "                \
    "WHERE time_ns>=?1 AND (?2=0 OR time_ns<?2) AND (?3=0 OR id<?3) "                              \
    "AND (?4 IS NULL OR actor=?4) "                                                                \
    "AND (?5 IS NULL OR action=?5 OR substr(action,1,length(?5)+1)=?5||'.') "

int audit_each(struct database *database, const struct audit_filter *filter, audit_visit visit,
               void *context, struct err *err)
{
    struct query *query;
    struct audit_row row;
    int result, more = 0;
    const char *sql = filter->newest_first ? AUDIT_SELECT "ORDER BY id DESC LIMIT ?6"
                                           : AUDIT_SELECT "ORDER BY id LIMIT ?6";
    struct arena *arena = arena_new(ROW_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    if (query_begin(database, sql, &query, err) < 0) {
        arena_free(arena);
        return -1;
    }
    query_i64(query, 1, filter->from_ns);
    query_i64(query, 2, filter->to_ns);
    query_i64(query, 3, filter->before);
    query_text(query, 4, filter->actor.len ? filter->actor : SLICE_NONE);
    query_text(query, 5, filter->action.len ? filter->action : SLICE_NONE);
    query_i64(query, 6, filter->limit ? filter->limit : -1);
    while (more == 0 && (result = query_step(query, err)) == 1) {
        arena_reset(arena);
        read_row(query, arena, &row);
        more = visit(context, &row, err);
    }
    query_end(query);
    arena_free(arena);
    return more ? more : result;
}
