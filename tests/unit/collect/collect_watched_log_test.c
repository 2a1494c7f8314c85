/* One log over its files, with a sink that stores, refuses or fails as it is told: what was stored is what was written. */
#include "base/limits.h"
#include "base/mem.h"
#include "collect/watched_log.h"

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

static int take(void *context, const struct delivery *delivery, sink_done done, void *done_context, struct err *err)
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

static struct slice cursor_of(void *context, struct slice source, struct slice path, struct arena *arena)
{
    const struct world *world = context;
    (void)source;
    (void)path;
    return world->has_cursor ? arena_copy(arena, buffer_slice(&world->cursor)) : SLICE_NONE;
}

static void on_problem(struct log_watch *watch, const char *text)
{
    struct world *world = watch->host->context;
    snprintf(world->problem, sizeof(world->problem), "%s", text);
}

static void on_wake(struct log_watch *watch)
{
    (void)watch;
}

static struct watched_file *no_inode(struct log_watch *watch, uint64_t device, uint64_t inode)
{
    (void)watch;
    (void)device;
    (void)inode;
    return NULL;
}

static void open_log(struct world *world)
{
    struct err err;
    assert_int_equal(watched_log_open(&world->watch, world->path, &world->log, &err), 0);
}

static void begin(struct world *world)
{
    *world = (struct world){0};
    folder_make(world->folder);
    snprintf(world->path, sizeof(world->path), "%s/a.log", world->folder);
    world->sink = (struct sink){take, world, clock_real()};
    world->host = (struct collector_host){.sink = &world->sink, .cursor = cursor_of, .context = world};
    world->settings.name = SLICE("t");
    world->watch = (struct log_watch){.host = &world->host, .settings = &world->settings, .wake = on_wake,
                                      .problem = on_problem, .by_inode = no_inode, .now_ns = NS_PER_HOUR};
    world->watch.arena = arena_new(MIB);
    buffer_init(&world->watch.text, 4 * MIB);
    buffer_init(&world->watch.records, 64 * MIB);
    buffer_init(&world->watch.cursor, MIB);
    buffer_init(&world->stored, 16 * MIB);
    buffer_init(&world->cursor, MIB);
    open_log(world);
}

static void end(struct world *world)
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
static void begin_again(struct world *world)
{
    watched_log_free(world->log);
    open_log(world);
}

static void put(const struct world *world, const char *name, const char *mode, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void move(const struct world *world, const char *from, const char *to)
{
    char a[160], b[160];
    snprintf(a, sizeof(a), "%s/%s", world->folder, from);
    snprintf(b, sizeof(b), "%s/%s", world->folder, to);
    assert_int_equal(rename(a, b), 0);
}

/* Some seconds of work. */
static void work(struct world *world)
{
    struct stat info;
    struct err err;
    for (int second = 0; second < 4; second++) {
        bool there = stat(world->path, &info) == 0;
        assert_int_equal(watched_log_look(world->log, there ? &info : NULL, &err), 0);
        for (int i = 0; i < 20; i++) {
            world->watch.flushing = false;
            watched_log_step(world->log);
            (void)watched_log_answered(world->log);
        }
        watched_log_tick(world->log);
        world->watch.now_ns += NS_PER_SECOND;
    }
}

static void expect(struct world *world, const char *stored)
{
    char *got = mem_strdup(world->stored.ptr, world->stored.len);
    assert_string_equal(got, stored);
    mem_free(got);
}

static void goes_on_where_it_was(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one\ntwo\nthr");
    work(&world);
    expect(&world, "one|two|");
    begin_again(&world);
    put(&world, "a.log", "a", "ee\nfour\n");
    work(&world);
    expect(&world, "one|two|three|four|");
    end(&world);
}

static void waits_and_repeats(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one\ntwo\n");
    world.mood = SINK_FULL;
    work(&world);
    world.mood = SINK_FAILS;
    work(&world);
    assert_non_null(strstr(world.problem, "no disk"));
    expect(&world, "");
    world.mood = SINK_TAKES;
    work(&world);
    expect(&world, "one|two|");
    end(&world);
}

static void follows_renames(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one\n");
    work(&world);
    put(&world, "a.log", "a", "two\n");
    move(&world, "a.log", "a.log.1");
    put(&world, "a.log", "w", "four\n");
    put(&world, "a.log.1", "a", "three\n");
    work(&world);
    expect(&world, "one|two|three|four|");
    begin_again(&world);
    move(&world, "a.log.1", "a.log.2");
    move(&world, "a.log", "a.log.1");
    put(&world, "a.log.1", "a", "five\n");
    put(&world, "a.log", "w", "six\n");
    work(&world);
    expect(&world, "one|two|three|four|five|six|");
    end(&world);
}

static void finds_copies_of_what_was_emptied(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one, with some more text\n");
    work(&world);
    begin_again(&world);
    put(&world, "a.log.1", "w", "one, with some more text\ntwo\n");
    put(&world, "a.log", "w", "three, which is longer than what stood there before it\n");
    work(&world);
    expect(&world, "one, with some more text|two|three, which is longer than what stood there before it|");
    end(&world);
}

static void says_what_was_lost(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one\n");
    work(&world);
    begin_again(&world);
    put(&world, "b.log", "w", "two\n"); /* another inode */
    move(&world, "b.log", "a.log");
    for (int i = 0; i < 5; i++)
        work(&world);
    expect(&world, "one|two|");
    assert_non_null(strstr(world.problem, "is lost"));
    end(&world);
}

static void takes_unfinished_lines(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.watch.unfinished_ns = 6 * NS_PER_SECOND;
    put(&world, "a.log", "w", "one\ntw");
    work(&world);
    expect(&world, "one|");
    work(&world);
    work(&world);
    expect(&world, "one|tw|");
    put(&world, "a.log", "a", "o\nthree\n");
    work(&world);
    expect(&world, "one|tw|o|three|");
    end(&world);
}

static void starts_anew_with_a_cursor_that_is_none(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    buffer_put_text(&world.cursor, "nonsense");
    world.has_cursor = true;
    begin_again(&world);
    put(&world, "a.log", "w", "one\n");
    work(&world);
    expect(&world, "one|");
    assert_non_null(strstr(world.problem, "from its beginning"));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_where_it_was),
        cmocka_unit_test(waits_and_repeats),
        cmocka_unit_test(follows_renames),
        cmocka_unit_test(finds_copies_of_what_was_emptied),
        cmocka_unit_test(says_what_was_lost),
        cmocka_unit_test(takes_unfinished_lines),
        cmocka_unit_test(starts_anew_with_a_cursor_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
