/*
 * Files of a store that come back from the disk other than they were written (damage.h). Whatever file it
 * is, it is told, no wrong row comes out, and what is not touched is read.
 */
#include "damage.h"
#include "store_life.h"

#include "base/hash.h"
#include "store/bytes.h"
#include "store/journal_file.h"
#include "store/manifest.h"
#include "store/segment_verify.h"

enum { FILES_MAX = 64 };

struct saved {
    char path[160];
    char *bytes;
    size_t len;
    char *now; /* as it is damaged */
    size_t now_len;
};

struct world {
    struct life life;
    struct saved files[FILES_MAX];
    size_t file_count;
    struct rand_seeded rand;
    uint64_t seq_of[LIFE_EVENTS];
    uint64_t first_kept, kept[LIFE_DELIVERIES]; /* positions of the checkpoints, in order */
};

static uint64_t below(struct world *world, uint64_t n)
{
    return rand_below(&world->rand.rand, n);
}

/* ---- files, damaged and as they were ---- */

static int save_file(void *context, const char *path, struct err *err)
{
    struct world *world = context;
    assert_true(world->file_count < FILES_MAX);
    struct saved *file = &world->files[world->file_count++];
    FILE *from = fopen(path, "rb");
    (void)err;
    assert_non_null(from);
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    assert_int_equal(fseek(from, 0, SEEK_END), 0);
    file->len = (size_t)ftell(from);
    rewind(from);
    file->bytes = malloc(file->len + 1);
    file->now = malloc(file->len + 1);
    assert_true(file->bytes && file->now);
    assert_int_equal(fread(file->bytes, 1, file->len, from), file->len);
    (void)fclose(from);
    return 0;
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, len, to), len);
    assert_int_equal(fclose(to), 0);
}

/* Everything in the folder is as it was when it was saved. */
static void restore(struct world *world, const char *dir)
{
    struct err err;
    assert_int_equal(file_walk(dir, NULL, folder_unlink, NULL, &err), 0);
    for (size_t i = 0; i < world->file_count; i++)
        if (slice_starts(slice_text(world->files[i].path), slice_text(dir)))
            write_bytes(world->files[i].path, world->files[i].bytes, world->files[i].len);
}

/* Writes the file with some damage that makes it another. */
static void damage(struct world *world, struct saved *file, unsigned trial)
{
    struct damaged damaged = {file->bytes, file->len, file->now, 0};
    damage_bytes(&damaged, trial, &world->rand.rand);
    file->now_len = damaged.now_len;
    write_bytes(file->path, file->now, file->now_len);
}

/* A file with this in its path. */
static struct saved *pick(struct world *world, const char *word)
{
    for (;;) {
        struct saved *file = &world->files[below(world, world->file_count)];
        if (slice_find(slice_text(file->path), slice_text(word)) >= 0)
            return file;
    }
}

/* ---- a store with something in every file ---- */

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct life *life = &world->life;
    struct err err;
    unsigned found[LIFE_EVENTS];
    assert_non_null(world);
    life_begin(life);
    rand_seeded_init(&world->rand, 17);
    assert_true(life_open(life, &err));
    for (int i = 0; i < 4; i++) {
        assert_true(life_load(life, 4));
        life_keep(life);
        world->kept[i] = life->remembered;
    }
    assert_true(life_count(life, found) == 0);
    memcpy(world->seq_of, life->seq_of, sizeof(world->seq_of));
    life_deliver(life, LIFE_DELIVERIES); /* in the journal only */
    life_close(life);
    assert_int_equal(file_walk(life->dir, NULL, save_file, world, &err), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->file_count; i++) {
        free(world->files[i].bytes);
        free(world->files[i].now);
    }
    life_end(&world->life);
    free(world);
    return 0;
}

/* ---- segments ---- */

static void count_damage(void *context, const struct segment_damage *what)
{
    (void)what;
    ++*(unsigned *)context;
}

/* As hinomi verify does: 0 when every byte is as it should be. */
static unsigned verify(const struct segment_info *info, const char *path)
{
    unsigned damages = 0;
    struct segment_verifier verifier = {.damaged = count_damage, .context = &damages};
    struct err err;
    return segment_verify(io_real(), path, info, &verifier, &err) < 0 ? 1 : damages;
}

static const struct segment_info *info_of(struct world *world, struct manifest *manifest,
                                          const char *path)
{
    char name[128];
    bool there;
    struct err err;
    (void)snprintf(name, sizeof(name), "%s/manifest", world->life.store_dir);
    assert_int_equal(manifest_read(io_real(), name, world->life.arena, manifest, &there, &err), 0);
    for (size_t i = 0; i < manifest->segment_count; i++) {
        (void)snprintf(name, sizeof(name), "%016llx.segment",
                       (unsigned long long)manifest->segments[i].number);
        if (slice_find(slice_text(path), slice_text(name)) >= 0)
            return &manifest->segments[i];
    }
    fail_msg("%s is in no manifest", path);
    return NULL;
}

static bool may_hold(const struct life *life, const struct segment_info *info, unsigned n,
                     uint64_t seq)
{
    return seq >= info->seq_min && seq <= info->seq_max &&
           slice_equal(info->stream, life_stream(life, n / LIFE_LINES)->name);
}

