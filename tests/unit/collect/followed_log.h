#pragma once
/* One log over its files, with a sink that stores, refuses or fails as it is told. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/files/watched_log.h"

#include "unit/folder.h"

#include <sys/stat.h>

enum sink_mood { SINK_TAKES, SINK_FULL, SINK_FAILS };

struct world {
    char folder[64], path[96];
    enum sink_mood mood;
    struct buffer stored, cursor;
    bool has_cursor;
    char problem[ERR_TEXT_SIZE];
    struct sink sink;
    struct collector_host host;
    struct collector_settings settings;
    struct log_watch watch;
    struct watched_log *log;
};

static inline int take(void *context, const struct delivery *delivery, sink_done done, void *done_context, struct err *err)
{
    struct world *world = context;
    struct delivery_event event;
    struct err why = {.text = "no disk"};
    struct sink_ack ack = {.result = world->mood == SINK_FAILS ? SINK_FAILED : SINK_STORED, .err = &why};
    bool damaged;
    size_t at = 0;
    if (world->mood == SINK_FULL)
        return err_set(err, ERR_LIMIT, "no room");
    while (world->mood == SINK_TAKES && delivery_next(delivery, &at, &event, &damaged)) {
        buffer_put(&world->stored, event.raw);
        buffer_put_char(&world->stored, '|');
    }
    if (world->mood == SINK_TAKES) {
        buffer_clear(&world->cursor);
        buffer_put(&world->cursor, delivery->cursor);
        world->has_cursor = true;
    }
    done(done_context, &ack);
    return 0;
}

static inline struct slice cursor_of(void *context, struct slice source, struct slice path, struct arena *arena)
{
    const struct world *world = context;
    (void)source;
    (void)path;
    return world->has_cursor ? arena_copy(arena, buffer_slice(&world->cursor)) : SLICE_NONE;
}

static inline void on_problem(struct log_watch *watch, const char *text)
{
    struct world *world = watch->host->context;
    snprintf(world->problem, sizeof(world->problem), "%s", text);
}

static inline void on_wake(struct log_watch *watch)
{
    (void)watch;
}

static inline struct watched_file *no_inode(struct log_watch *watch, uint64_t device, uint64_t inode)
{
    (void)watch;
    (void)device;
    (void)inode;
    return NULL;
}

static inline void open_log(struct world *world)
{
    struct err err;
    assert_int_equal(watched_log_open(&world->watch, world->path, &world->log, &err), 0);
}

/* What lies in its folder now; listed before, when `lists` says so. */
static inline void look(struct world *world, struct folder_lists *lists)
{
    struct folder_lists own;
    struct err err;
    struct arena *arena = lists ? NULL : arena_new(16 * MIB);
    if (!lists) {
        assert_non_null(arena);
        folder_lists_init(&own, arena);
    }
    assert_int_equal(watched_log_look(world->log, lists ? lists : &own, &err), 0);
    arena_free(arena);
}

static inline void begin(struct world *world)
{
    *world = (struct world){0};
    folder_make(world->folder);
    snprintf(world->path, sizeof(world->path), "%s/a.log", world->folder);
    world->sink = (struct sink){take, world, clock_real()};
    world->host = (struct collector_host){.sink = &world->sink, .cursor = cursor_of, .context = world};
    world->settings.name = SLICE("t");
    world->watch = (struct log_watch){.host = &world->host, .settings = &world->settings, .wake = on_wake,
                                      .problem = on_problem, .by_inode = no_inode, .now_ns = NS_PER_HOUR};
    world->watch.arena = arena_new(16 * MIB);
    buffer_init(&world->watch.text, 4 * MIB);
    buffer_init(&world->watch.records, 64 * MIB);
    buffer_init(&world->watch.cursor, MIB);
    buffer_init(&world->stored, 16 * MIB);
    buffer_init(&world->cursor, MIB);
    open_log(world);
}

static inline void end(struct world *world)
{
    watched_log_free(world->log);
    arena_free(world->watch.arena);
    buffer_close(&world->watch.text);
    buffer_close(&world->watch.records);
    buffer_close(&world->watch.cursor);
    buffer_close(&world->stored);
    buffer_close(&world->cursor);
    folder_remove(world->folder);
}

/* As after kill -9: only what was stored is known. */
static inline void begin_again(struct world *world)
{
    watched_log_free(world->log);
    open_log(world);
}
