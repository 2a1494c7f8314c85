/* A log that is written, rotated in every way, and read by a program that is killed at any moment, all by chance: what
 * was stored is what was written. TURNS_SEED=n runs that one alone, TURNS_SEEDS=n so many. */
#include "collect/files/file_names.h"
#include "unit/collect/followed_log.h"

#include <fcntl.h>
#include <zlib.h>

enum { SEEDS = 1000, TURNS = 120, LINE_MAX_BYTES = 400 };

enum rotation { BY_RENAME, BY_PACKING, BY_COPY, ROTATIONS };

struct story {
    struct world world;
    uint64_t chance;
    enum rotation rotation;
    int64_t time_ns; /* of the file system */
    size_t lines;
    unsigned rotated; /* files */
    bool packed[2 * TURNS];
    bool mixed;       /* another kind of rotation each time */
    bool pause;       /* a moment of the reader may come between the steps of a rotation */
    bool written;     /* since the reader was told */
    bool listed;      /* the folder, which is looked at later */
    struct folder_lists lists;
    struct arena *arena;
    int64_t look_ns, tick_ns;
    FILE *log;        /* what happens, when one seed is run */
};

static unsigned below(struct story *story, unsigned count)
{
    story->chance = story->chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(story->chance >> 33) % count;
}

PRINTF_LIKE(2, 3) static void tell(const struct story *story, const char *format, ...)
{
    va_list args;
    if (!story->log)
        return;
    va_start(args, format);
    vfprintf(story->log, format, args);
    va_end(args);
    fputc('\n', story->log);
}

static void pass_time(struct story *story)
{
    int64_t time = (int64_t)below(story, 60) * NS_PER_MS;
    story->time_ns += time;
    story->world.watch.now_ns += time;
}

static void stamp(const struct story *story, const char *path)
{
    struct timespec at = {.tv_sec = story->time_ns / NS_PER_SECOND, .tv_nsec = story->time_ns % NS_PER_SECOND};
    struct timespec times[2] = {at, at};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static const char *name_of(const struct story *story, unsigned number, bool packed, char to[160])
{
    if (number)
        snprintf(to, 160, "%s.%u%s", story->world.path, number, packed ? ".gz" : "");
    else
        snprintf(to, 160, "%s", story->world.path);
    return to;
}

/* ---- the reader ---- */

static void show(const struct story *story)
{
    for (size_t i = 0; story->log && i < story->world.log->count; i++) {
        const struct watched_file *file = story->world.log->files[i];
        tell(story, "    %s inode %llu head %u, %llu of %llu,%s%s%s%s", file->path ? path_name(slice_text(file->path)).ptr : "?",
             (unsigned long long)file->place.inode, file->place.head.len, (unsigned long long)file->place.offset,
             (unsigned long long)file->size, file->current ? " current" : "", file->missing ? " missing" : "",
             file->place.finished ? " finished" : "", file->left ? " left" : "");
    }
}

static void read_some(struct story *story)
{
    struct world *world = &story->world;
    int64_t now = world->watch.now_ns;
    if (now >= story->tick_ns) {
        watched_log_tick(world->log);
        story->tick_ns = now + NS_PER_SECOND;
    }
    if (story->listed) { /* some time ago */
        look(world, &story->lists);
        story->listed = false;
    } else if (now >= story->look_ns || world->log->again || !below(story, 4)) {
        story->listed = !below(story, 3);
        arena_reset(story->arena);
        folder_lists_init(&story->lists, story->arena);
        assert_non_null(folder_lists_get(&story->lists, slice_text(world->folder)));
        if (!story->listed)
            look(world, &story->lists);
        story->look_ns = now + NS_PER_SECOND / 2;
    }
    struct watched_file *last = world->log->count ? world->log->files[world->log->count - 1] : NULL;
    if (last && last->current && story->written) { /* as the kernel tells */
        last->left = world->log->dirty = true;
        last->grown_ns = now;
        story->written = false;
    }
    for (unsigned steps = below(story, 6); steps; steps--) {
        world->watch.flushing = false;
        size_t before = world->stored.len;
        watched_log_step(world->log);
        (void)watched_log_answered(world->log);
        if (world->stored.len != before)
            tell(story, "stored %.24s .. %.24s", world->stored.ptr + before, world->stored.ptr + (world->stored.len > 26 ? world->stored.len - 26 : 0));
    }
    show(story);
}

static void kill_it(struct story *story)
{
    tell(story, "killed");
    begin_again(&story->world);
    story->look_ns = story->tick_ns = 0;
    story->listed = false;
}

static void meanwhile(struct story *story)
{
    pass_time(story);
    if (story->pause && below(story, 2))
        read_some(story);
    if (!below(story, 30))
        kill_it(story);
}

/* ---- the writer ---- */

static void write_bytes(struct story *story, const char *text, size_t len)
{
    FILE *file = fopen(story->world.path, "ae");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    story->written = true;
    stamp(story, story->world.path);
}

static void write_lines(struct story *story)
{
    char text[64 * LINE_MAX_BYTES];
    size_t len = 0;
    unsigned count = 1 + below(story, below(story, 3) ? 4 : 60);
    for (unsigned i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, LINE_MAX_BYTES, "line %zu %.*s\n", story->lines++, (int)below(story, 300),
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    size_t cut = below(story, (unsigned)len);
    tell(story, "written %zu to %zu", story->lines - count, story->lines - 1);
    write_bytes(story, text, cut);
    if (story->pause && !below(story, 3))
        meanwhile(story);
    write_bytes(story, text + cut, len - cut);
}

static void copy_bytes(struct story *story, const char *from, const char *to, bool pack)
{
    char bytes[4096];
    struct stat info;
    size_t got;
    FILE *in = fopen(from, "re"), *plain = pack ? NULL : fopen(to, "we");
    gzFile packed = pack ? gzopen(to, "wb") : NULL;
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &info), 0);
    while ((got = fread(bytes, 1, 1 + below(story, sizeof(bytes)), in)) > 0) {
        if (pack)
            assert_int_equal(gzwrite(packed, bytes, (unsigned)got), got);
        else
            assert_int_equal(fwrite(bytes, 1, got, plain), got);
        if (pack ? !below(story, 8) : !below(story, 20)) {
            if (plain)
                fflush(plain);
            stamp(story, to);
            meanwhile(story);
        }
    }
    fclose(in);
    if (packed) {
        struct timespec times[2] = {info.st_atim, info.st_mtim};
        gzclose(packed);
        assert_int_equal(utimensat(AT_FDCWD, to, times, 0), 0);
    } else {
        fclose(plain);
        stamp(story, to);
    }
}

