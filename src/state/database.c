#include "state/database.h"

#include "base/hash.h"
#include "base/mem.h"
#include "state/migrations.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

/* Statements that were prepared once and wait for their next use: for incidents preparing costs more than running. */
enum { WAITING_SLOTS = 128 };

struct database {
    sqlite3 *db;
    sqlite3_stmt *waiting[WAITING_SLOTS]; /* by a hash of their text */
    pthread_mutex_t lock; /* recursive: a transaction holds it over its queries */
    char *path;
};

struct query {
    struct database *database;
    sqlite3_stmt *statement;
};

static int fail(struct database *database, struct err *err)
{
    int code = sqlite3_errcode(database->db);
    enum err_code kind = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_CORRUPT
                         : code == SQLITE_CONSTRAINT                     ? ERR_CONFLICT
                         : code == SQLITE_NOMEM                          ? ERR_NOMEM
                                                                         : ERR_IO;
    return err_set(err, kind, "%s: %s", database->path, sqlite3_errmsg(database->db));
}

static int execute(struct database *database, const char *sql, struct err *err)
{
    return sqlite3_exec(database->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(database, err);
}

static int read_version(struct database *database, int *version, struct err *err)
{
    struct query *query;
    if (query_begin(database, "PRAGMA user_version", &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    *version = result == 1 ? (int)query_get_i64(query, 0) : 0;
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int migrate(struct database *database, struct err *err)
{
    int version;
    if (read_version(database, &version, err) < 0)
        return -1;
    if (version > (int)state_schema_count)
        return err_set(err, ERR_CONFIG,
                       "%s was written by a newer version (schema %d, this one knows %zu); use that "
                       "version or restore a backup", database->path, version, state_schema_count);
    for (size_t step = (size_t)version; step < state_schema_count; step++) {
        char set_version[64];
        snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%zu", step + 1);
        if (database_begin(database, err) < 0)
            return -1;
        if (execute(database, state_schema[step], err) < 0 ||
            execute(database, set_version, err) < 0) {
            database_rollback(database);
            return err_within(err, "schema step %zu", step + 1);
        }
        if (database_commit(database, err) < 0)
            return -1;
    }
    return 0;
}

static int open_file(struct database *database, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    mode_t old = umask(0077); /* secrets are inside, if only as hashes */
    int code = sqlite3_open_v2(database->path, &database->db, flags, NULL);
    umask(old);
    if (!database->db)
        return err_nomem(err);
    if (code != SQLITE_OK)
        return fail(database, err);
    sqlite3_busy_timeout(database->db, 5000);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return execute(database,
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                   "PRAGMA trusted_schema=OFF", err) < 0
               ? -1
               : migrate(database, err);
}

static int open_by(int (*open)(struct database *database, struct err *err), const char *path, struct database **out,
                   struct err *err)
{
    *out = NULL;
    struct database *database = mem_calloc(1, sizeof(*database));
    if (!database)
        return err_nomem(err);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&database->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    database->path = mem_strdup(path, strlen(path));
    int result = database->path ? open(database, err) : err_nomem(err);
    if (result < 0) {
        database_close(database);
        return -1;
    }
    *out = database;
    return 0;
}

int database_open(const char *path, struct database **out, struct err *err)
{
    return open_by(open_file, path, out, err);
}

void database_close(struct database *database)
{
    if (!database)
        return;
    for (int i = 0; i < WAITING_SLOTS; i++)
        sqlite3_finalize(database->waiting[i]);
    sqlite3_close_v2(database->db);
    pthread_mutex_destroy(&database->lock);
    mem_free(database->path);
    mem_free(database);
}

/* ---- beside a running server ---- */

static int open_reading(const char *path, struct database *database, struct err *err)
{
    *database = (struct database){.path = mem_strdup(path, strlen(path))};
    if (!database->path)
        return err_nomem(err);
    int code = sqlite3_open_v2(path, &database->db, SQLITE_OPEN_READONLY, NULL);
    if (!database->db)
        return err_nomem(err);
    sqlite3_busy_timeout(database->db, 5000);
    return code == SQLITE_OK ? 0 : fail(database, err);
}

static int open_to_read(struct database *database, struct err *err)
{
    int version;
    int code = sqlite3_open_v2(database->path, &database->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL);
    if (!database->db)
        return err_nomem(err);
    sqlite3_busy_timeout(database->db, 5000);
    if (code != SQLITE_OK || read_version(database, &version, err) < 0)
        return fail(database, err);
    return version == (int)state_schema_count
               ? 0
               : err_set(err, ERR_CONFIG, "%s has schema %d, this program writes %zu; the next start of the server brings an older"
                         " one up to date", database->path, version, state_schema_count);
}

int database_open_reading(const char *path, struct database **out, struct err *err)
{
    return open_by(open_to_read, path, out, err);
}

static void close_reading(struct database *database)
{
    sqlite3_close_v2(database->db);
    mem_free(database->path);
}

static int first_finding(void *context, int count, char **values, char **names)
{
    struct err *err = context;
    (void)names;
    if (err->code == ERR_NONE && count && values[0] && strcmp(values[0], "ok") != 0)
        err_set(err, ERR_CORRUPT, "%s", values[0]);
    return 0;
}

int database_check(const char *path, struct err *err)
{
    struct database database;
    struct err found;
    err_clear(&found);
    int result = open_reading(path, &database, err);
    if (result == 0 && sqlite3_exec(database.db, "PRAGMA integrity_check(10)", first_finding, &found,
                                    NULL) != SQLITE_OK)
        result = fail(&database, err);
    if (result == 0 && found.code != ERR_NONE)
        result = err_set(err, ERR_CORRUPT, "%s is damaged: %s", path, found.text);
    close_reading(&database);
    return result;
}

static int copy_pages(struct database *from, sqlite3 *to, const char *path, struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from->db, "main");
    int code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to);
    if (backup)
        sqlite3_backup_finish(backup);
    return code == SQLITE_DONE
               ? 0
               : err_set(err, ERR_IO, "cannot copy %s to %s: %s", from->path, path, sqlite3_errstr(code));
}

int database_copy(const char *path, const char *to, struct err *err)
{
    struct database database;
    sqlite3 *copy = NULL;
    int result = open_reading(path, &database, err);
    mode_t old = umask(0077);
    if (result == 0 && sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
                           SQLITE_OK)
        result = err_set(err, ERR_IO, "cannot create %s", to);
    umask(old);
    if (result == 0)
        result = copy_pages(&database, copy, to, err);
    /* one file that is whole by itself: no -wal beside it */
    if (result == 0 && sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
        result = err_set(err, ERR_IO, "%s: %s", to, sqlite3_errmsg(copy));
    sqlite3_close_v2(copy);
    close_reading(&database);
    return result;
}

static sqlite3_stmt **waiting_slot(struct database *database, const char *sql)
{
    return &database->waiting[hash_bytes(slice_text(sql)) % WAITING_SLOTS];
}

/* One that waits, or a new one. */
static int take_statement(struct database *database, const char *sql, sqlite3_stmt **out)
{
    sqlite3_stmt **slot = waiting_slot(database, sql);
    *out = *slot;
    if (*out && strcmp(sqlite3_sql(*out), sql) == 0) {
        *slot = NULL;
        return SQLITE_OK;
    }
    return sqlite3_prepare_v3(database->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

static void give_back(struct database *database, sqlite3_stmt *statement)
{
    sqlite3_stmt **slot = statement ? waiting_slot(database, sqlite3_sql(statement)) : NULL;
    if (!slot)
        return;
    sqlite3_reset(statement); /* ends what it read; its error was told by the step that failed */
    sqlite3_clear_bindings(statement);
    sqlite3_finalize(*slot);
    *slot = statement;
}

int query_begin(struct database *database, const char *sql, struct query **out, struct err *err)
{
    *out = NULL;
    struct query *query = mem_calloc(1, sizeof(*query));
    if (!query)
        return err_nomem(err);
    pthread_mutex_lock(&database->lock);
    query->database = database;
    if (take_statement(database, sql, &query->statement) != SQLITE_OK) {
        fail(database, err);
        query_end(query);
        return -1;
    }
    *out = query;
    return 0;
}

void query_text(struct query *query, int index, struct slice text)
{
    if (text.ptr)
        sqlite3_bind_text64(query->statement, index, text.ptr, text.len, SQLITE_TRANSIENT,
                            SQLITE_UTF8);
    else
        sqlite3_bind_null(query->statement, index);
}

void query_i64(struct query *query, int index, int64_t n)
{
    sqlite3_bind_int64(query->statement, index, n);
}

void query_blob(struct query *query, int index, const void *bytes, size_t len)
{
    sqlite3_bind_blob64(query->statement, index, bytes, len, SQLITE_TRANSIENT);
}

int query_step(struct query *query, struct err *err)
{
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : fail(query->database, err);
}

struct slice query_get_text(struct query *query, int column, struct arena *arena)
{
    const void *text = sqlite3_column_blob(query->statement, column);
    int len = sqlite3_column_bytes(query->statement, column);
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL)
        return SLICE_NONE;
    return arena_copy(arena, slice_of(text ? text : "", (size_t)len));
}

int64_t query_get_i64(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

bool query_is_null(struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

void query_end(struct query *query)
{
    if (!query)
        return;
    give_back(query->database, query->statement);
    pthread_mutex_unlock(&query->database->lock);
    mem_free(query);
}

int query_run(struct query *query, struct err *err)
{
    int result = query_step(query, err);
    query_end(query);
    return result < 0 ? -1 : 0;
}

int query_begin_with(struct database *database, const char *sql, const struct bind *binds, size_t count,
                     struct query **out, struct err *err)
{
    if (query_begin(database, sql, out, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (binds[i].is_text)
            query_text(*out, (int)i + 1, binds[i].text);
        else
            query_i64(*out, (int)i + 1, binds[i].number);
    return 0;
}

int database_do(struct database *database, const char *sql, const struct bind *binds, size_t count, struct err *err)
{
    struct query *query;
    return query_begin_with(database, sql, binds, count, &query, err) < 0 ? -1 : query_run(query, err);
}

int database_number(struct database *database, const char *sql, const struct bind *binds, size_t count, int64_t *out,
                    struct err *err)
{
    struct query *query;
    *out = 0;
    if (query_begin_with(database, sql, binds, count, &query, err) < 0)
        return -1;
    int result = query_step(query, err);
    if (result == 1)
        *out = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}

int database_run(struct database *database, const char *sql, const struct slice *texts,
                 size_t count, struct err *err)
{
    struct query *query;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        query_text(query, (int)i + 1, texts[i]);
    return query_run(query, err);
}

int database_begin(struct database *database, struct err *err)
{
    pthread_mutex_lock(&database->lock);
    if (execute(database, "BEGIN IMMEDIATE", err) == 0)
        return 0;
    pthread_mutex_unlock(&database->lock);
    return -1;
}

int database_commit(struct database *database, struct err *err)
{
    int result = execute(database, "COMMIT", err);
    if (result < 0)
        sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&database->lock);
    return result;
}

void database_rollback(struct database *database)
{
    sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&database->lock);
}

int64_t database_last_id(struct database *database)
{
    return sqlite3_last_insert_rowid(database->db);
}

int64_t database_changes(struct database *database)
{
    return sqlite3_changes(database->db);
}
