/* Pieces of a slab: none lies over another, sizes of one room are one size, and what was given back is used again. */
#include "test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "table/slab.h"

#include <string.h>

enum { PIECES = 4000 };

struct piece {
    uint32_t name;
    size_t bytes;
    unsigned char fill;
};

static uint64_t roll(uint64_t *seed, uint64_t below)
{
    ++*seed;
    return hash_bytes(slice_of((const char *)seed, sizeof(*seed))) % below;
}

static size_t any_size(uint64_t *seed)
{
    switch (roll(seed, 8)) {
    case 0: return 1 + roll(seed, 3 * SLAB_PIECE_MAX);
    case 1: return 1 + roll(seed, 8192);
    case 2: return SLAB_PIECE_MAX - 1 + roll(seed, 3);
    default: return 1 + roll(seed, 300);
    }
}

static void check(const struct slab *slab, const struct piece *piece)
{
    const unsigned char *bytes = slab_at(slab, piece->name);
    for (size_t i = 0; i < piece->bytes; i++)
        if (bytes[i] != piece->fill)
            fail_msg("piece %u of %zu bytes: byte %zu was written by another", piece->name, piece->bytes, i);
}

static void pieces_keep_what_is_in_them(void **state)
{
    (void)state;
    static struct piece pieces[PIECES];
    struct slab slab = {0};
    uint64_t seed = 1;
    memset(pieces, 0, sizeof(pieces));
    for (int turn = 0; turn < 40000; turn++) {
        struct piece *piece = &pieces[roll(&seed, PIECES)];
        if (piece->name) {
            check(&slab, piece);
            slab_give(&slab, piece->name, piece->bytes);
            piece->name = 0;
            continue;
        }
        *piece = (struct piece){0, any_size(&seed), (unsigned char)roll(&seed, 256)};
        piece->name = slab_take(&slab, piece->bytes);
        assert_true(piece->name != 0);
        assert_int_equal((uintptr_t)slab_at(&slab, piece->name) % 16, 0);
        memset(slab_at(&slab, piece->name), piece->fill, piece->bytes);
    }
    for (int i = 0; i < PIECES; i++)
        if (pieces[i].name)
            check(&slab, &pieces[i]);
    slab_close(&slab);
    assert_int_equal(slab.bytes, 0);
}

static void rooms_grow_with_sizes(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t bytes = 1; bytes < SLAB_PIECE_MAX + 1000; bytes++) {
        size_t room = slab_room(bytes);
        assert_true(room >= bytes && room >= before);
        assert_int_equal(slab_room(room), room);
        assert_true(room - bytes < 16 || room <= bytes + bytes / 7);
        before = room;
    }
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    struct slab slab = {0};
    static uint32_t names[20000];
    size_t held = 0;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 20000; i++)
            assert_true((names[i] = slab_take(&slab, 200)) != 0);
        if (round == 0)
            held = slab.bytes;
        assert_int_equal(slab.bytes, held);
        for (size_t i = 0; i < 20000; i++)
            slab_give(&slab, names[i], 200);
    }
    for (int i = 0; i < 1000; i++) { /* of large ones too */
        uint32_t large = slab_take(&slab, SLAB_PIECE_MAX + 1 + (size_t)i);
        assert_true(large != 0);
        slab_give(&slab, large, SLAB_PIECE_MAX + 1 + (size_t)i);
    }
    assert_int_equal(slab.bytes, held);
    assert_true(slab.count < 64);
    slab_close(&slab);
}

static void it_says_when_memory_is_out(void **state)
{
    (void)state;
    for (long n = 0; n < 3; n++) { /* the list of chunks, the first, the second */
        struct slab slab = {0};
        int failed = 0;
        mem_fail_after(n);
        for (int i = 0; i < 2000; i++) {
            uint32_t name = slab_take(&slab, 1000);
            failed += name == 0;
            if (name)
                memset(slab_at(&slab, name), i, 1000);
        }
        mem_fail_after(-1);
        assert_int_equal(failed, 1);
        slab_close(&slab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_keep_what_is_in_them),
        cmocka_unit_test(rooms_grow_with_sizes),
        cmocka_unit_test(what_was_given_back_is_used_again),
        cmocka_unit_test(it_says_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