/* Told, no wrong row, and only rows of that file are missing. */
static void read_damaged_store(struct world *world, const struct saved *file, unsigned *felt)
{
    struct life *life = &world->life;
    struct store_config config = {.dir = life->store_dir, .read_only = true};
    struct manifest manifest;
    struct ledger ledger;
    struct err err;
    unsigned found[LIFE_EVENTS], missing = 0;
    arena_reset(life->arena);
    assert_int_equal(ledger_init(&ledger, &err), 0);
    manifest.ledger = &ledger;
    const struct segment_info *info = info_of(world, &manifest, file->path);
    assert_true(verify(info, file->path) > 0);
    assert_int_equal(store_open(&config, &life->store, &err), 0);
    uint64_t told = life_count(life, found);
    for (unsigned n = 0; n < LIFE_EVENTS; n++) {
        assert_true(found[n] <= 1);
        if (life->seq_of[n] == world->seq_of[n])
            continue;
        assert_int_equal(life->seq_of[n], 0);
        assert_true(may_hold(&world->life, info, n, world->seq_of[n]));
        missing++;
    }
    assert_true(!missing || told);
    *felt += missing > 0;
    ledger_close(&ledger);
    store_close(life->store);
    life->store = NULL;
}

static void damaged_segments(void **state)
{
    struct world *world = *state;
    unsigned felt = 0;
    for (unsigned i = 0; i < trials(); i++) {
        struct saved *file = pick(world, ".segment");
        damage(world, file, i);
        read_damaged_store(world, file, &felt);
        write_bytes(file->path, file->bytes, file->len);
    }
    print_message("%u damaged segments, all found; %u took rows away\n", trials(), felt);
    assert_true(felt > trials() / 4);
}

static void damaged_manifests(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < trials(); i++) {
        struct saved *file = pick(world, "/manifest");
        struct store_config config = {.dir = world->life.store_dir, .no_background = true};
        struct err err;
        damage(world, file, i);
        assert_int_equal(store_open(&config, &world->life.store, &err), -1);
        /* one changed bit can make "1" of the format's version into "3" */
        bool newer = file->now_len == file->len && file->now[7] >= '3' && file->now[7] <= '9';
        assert_true(slice_find(slice_text(err.text), newer ? SLICE("newer") : SLICE("damaged")) >= 0);
        write_bytes(file->path, file->bytes, file->len);
    }
    print_message("%u damaged manifests, all found\n", trials());
    struct err err;
    unsigned found[LIFE_EVENTS];
    assert_true(life_open(&world->life, &err)); /* and no segment went because of them */
    assert_int_equal(life_count(&world->life, found), 0);
    life_close(&world->life);
}

/* ---- the journal ---- */

/* Whether the bytes of the delivery in the damaged file, and the header before them, are as they were. */
static bool is_whole(const struct saved *file, uint64_t base, uint64_t from, uint64_t to)
{
    size_t at = (size_t)(from - base) + 32, end = (size_t)(to - base) + 32;
    return end <= file->now_len && memcmp(file->now, file->bytes, 32) == 0 &&
           memcmp(file->now + at, file->bytes + at, end - at) == 0;
}

static bool is_in(const struct life *life, const struct saved *file, unsigned delivery, uint64_t *base)
{
    assert_true(journal_path_base(file->path, base));
    return life->at[delivery] >= *base && life->at[delivery] < *base + file->len - 32;
}

static void check_delivery(struct world *world, const struct delivery *delivery, bool got[LIFE_DELIVERIES])
{
    char body[LIFE_BODY];
    unsigned n;
    assert_true(sscanf(delivery->body.ptr, "%4u", &n) == 1 && n < LIFE_EVENTS);
    n /= LIFE_LINES;
    life_body(n, body);
    assert_true(slice_is(delivery->body, body));
    assert_int_equal(delivery->first_seq, n * LIFE_LINES + 1U);
    assert_int_equal(delivery->journal_end, world->life.end[n]);
    assert_false(got[n]);
    got[n] = true;
}

static void read_journal(struct world *world, struct journal *journal, bool got[LIFE_DELIVERIES])
{
    struct journal_reader *reader;
    struct delivery delivery;
    struct err err;
    assert_int_equal(journal_reader_open(journal, 0, &reader, &err), 0);
    for (int more; (more = journal_read(reader, world->life.arena, &delivery, 0, &err)) != 0;) {
        assert_int_equal(more, 1);
        check_delivery(world, &delivery, got);
        arena_reset(world->life.arena);
    }
    journal_reader_close(reader);
}

/* As hinomi verify does. */
static bool journal_is_told(const struct saved *file)
{
    struct journal_check check;
    struct err err;
    return journal_check_file(io_real(), file->path, &check, &err) < 0 || check.damaged_ranges ||
           check.torn_bytes;
}

