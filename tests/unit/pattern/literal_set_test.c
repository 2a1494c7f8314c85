/* What a set of literals finds is what looking for each of them finds. */
#include "base/rand.h"
#include "pattern/literal_set.h"

#include "test.h"

enum { LITERALS = 60, TEXT_MAX = 80 };

/* Few letters, so that literals overlap, repeat and are parts of each other. */
static struct slice make_text(const struct hin_rand *rand, struct arena *arena, size_t least, size_t most)
{
    static const char letters[] = "aab\\.\0\xc3";
    size_t len = least + rand_below(rand, most - least + 1);
    char *text = arena_alloc(arena, len + 1);
    uint64_t kinds = 1 + rand_below(rand, sizeof(letters) - 1);
    for (size_t i = 0; i < len; i++)
        text[i] = letters[rand_below(rand, kinds)];
    return slice_of(text, len);
}

static bool is_there(const struct literal *literal, struct slice text)
{
    return literal->anchor == LITERAL_AT_START ? slice_starts(text, literal->text)
           : literal->anchor == LITERAL_AT_END ? slice_ends(text, literal->text)
                                               : slice_find(text, literal->text) >= 0;
}

static void finds_what_each_finds(void **state)
{
    (void)state;
    struct rand_seeded rand;
    rand_seeded_init(&rand, 3);
    for (int round = 0; round < 2000; round++) {
        struct arena *arena = arena_new(16 * 1024 * 1024);
        const struct literal_set *set;
        struct literal_scan scan;
        struct literal literals[LITERALS];
        uint32_t count = (uint32_t)rand_below(&rand.rand, LITERALS + 1);
        size_t least = 1 + rand_below(&rand.rand, 9); /* sets of long ones are looked for at fewer places */
        for (uint32_t i = 0; i < count; i++)
            literals[i] = (struct literal){make_text(&rand.rand, arena, least, least + 6),
                                           (enum literal_anchor)rand_below(&rand.rand, 3)};
        assert_int_equal(literal_set_build(arena, literals, count, &set), 0);
        assert_int_equal(literal_scan_init(&scan, arena, count), 0);
        for (int texts = 0; texts < 40; texts++) {
            struct slice text = make_text(&rand.rand, arena, 0, TEXT_MAX);
            bool found[LITERALS] = {false};
            literal_set_scan(set, text, &scan);
            for (uint32_t i = 0; i < scan.count; i++) {
                assert_false(found[scan.found[i]]); /* each once */
                found[scan.found[i]] = true;
            }
            for (uint32_t i = 0; i < count; i++)
                assert_int_equal(found[i], is_there(&literals[i], text));
        }
        arena_free(arena);
    }
}

static void stamps_begin_anew(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024 * 1024);
    const struct literal_set *set;
    struct literal_scan scan;
    struct literal one = {SLICE("abcde"), LITERAL_ANYWHERE};
    assert_int_equal(literal_set_build(arena, &one, 1, &set), 0);
    assert_int_equal(literal_scan_init(&scan, arena, 1), 0);
    scan.stamp = UINT32_MAX - 1;
    for (int i = 0; i < 4; i++) {
        literal_set_scan(set, SLICE("xxabcdexx"), &scan);
        assert_int_equal(scan.count, 1);
        literal_set_scan(set, SLICE("xxabcd"), &scan);
        assert_int_equal(scan.count, 0);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_each_finds),
        cmocka_unit_test(stamps_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
