#include "state/keeps.h"

#include "base/limits.h"
#include "base/time.h"

#define ARENA_MAX (16 * MIB)
#define WISH_NS (RETENTION_WISH_HOURS * NS_PER_HOUR)

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= KEEP_NAME_MAX;
}

static int check(const struct keep *keep, struct err *err)
{
    if (!is_name(keep->name))
        return err_set(err, ERR_CONFIG, "a hold needs a name of 1 to %d bytes without spaces", KEEP_NAME_MAX);
    if (!keep->stream.len || keep->stream.len > KEEP_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "a hold needs a stream, such as main, fw-* or * for all");
    if (!keep->reason.len || keep->reason.len > KEEP_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "a hold needs a reason of at most %d bytes: people will ask for it",
                       KEEP_TEXT_MAX);
    if (keep->from_ns >= keep->to_ns)
        return err_set(err, ERR_CONFIG, "a hold must begin before it ends (from and to)");
    return 0;
}

static int count_held(struct database *database, struct slice name, int64_t *held, int64_t *same,
                      struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT count(*),coalesce(sum(name=?1),0) FROM keeps WHERE ended_ns IS NULL",
                    &query, err) < 0)
        return -1;
    query_text(query, 1, name);
    int result = query_step(query, err);
    if (result == 1) {
        *held = query_get_i64(query, 0);
        *same = query_get_i64(query, 1);
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int insert(struct database *database, const struct hin_clock *clock, const struct keep *keep,
                  struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO keeps(name,stream,from_ns,to_ns,reason,added_by,added_ns) "
                    "VALUES(?1,?2,?3,?4,?5,?6,?7)", &query, err) < 0)
        return -1;
    query_text(query, 1, keep->name);
    query_text(query, 2, keep->stream);
    query_i64(query, 3, keep->from_ns);
    query_i64(query, 4, keep->to_ns);
    query_text(query, 5, keep->reason);
    query_text(query, 6, keep->added_by);
    query_i64(query, 7, clock_wall_ns(clock));
    return query_run(query, err);
}

static int add_within(struct database *database, const struct hin_clock *clock,
                      const struct keep *keep, struct err *err)
{
    int64_t held = 0, same = 0;
    if (count_held(database, keep->name, &held, &same, err) < 0)
        return -1;
    if (same)
        return err_set(err, ERR_CONFLICT, "there is a hold named %.*s already", SLICE_ARG(keep->name));
    if (held >= RETENTION_HOLDS_MAX)
        return err_set(err, ERR_LIMIT, "there are %d holds already; end one, or widen one",
                       RETENTION_HOLDS_MAX);
    return insert(database, clock, keep, err);
}

static int end_transaction(struct database *database, int result, struct err *err)
{
    if (result == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

int keeps_add(struct database *database, const struct hin_clock *clock, const struct keep *keep,
              struct err *err)
{
    if (check(keep, err) < 0 || database_begin(database, err) < 0)
        return -1;
    return end_transaction(database, add_within(database, clock, keep, err), err);
}

/* ---- ending ---- */

#define COLUMNS "id,name,stream,from_ns,to_ns,reason,added_by,added_ns,in_force_ns,wished_by,wish_reason," \
                "wished_ns,ended_by,ended_ns"

static void read_keep(struct query *query, int64_t now, struct arena *arena, struct keep *out)
{
    *out = (struct keep){.id = query_get_i64(query, 0),
                         .name = query_get_text(query, 1, arena),
                         .stream = query_get_text(query, 2, arena),
                         .from_ns = query_get_i64(query, 3),
                         .to_ns = query_get_i64(query, 4),
                         .reason = query_get_text(query, 5, arena),
                         .added_by = query_get_text(query, 6, arena),
                         .added_ns = query_get_i64(query, 7),
                         .in_force_ns = query_get_i64(query, 8),
                         .wished_by = query_get_text(query, 9, arena),
                         .wish_reason = query_get_text(query, 10, arena),
                         .wished_ns = query_get_i64(query, 11),
                         .ended_by = query_get_text(query, 12, arena),
                         .ended_ns = query_get_i64(query, 13)};
    if (!out->ended_ns && now - out->wished_ns >= WISH_NS) {
        out->wished_by = out->wish_reason = SLICE_NONE;
        out->wished_ns = 0;
    }
}

static int find(struct database *database, int64_t now, struct slice name, struct arena *arena,
                struct keep *out, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT " COLUMNS " FROM keeps WHERE name=?1 AND ended_ns IS NULL", &query,
                    err) < 0)
        return -1;
    query_text(query, 1, name);
    int result = query_step(query, err);
    if (result == 1)
        read_keep(query, now, arena, out);
    query_end(query);
    if (result < 0)
        return -1;
    return result ? 0 : err_set(err, ERR_NOT_FOUND, "there is no hold named %.*s", SLICE_ARG(name));
}

