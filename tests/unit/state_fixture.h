#pragma once
/* A state.db in a folder of its own, on a clock set by hand. */
#include "folder.h"

#include "base/clock.h"
#include "base/time.h"
#include "state/database.h"

#define NOON (INT64_C(1516924800) * NS_PER_SECOND)

struct fixture {
    char dir[64], path[80];
    struct database *database;
    struct clock_manual clock;
    struct arena *arena;
};

static inline int set_up(void **state)
{
    struct err err;
    static struct fixture fixture;
    folder_make(fixture.dir);
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/state.db", fixture.dir);
    clock_manual_init(&fixture.clock, NOON);
    fixture.arena = arena_new(64 << 20);
    if (database_open(fixture.path, &fixture.database, &err) < 0)
        fail_msg("%s", err.text);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    database_close(fixture->database);
    arena_free(fixture->arena);
    folder_remove(fixture->dir);
    return 0;
}