static void shift(struct story *story)
{
    char from[160], to[160];
    for (unsigned n = story->rotated; n > 0; n--) {
        rename(name_of(story, n, story->packed[n], from), name_of(story, n + 1, story->packed[n], to));
        story->packed[n + 1] = story->packed[n];
    }
    story->packed[1] = false;
    story->rotated++;
}

static void rotate(struct story *story)
{
    char first[160], second[160], packed[160];
    struct stat info;
    if (stat(story->world.path, &info) < 0)
        return;
    if (story->mixed)
        story->rotation = below(story, ROTATIONS);
    shift(story);
    name_of(story, 1, false, first);
    tell(story, "rotating");
    if (story->rotation == BY_COPY) {
        copy_bytes(story, story->world.path, first, false);
        meanwhile(story);
        assert_int_equal(truncate(story->world.path, 0), 0);
        stamp(story, story->world.path);
    } else {
        assert_int_equal(rename(story->world.path, first), 0);
    }
    struct stat now;
    tell(story, "rotated: .1 is inode %lu", stat(first, &now) == 0 ? (unsigned long)now.st_ino : 0);
    if (story->pause && below(story, 2))
        meanwhile(story);
    if (story->rotation != BY_PACKING || story->rotated < 2 || story->packed[2])
        return;
    copy_bytes(story, name_of(story, 2, false, second), name_of(story, 2, true, packed), true);
    story->packed[2] = true;
    if (story->pause && below(story, 2))
        meanwhile(story);
    unlink(second);
    tell(story, "packed");
}

/* ---- a story ---- */

static void settle(struct story *story)
{
    for (int i = 0; i < 200; i++) {
        story->time_ns += NS_PER_SECOND / 10;
        story->world.watch.now_ns += NS_PER_SECOND / 10;
        read_some(story);
    }
}

/* Each line once. */
static bool is_whole(const struct story *story, unsigned seed)
{
    unsigned char *times = mem_calloc(story->lines + 1, 1);
    struct slice rest = buffer_slice(&story->world.stored), line;
    size_t lost = 0, doubled = 0, first_lost = 0, first_doubled = 0;
    while (slice_next_part(&rest, '|', &line))
        if (line.len)
            times[strtoul(line.ptr + 5, NULL, 10)]++;
    for (size_t i = story->lines; i-- > 0;) {
        if (!times[i])
            first_lost = (++lost, i);
        if (times[i] > 1)
            first_doubled = (++doubled, i);
    }
    mem_free(times);
    const char *said = story->world.problem;
    if (lost || doubled || said[0])
        fprintf(stderr, "TURNS_SEED=%u (rotation %d): of %zu lines %zu lost (%zu ...), %zu doubled (%zu ...) %s\n", seed,
                      (int)story->rotation, story->lines, lost, first_lost, doubled, first_doubled, said);
    return !lost && !doubled && !said[0];
}

static bool tell_story(unsigned seed, bool aloud)
{
    static struct story story;
    story = (struct story){.chance = seed * 7919u, .time_ns = 1772360000 * NS_PER_SECOND, .log = aloud ? stderr : NULL, .arena = arena_new(16 * MIB)};
    begin(&story.world);
    story.mixed = seed % (ROTATIONS + 1) == ROTATIONS;
    story.rotation = seed % (ROTATIONS + 1);
    story.pause = below(&story, 3);
    unsigned rare = 2 + below(&story, 20);
    write_lines(&story);
    while (!story.world.has_cursor)
        pass_time(&story), read_some(&story);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        pass_time(&story);
        unsigned what = below(&story, 100);
        if (what < 50)
            write_lines(&story);
        else if (what < 55)
            rotate(&story);
        else if (what < 90 && !below(&story, 1 + rare / 8))
            read_some(&story);
        else if (what < 90 + rare / 2)
            kill_it(&story);
    }
    settle(&story);
    bool whole = is_whole(&story, seed);
    for (unsigned n = 1; n <= story.rotated; n++) {
        char path[160];
        unlink(name_of(&story, n, story.packed[n], path));
    }
    end(&story.world);
    arena_free(story.arena);
    return whole;
}

static void stored_is_written(void **state)
{
    const char *one = getenv("TURNS_SEED"), *many = getenv("TURNS_SEEDS");
    unsigned seeds = many ? (unsigned)atoi(many) : SEEDS, broken = 0;
    (void)state;
    if (one)
        broken = !tell_story((unsigned)atoi(one), true);
    else
        for (unsigned seed = 0; seed < seeds; seed++)
            broken += !tell_story(seed, false);
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stored_is_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
