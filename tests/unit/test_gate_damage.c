/*
 * A gate journal that comes back from the disk other than it was written (damage.h): no wrong record is ever
 * replayed, and what was lost is told, but for an end that looks as if it had never been written.
 */
#include "damage.h"
#include "folder.h"

#include "base/limits.h"
#include "gate/gate_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDS = 60, AHEAD = 16384 };

struct world {
    char dir[64], path[96];
    char *bytes, *now;
    size_t len;
    size_t end[RECORDS]; /* of each record's frame */
    struct rand_seeded rand;
};

struct replay {
    unsigned count;
};

static size_t make_record(unsigned n, char to[4096])
{
    size_t len = 40 + n * 37 % 1200;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(n * 31 + i * 7);
    return len;
}

static int see(void *context, struct slice record, struct err *err)
{
    struct replay *replay = context;
    char want[4096];
    (void)err;
    assert_true(replay->count < RECORDS);
    assert_true(slice_equal(record, slice_of(want, make_record(replay->count, want))));
    replay->count++;
    return 0;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct gate_journal *journal;
    struct replay replay = {0};
    struct err err;
    assert_non_null(world);
    rand_seeded_init(&world->rand, 23);
    folder_make(world->dir);
    (void)snprintf(world->path, sizeof(world->path), "%s/gate.journal", world->dir);
    assert_int_equal(gate_journal_open(io_real(), world->dir, see, &replay, &journal, &err), 0);
    for (unsigned n = 0; n < RECORDS; n++) {
        struct buffer payload;
        char record[4096];
        buffer_init(&payload, MIB);
        size_t begun = gate_journal_begin(&payload);
        buffer_put(&payload, slice_of(record, make_record(n, record)));
        gate_journal_end(&payload, begun);
        assert_int_equal(gate_journal_commit(journal, buffer_slice(&payload), n, &err), 0);
        world->end[n] = (n ? world->end[n - 1] : 0) + GATE_FRAME_HEADER + payload.len;
        buffer_close(&payload);
    }
    gate_journal_close(journal);
    world->len = world->end[RECORDS - 1] + AHEAD; /* some of the zeros written ahead */
    world->bytes = malloc(world->len);
    world->now = malloc(world->len);
    assert_true(world->bytes && world->now);
    FILE *from = fopen(world->path, "rb");
    assert_non_null(from);
    assert_int_equal(fread(world->bytes, 1, world->len, from), world->len);
    (void)fclose(from);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    folder_remove(world->dir);
    free(world->bytes);
    free(world->now);
    free(world);
    return 0;
}

static bool is_whole(const struct world *world, const struct damaged *file, unsigned n)
{
    size_t from = n ? world->end[n - 1] : 0;
    return world->end[n] <= file->now_len &&
           memcmp(file->now + from, file->bytes + from, world->end[n] - from) == 0;
}

static unsigned first_broken(const struct world *world, const struct damaged *file)
{
    unsigned n = 0;
    while (n < RECORDS && is_whole(world, file, n))
        n++;
    return n;
}

static bool any_whole_from(const struct world *world, const struct damaged *file, unsigned n)
{
    while (n < RECORDS && !is_whole(world, file, n))
        n++;
    return n < RECORDS;
}

/* True: the damage was told. */
static bool is_told(const struct world *world, const struct damaged *file)
{
    struct replay replay = {0};
    struct gate_journal *journal;
    struct err err;
    FILE *to = fopen(world->path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(file->now, 1, file->now_len, to), file->now_len);
    assert_int_equal(fclose(to), 0);
    int result = gate_journal_open(io_real(), world->dir, see, &replay, &journal, &err);
    if (result < 0) {
        assert_int_equal(err.code, ERR_CORRUPT);
        return true;
    }
    gate_journal_close(journal);
    unsigned broken = first_broken(world, file);
    assert_int_equal(replay.count, broken); /* nothing that was whole up to there is gone */
    assert_false(any_whole_from(world, file, broken));
    return false;
}

static void damaged_gate_journals(void **state)
{
    struct world *world = *state;
    struct damaged file = {world->bytes, world->len, world->now, 0};
    unsigned told = 0, ends = 0;
    for (unsigned i = 0; i < trials(); i++) {
        damage_bytes(&file, i, &world->rand.rand);
        if (is_told(world, &file))
            told++;
        else if (first_broken(world, &file) < RECORDS)
            ends++;
    }
    print_message("%u damaged gate journals: %u told, %u shorter at the end, the others in the zeros ahead\n",
                  trials(), told, ends);
    assert_true(told > trials() / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damaged_gate_journals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
