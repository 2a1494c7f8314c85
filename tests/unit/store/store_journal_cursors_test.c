/* Places of sources: the newest counts, and of too many those longest unused go. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"
#include "store/journal_cursors.h"

#include <stdio.h>

static struct slice path_of(unsigned n, char to[64])
{
    snprintf(to, 64, "/var/log/app-%u.log", n);
    return slice_text(to);
}

static int put(struct journal_cursors *cursors, unsigned n, const char *cursor)
{
    char path[64];
    struct err err;
    return journal_cursors_put(cursors, SLICE("files"), path_of(n, path), slice_text(cursor), &err);
}

static bool has(struct journal_cursors *cursors, unsigned n, const char *cursor)
{
    char path[64];
    struct slice found = journal_cursors_find(cursors, SLICE("files"), path_of(n, path));
    return cursor ? slice_is(found, cursor) : !found.ptr;
}

static void the_newest_counts(void **state)
{
    struct journal_cursors cursors;
    (void)state;
    assert_int_equal(journal_cursors_init(&cursors, MIB), 0);
    assert_int_equal(put(&cursors, 1, "one"), 0);
    assert_int_equal(put(&cursors, 2, "two"), 0);
    assert_int_equal(put(&cursors, 1, "a longer one"), 0);
    assert_true(has(&cursors, 1, "a longer one") && has(&cursors, 2, "two") && has(&cursors, 3, NULL));
    assert_int_equal(cursors.map.count, 2);
    journal_cursors_close(&cursors);
}

static void those_longest_unused_are_forgotten(void **state)
{
    struct journal_cursors cursors, again;
    struct buffer saved;
    struct err err;
    (void)state;
    assert_int_equal(journal_cursors_init(&cursors, 200 * KIB), 0);
    for (unsigned n = 0; n < 100000; n++) {
        assert_int_equal(put(&cursors, n, "a cursor"), 0);
        if (n % 100 == 0)
            assert_true(has(&cursors, 7 < n ? 7 : n, "a cursor")); /* one that is at work */
    }
    assert_true(cursors.bytes <= cursors.bytes_max);
    assert_true(cursors.forgotten > 98000 && cursors.forgotten + cursors.map.count == 100000);
    assert_true(has(&cursors, 99999, "a cursor") && has(&cursors, 0, NULL) && has(&cursors, 7, "a cursor"));
    buffer_init(&saved, MIB);
    journal_cursors_save(&cursors, &saved);
    assert_int_equal(journal_cursors_init(&again, 100 * KIB), 0); /* half of them: the order was kept, too */
    struct slice from = buffer_slice(&saved);
    assert_int_equal(journal_cursors_load(&again, &from, &err), 0);
    assert_true(from.len == 0 && again.forgotten > 0);
    assert_true(has(&again, 7, "a cursor") && has(&again, 99999, "a cursor"));
    from = slice_sub(buffer_slice(&saved), 0, saved.len - 1);
    assert_int_equal(journal_cursors_load(&again, &from, &err), -1);
    buffer_close(&saved);
    journal_cursors_close(&again);
    journal_cursors_close(&cursors);
}

static void survives_every_failed_allocation(void **state)
{
    struct journal_cursors cursors;
    (void)state;
    for (long after = 0; after < 60; after++) {
        unsigned stored = 0;
        assert_int_equal(journal_cursors_init(&cursors, 2 * KIB), 0);
        mem_fail_after(after);
        for (unsigned n = 0; n < 40; n++)
            stored += put(&cursors, n, "x") == 0;
        mem_fail_after(-1);
        assert_int_equal(put(&cursors, 1000, "y"), 0);
        assert_true(has(&cursors, 1000, "y"));
        journal_cursors_close(&cursors);
        assert_true(stored <= 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_counts),
        cmocka_unit_test(those_longest_unused_are_forgotten),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