static int update(struct database *database, const char *sql, int64_t id, struct slice person,
                  int64_t now, struct slice reason, struct err *err)
{
    struct query *query;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_text(query, 2, person);
    query_i64(query, 3, now);
    if (reason.len)
        query_text(query, 4, reason);
    return query_run(query, err);
}

static int end_within(struct database *database, int64_t now, struct slice name, struct slice person,
                      struct slice reason, struct arena *arena, enum keep_end *out, struct err *err)
{
    struct keep keep;
    if (find(database, now, name, arena, &keep, err) < 0)
        return -1;
    if (slice_equal(keep.wished_by, person))
        return err_set(err, ERR_CONFLICT, "%.*s has said so already; another person has to say the same "
                       "within %d hours", SLICE_ARG(person), RETENTION_WISH_HOURS);
    *out = keep.wished_by.len ? KEEP_ENDED : KEEP_WISHED;
    if (*out == KEEP_WISHED)
        return update(database, "UPDATE keeps SET wished_by=?2,wished_ns=?3,wish_reason=?4 WHERE id=?1",
                      keep.id, person, now, reason, err);
    return update(database, "UPDATE keeps SET ended_by=?2,ended_ns=?3 WHERE id=?1", keep.id, person, now,
                  SLICE_NONE, err);
}

int keeps_end(struct database *database, const struct hin_clock *clock, struct slice name,
              struct slice person, struct slice reason, enum keep_end *out, struct err *err)
{
    if (!person.len)
        return err_set(err, ERR_DENIED, "a hold is ended by people with a name");
    if (!reason.len || reason.len > KEEP_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "to end a hold needs a reason of at most %d bytes", KEEP_TEXT_MAX);
    struct arena *arena = arena_new(ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = database_begin(database, err);
    if (result == 0)
        result = end_transaction(database, end_within(database, clock_wall_ns(clock), name, person, reason,
                                                      arena, out, err), err);
    arena_free(arena);
    return result;
}

/* ---- reading ---- */

int keeps_list(struct database *database, const struct hin_clock *clock, bool all, struct arena *arena,
               keep_visit visit, void *context, struct err *err)
{
    struct query *query;
    int result;
    int64_t now = clock_wall_ns(clock);
    if (query_begin(database, all ? "SELECT " COLUMNS " FROM keeps ORDER BY id"
                                  : "SELECT " COLUMNS " FROM keeps WHERE ended_ns IS NULL ORDER BY id",
                    &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        struct keep keep;
        read_keep(query, now, arena, &keep);
        visit(context, &keep);
    }
    query_end(query);
    return result;
}

int keeps_version(struct database *database, int64_t *out, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT coalesce(max(id),0)+count(ended_ns) FROM keeps", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *out = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

int keeps_in_force(struct database *database, const struct hin_clock *clock, int64_t last_id,
                   struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE keeps SET in_force_ns=?2 WHERE id<=?1 AND in_force_ns IS NULL",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, last_id);
    query_i64(query, 2, clock_wall_ns(clock));
    return query_run(query, err);
}
