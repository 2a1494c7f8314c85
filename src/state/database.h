#pragma once
/*
 * state/database: the SQLite file of users, tokens, incidents and the like; thin
 * over SQLite, WAL mode, synchronous=FULL. Never on the event path.
 *
 * Ownership  database_open to database_close. Statements live from query_begin to query_end.
 * Threads    Any: a query holds the database's lock from query_begin to query_end, so between
 *            them only query_* is called and nothing blocks. database_begin/commit hold it too.
 * Errors     -1; the sentence names the file.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct database;
struct query;

/* Creates the file and its tables, or brings older ones up to date (numbered steps, one
 * transaction each). A file from a newer version is refused. */
MUST_USE int database_open(const char *path, struct database **out, struct err *err);
void database_close(struct database *database); /* NULL is fine */

/* Reads the whole file beside whoever has it open, and changes nothing: ERR_CORRUPT with what SQLite
 * found. */
MUST_USE int database_check(const char *path, struct err *err);
/* To look at beside whoever has it open: nothing is written, and ERR_CONFIG for a file of another version than this
 * program writes. */
MUST_USE int database_open_reading(const char *path, struct database **out, struct err *err);
/* A copy of what is committed now, beside whoever has it open; to must not exist. */
MUST_USE int database_copy(const char *path, const char *to, struct err *err);

/* One statement with ?1, ?2 ... */
MUST_USE int query_begin(struct database *database, const char *sql, struct query **out,
                         struct err *err);
void query_text(struct query *query, int index, struct slice text); /* SLICE_NONE binds NULL */
void query_i64(struct query *query, int index, int64_t n);
void query_blob(struct query *query, int index, const void *bytes, size_t len);
/* 1: a row, 0: done, -1. */
MUST_USE int query_step(struct query *query, struct err *err);
/* Columns from 0, copied into the arena; SLICE_NONE for NULL. */
struct slice query_get_text(struct query *query, int column, struct arena *arena);
int64_t query_get_i64(struct query *query, int column);
bool query_is_null(struct query *query, int column);
void query_end(struct query *query); /* NULL is fine */
/* Steps a statement without rows, and ends it. */
MUST_USE int query_run(struct query *query, struct err *err);

/* What a statement's ?1, ?2 ... stand for, in order; a query or a statement without rows with them at once. */
struct bind {
    bool is_text;
    struct slice text; /* SLICE_NONE is NULL */
    int64_t number;
};
static inline struct bind bind_text(struct slice text)
{
    return (struct bind){.is_text = true, .text = text};
}
static inline struct bind bind_i64(int64_t number)
{
    return (struct bind){.number = number};
}
#define BINDS(...) (const struct bind[]){__VA_ARGS__}, sizeof((const struct bind[]){__VA_ARGS__}) / sizeof(struct bind)
MUST_USE int query_begin_with(struct database *database, const char *sql, const struct bind *binds, size_t count,
                              struct query **out, struct err *err);
MUST_USE int database_do(struct database *database, const char *sql, const struct bind *binds, size_t count,
                         struct err *err);
/* The first column of the first row; 0 without one, or when it is NULL. */
MUST_USE int database_number(struct database *database, const char *sql, const struct bind *binds, size_t count,
                             int64_t *out, struct err *err);

/* A statement without rows in one call; binds texts in order (SLICE_NONE = NULL). */
MUST_USE int database_run(struct database *database, const char *sql, const struct slice *texts,
                          size_t count, struct err *err);

/* Several statements as one: begin takes the lock, commit or rollback gives it back. */
MUST_USE int database_begin(struct database *database, struct err *err);
MUST_USE int database_commit(struct database *database, struct err *err);
void database_rollback(struct database *database);
int64_t database_last_id(struct database *database);   /* inside a transaction or query */
int64_t database_changes(struct database *database);   /* rows of the last statement, likewise */