/* False: a last file that ends between two records looks as if they had never been written. */
static bool read_damaged_journal(struct world *world, const struct saved *file)
{
    struct life *life = &world->life;
    struct journal *journal;
    struct journal_stats stats;
    struct err err;
    bool got[LIFE_DELIVERIES] = {false};
    bool told = journal_is_told(file);
    struct journal_config config = {.dir = life->journal_dir, .file_bytes = 16384};
    assert_int_equal(journal_open(&config, &journal, &err), 0);
    read_journal(world, journal, got);
    journal_stats(journal, &stats);
    told |= stats.damaged_ranges || stats.torn_bytes;
    journal_close(journal);
    for (unsigned n = 0; n < LIFE_DELIVERIES; n++) {
        uint64_t base;
        if (life->end[n] <= world->first_kept)
            continue; /* trimmed long ago */
        if (!got[n])
            assert_true(is_in(life, file, n, &base) && !is_whole(file, base, life->at[n], life->end[n]));
    }
    return told;
}

/* Where the oldest file begins. */
static uint64_t first_position(const struct world *world)
{
    uint64_t first = UINT64_MAX, base;
    for (size_t i = 0; i < world->file_count; i++)
        if (journal_path_base(world->files[i].path, &base) && base < first)
            first = base;
    return first;
}

static void damaged_journals(void **state)
{
    struct world *world = *state;
    unsigned untold = 0;
    world->first_kept = first_position(world);
    assert_true(world->first_kept < world->life.end[LIFE_DELIVERIES - 8]);
    for (unsigned i = 0; i < trials(); i++) {
        struct saved *file = pick(world, ".journal");
        damage(world, file, i);
        if (!read_damaged_journal(world, file)) {
            assert_true(i % DAMAGE_COUNT == CUT);
            untold++;
        }
        restore(world, world->life.journal_dir);
    }
    print_message("%u damaged journal files; %u of them ended between two records\n", trials(), untold);
    assert_true(untold <= trials() / 100);
}

static void damaged_batch_ids(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < trials(); i++) {
        struct saved *file = pick(world, "/keep");
        struct journal_config config = {.dir = world->life.journal_dir};
        struct journal *journal;
        struct err err;
        damage(world, file, i);
        assert_int_equal(journal_check_keep(file->path, &err), -1);
        assert_int_equal(journal_open(&config, &journal, &err), -1);
        assert_true(slice_find(slice_text(err.text), SLICE("damaged")) >= 0);
        write_bytes(file->path, file->bytes, file->len);
    }
    print_message("%u damaged files of batch ids and cursors, all found\n", trials());
}

/* ---- checkpoints ---- */

static void count_note(void *context, const char *text)
{
    ++*(unsigned *)context;
    assert_true(slice_find(slice_text(text), SLICE("cannot be used")) >= 0);
}

static void damaged_checkpoints(void **state)
{
    struct world *world = *state;
    struct life *life = &world->life;
    for (unsigned i = 0; i < trials(); i++) {
        struct saved *file = pick(world, "/checkpoint.");
        unsigned notes = 0;
        struct checkpoint_config config = {.dir = life->memory_dir, .note = count_note, .context = &notes};
        struct checkpoint *checkpoint;
        struct err err;
        uint64_t position;
        struct slice content;
        char text[32];
        damage(world, file, i);
        assert_int_equal(checkpoint_open(&config, &checkpoint, &err), 0);
        assert_false(checkpoint_lost(checkpoint));
        assert_true(checkpoint_content(checkpoint, &position, &content));
        assert_true(position == world->kept[2] || position == world->kept[3]);
        (void)snprintf(text, sizeof(text), "as of %llu", (unsigned long long)position);
        assert_true(slice_is(content, text));
        checkpoint_close(checkpoint);
        assert_int_equal(notes, 1);
        restore(world, life->memory_dir);
    }
    print_message("%u damaged checkpoints, all found; the other one was used\n", trials());
}

/* HINCKPT1: position, length, hash of the content. */
static void a_checkpoint_of_the_format_before_is_read(void **state)
{
    struct world *world = *state;
    struct checkpoint_config config = {.dir = world->life.memory_dir};
    struct checkpoint *checkpoint;
    struct err err;
    char file[40 + 6] = "HINCKPT1", path[128];
    struct slice content = SLICE("before");
    struct hash128 hash = hash_bytes128(content);
    bytes_set_le64(file + 8, world->kept[3] + 1);
    bytes_set_le64(file + 16, content.len);
    bytes_set_le64(file + 24, hash.low);
    bytes_set_le64(file + 32, hash.high);
    memcpy(file + 40, content.ptr, content.len);
    (void)snprintf(path, sizeof(path), "%s/checkpoint.0", world->life.memory_dir);
    write_bytes(path, file, sizeof(file));
    uint64_t position;
    assert_int_equal(checkpoint_open(&config, &checkpoint, &err), 0);
    assert_true(checkpoint_content(checkpoint, &position, &content));
    assert_int_equal(position, world->kept[3] + 1);
    assert_true(slice_is(content, "before"));
    checkpoint_close(checkpoint);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damaged_segments),
        TEST(damaged_manifests),
        TEST(damaged_journals),
        TEST(damaged_batch_ids),
        TEST(damaged_checkpoints),
        TEST(a_checkpoint_of_the_format_before_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
