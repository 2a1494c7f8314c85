/* Memory that goes all at once, and large pieces that go before. */
#include "base/arena.h"

#include "test.h"

static void large_pieces_can_be_given_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8 << 20);
    char *small = arena_alloc(arena, 100);
    memset(small, 's', 100);
    size_t held = arena_used(arena);
    for (int round = 0; round < 50; round++) { /* 100 MiB in all */
        char *first = arena_alloc(arena, 2 << 20), *second = arena_alloc(arena, 2 << 20);
        assert_non_null(first);
        assert_non_null(second);
        memset(first, 1, 2 << 20);
        memset(second, 2, 2 << 20);
        arena_give_back(arena, first);
        assert_int_equal(second[(2 << 20) - 1], 2);
        arena_give_back(arena, second);
        assert_int_equal(arena_used(arena), held);
    }
    arena_give_back(arena, small); /* stays */
    arena_give_back(arena, NULL);
    assert_int_equal(small[99], 's');
    char *more = arena_alloc(arena, 100);
    assert_true(more && more != small);
    assert_null(arena_alloc(arena, 9 << 20));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 4 << 20));
    arena_free(arena);
}

/* A large piece that is the first of all. */
static void the_first_piece_can_be_given_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(8 << 20);
    void *large = arena_alloc(arena, 1 << 20);
    arena_give_back(arena, large);
    assert_int_equal(arena_used(arena), 0);
    assert_non_null(arena_alloc(arena, 10));
    arena_free(arena);
}

/* Large and small pieces after a mark go, what was before stays, and so does the order of release. */
static void count_release(void *ptr)
{
    ++*(int *)ptr;
}

static void a_mark_can_be_returned_to(void **state)
{
    (void)state;
    static int early, late;
    struct arena *arena = arena_new(8 << 20);
    char *before = arena_alloc(arena, 100);
    memset(before, 'b', 100);
    assert_int_equal(arena_defer(arena, count_release, &early), 0);
    size_t held = arena_used(arena);
    struct arena_mark mark = arena_mark(arena);
    for (int round = 0; round < 100; round++) { /* 200 MiB in all */
        for (int i = 0; i < 100; i++)
            assert_non_null(arena_alloc(arena, 1000));
        assert_non_null(arena_alloc(arena, 2 << 20));
        assert_int_equal(arena_defer(arena, count_release, &late), 0);
        arena_rewind(arena, &mark);
        assert_int_equal(arena_used(arena), held);
    }
    assert_int_equal(late, 100);
    assert_int_equal(early, 0);
    assert_int_equal(before[99], 'b');
    assert_ptr_equal(arena_alloc(arena, 16), before + 112 + 32);
    arena_free(arena);
    assert_int_equal(early, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_pieces_can_be_given_back),
        cmocka_unit_test(the_first_piece_can_be_given_back),
        cmocka_unit_test(a_mark_can_be_returned_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
