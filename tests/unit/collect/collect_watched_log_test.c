/* One log over its files: what was stored is what was written. */
#include "unit/collect/followed_log.h"

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
    for (int second = 0; second < 4; second++) {
        look(world, NULL);
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

/* A line that was read between copying and emptying stands in no file any more. */
static void a_copy_may_be_shorter_than_what_was_read(void **state)
{
    struct world world;
    char lines[2 * HEAD_MARK_BYTES], expected[sizeof(lines) + 32];
    size_t len = 0;
    (void)state;
    for (unsigned n = 0; len < HEAD_MARK_BYTES + 100; n++)
        len += (size_t)snprintf(lines + len, sizeof(lines) - len, "line %u\n", n);
    begin(&world);
    put(&world, "a.log", "w", lines);
    work(&world);
    put(&world, "a.log.1", "w", lines);
    put(&world, "a.log", "a", "late\n");
    work(&world);
    put(&world, "a.log", "w", "anew\n");
    for (int i = 0; i < 5; i++)
        work(&world);
    snprintf(expected, sizeof(expected), "%slate\nanew\n", lines);
    for (char *end = expected; (end = strchr(end, '\n'));)
        *end = '|';
    expect(&world, expected);
    assert_string_equal(world.problem, "");
    end(&world);
}

/* The folder was listed, then its names moved on. */
static void is_moved_while_it_looks(void **state)
{
    struct world world;
    struct folder_lists lists;
    struct arena *arena = arena_new(MIB);
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "one\n");
    work(&world);
    begin_again(&world);
    put(&world, "a.log", "a", "two\n");
    folder_lists_init(&lists, arena);
    assert_int_equal(folder_lists_get(&lists, slice_text(world.folder))->count, 1);
    move(&world, "a.log", "a.log.1");
    look(&world, &lists);
    arena_free(arena);
    assert_true(world.log->again);
    put(&world, "a.log", "w", "three\n");
    work(&world);
    expect(&world, "one|two|three|");
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

/* The store takes nothing while a log is rotated thousands of times. */
static void a_full_list_is_said_and_loses_nothing(void **state)
{
    struct world world;
    char text[32], to[32];
    unsigned lines = COLLECT_LOG_FILES_MAX + 50, next = 0;
    (void)state;
    begin(&world);
    put(&world, "a.log", "w", "0\n");
    work(&world);
    world.mood = SINK_FULL;
    for (unsigned n = 1; n < lines; n++) {
        snprintf(to, sizeof(to), "a.log.%u", n);
        snprintf(text, sizeof(text), "%u\n", n);
        move(&world, "a.log", to);
        put(&world, "a.log", "w", text);
    }
    look(&world, NULL);
    assert_int_equal(world.log->count, COLLECT_LOG_FILES_MAX);
    assert_non_null(strstr(world.problem, "COLLECT_LOG_FILES_MAX"));
    world.mood = SINK_TAKES;
    for (int i = 0; i < 20; i++) {
        for (unsigned n = 0; n < lines; n++) {
            world.watch.flushing = false;
            watched_log_step(world.log);
            (void)watched_log_answered(world.log);
        }
        world.watch.now_ns += 11 * NS_PER_SECOND;
        watched_log_tick(world.log);
        watched_log_tick(world.log);
        look(&world, NULL);
    }
    unsigned char *seen = mem_calloc(lines, 1);
    struct slice rest = buffer_slice(&world.stored), line;
    while (slice_next_part(&rest, '|', &line))
        if (line.len) {
            unsigned n = (unsigned)strtoul(line.ptr, NULL, 10);
            assert_true(n < lines && !seen[n]);
            seen[n] = 1;
            next++;
        }
    mem_free(seen);
    assert_int_equal(next, lines);
    assert_true(world.log->count < 100);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_where_it_was),
        cmocka_unit_test(waits_and_repeats),
        cmocka_unit_test(follows_renames),
        cmocka_unit_test(finds_copies_of_what_was_emptied),
        cmocka_unit_test(a_copy_may_be_shorter_than_what_was_read),
        cmocka_unit_test(is_moved_while_it_looks),
        cmocka_unit_test(says_what_was_lost),
        cmocka_unit_test(takes_unfinished_lines),
        cmocka_unit_test(starts_anew_with_a_cursor_that_is_none),
        cmocka_unit_test(a_full_list_is_said_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
