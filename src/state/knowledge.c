#include "state/knowledge.h"

#include "base/limits.h"

#define SAME "kind=?1 AND name=?2 AND shared=?3 AND (shared=1 OR owner=?4)"

static int bind_name(struct database *database, const char *sql,
                     const struct kept_definition *definition, struct query **out, struct err *err)
{
    if (query_begin(database, sql, out, err) < 0)
        return -1;
    query_text(*out, 1, definition->kind);
    query_text(*out, 2, definition->name);
    query_i64(*out, 3, definition->shared);
    query_text(*out, 4, definition->owner);
    return 0;
}

static int count_all(struct database *database, int64_t *out, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT count(*) FROM knowledge", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *out = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

/* A new id each time, so that the version changes. */
static int put_within(struct database *database, const struct hin_clock *clock,
                      const struct kept_definition *definition, struct err *err)
{
    struct query *query;
    int64_t count;
    if (bind_name(database, "DELETE FROM knowledge WHERE " SAME, definition, &query, err) < 0 ||
        query_run(query, err) < 0 || count_all(database, &count, err) < 0)
        return -1;
    if (count >= KNOW_OBJECTS_MAX)
        return err_set(err, ERR_LIMIT, "there are %d definitions already; remove one",
                       KNOW_OBJECTS_MAX);
    if (bind_name(database, "INSERT INTO knowledge(kind,name,shared,owner,text,updated_ns) "
                  "VALUES(?1,?2,?3,?4,?5,?6)", definition, &query, err) < 0)
        return -1;
    query_text(query, 5, definition->text);
    query_i64(query, 6, clock_wall_ns(clock));
    return query_run(query, err);
}

int knowledge_put(struct database *database, const struct hin_clock *clock,
                  const struct kept_definition *definition, struct err *err)
{
    if (definition->text.len > KNOW_TEXT_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a definition is longer than %d bytes", KNOW_TEXT_BYTES_MAX);
    if (database_begin(database, err) < 0)
        return -1;
    if (put_within(database, clock, definition, err) == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

int knowledge_remove(struct database *database, const struct kept_definition *definition,
                     struct err *err)
{
    struct query *query;
    if (database_begin(database, err) < 0)
        return -1;
    int result = bind_name(database, "DELETE FROM knowledge WHERE " SAME, definition, &query, err);
    if (result == 0)
        result = query_run(query, err);
    if (result == 0 && database_changes(database) == 0)
        result = err_set(err, ERR_NOT_FOUND, "there is no %s %.*s %.*s",
                         definition->shared ? "shared" : "own", SLICE_ARG(definition->kind),
                         SLICE_ARG(definition->name));
    if (result == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

int knowledge_each(struct database *database, struct arena *arena, knowledge_visit visit,
                   void *context, struct err *err)
{
    struct query *query;
    int result;
    if (query_begin(database, "SELECT kind,name,owner,shared,text,updated_ns FROM knowledge ORDER BY id",
                    &query, err) < 0)
        return -1;
    while ((result = query_step(query, err)) == 1) {
        struct kept_definition one = {.kind = query_get_text(query, 0, arena),
                                      .name = query_get_text(query, 1, arena),
                                      .owner = query_get_text(query, 2, arena),
                                      .shared = query_get_i64(query, 3) != 0,
                                      .text = query_get_text(query, 4, arena),
                                      .updated_ns = query_get_i64(query, 5)};
        if ((result = visit(context, &one, err)) < 0)
            break;
    }
    query_end(query);
    return result < 0 ? -1 : 0;
}

int knowledge_version(struct database *database, int64_t *out, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name='knowledge'),0)"
                    "*1000000+count(*) FROM knowledge", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *out = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}
