#include "state/migrations.h"

const char *const state_schema[] = {
    /* 1: people and programs. Times are ns since 1970. */
    "CREATE TABLE users("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,"
    "  role TEXT NOT NULL, language TEXT, created_ns INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL DEFAULT 0, locked_until_ns INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE sessions("
    "  hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  csrf TEXT NOT NULL, created_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL);"
    "CREATE TABLE tokens("
    "  id TEXT PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
    "  role TEXT, stream TEXT, dataset TEXT, expires_ns INTEGER, created_ns INTEGER NOT NULL,"
    "  used_ns INTEGER, revoked INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);",
};

const size_t state_schema_count = sizeof(state_schema) / sizeof(state_schema[0]);
