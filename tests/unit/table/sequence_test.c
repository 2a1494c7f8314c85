/* Numbered messages: what is missing is told once; what is overtaken, sent twice, begun again or beyond the last number is not. */
#include "test.h"

#include "base/clock.h"
#include "base/limits.h"
#include "table/sequence.h"

#include <stdio.h>
#include <string.h>

enum { LAST = 2147483647 };
static const struct sequence_kind syslog = {1, LAST}, endless = {1, 0};

struct world {
    struct sequence s;
    const struct sequence_kind *kind;
    int64_t now_ns;
    char told[400]; /* "5-7 " for a gap, "again " */
};

static void settle(struct world *w)
{
    struct sequence_hole gap;
    while (sequence_settle(&w->s, w->now_ns, &gap))
        (void)snprintf(w->told + strlen(w->told), sizeof(w->told) - strlen(w->told), "%llu-%llu ", (unsigned long long)gap.from,
                       (unsigned long long)gap.to);
}

static void take(struct world *w, uint64_t number)
{
    uint64_t before;
    w->now_ns += NS_PER_MS;
    if (sequence_take(&w->s, w->kind, number, w->now_ns, &before))
        (void)snprintf(w->told + strlen(w->told), sizeof(w->told) - strlen(w->told), "again after %llu ", (unsigned long long)before);
    settle(w);
}

static void take_all(struct world *w, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++)
        take(w, n);
}

static void wait(struct world *w)
{
    w->now_ns += (SEQUENCE_SETTLE_S + 1) * NS_PER_SECOND;
    settle(w);
}

static void a_gap_is_told_when_nothing_is_on_its_way_any_more(void **state)
{
    (void)state;
    struct world w = {.kind = &syslog};
    take_all(&w, 1, 100);
    take_all(&w, 104, 200);
    assert_string_equal(w.told, "");
    wait(&w);
    assert_string_equal(w.told, "101-103 ");
    wait(&w);
    assert_string_equal(w.told, "101-103 ");
    assert_int_equal(w.s.missing, 3);
    assert_int_equal(w.s.gap_from, 101);
    assert_int_equal(w.s.gap_to, 103);
}

static void what_is_overtaken_or_sent_twice_is_no_gap(void **state)
{
    (void)state;
    struct world w = {.kind = &syslog};
    take_all(&w, 1, 100);
    static const uint64_t mixed[] = {103, 101, 102, 106, 104, 105, 105, 103, 108, 107};
    for (size_t i = 0; i < ARRAY_COUNT(mixed); i++)
        take(&w, mixed[i]);
    take_all(&w, 109, 300);
    wait(&w);
    assert_string_equal(w.told, "");
    assert_int_equal(w.s.again, 2);
    take(&w, 310); /* of a hole of nine the middle one comes */
    take(&w, 305);
    take_all(&w, 311, 400);
    wait(&w);
    assert_string_equal(w.told, "301-304 306-309 ");
}

static void numbers_begin_again_and_end(void **state)
{
    (void)state;
    struct world w = {.kind = &syslog};
    take_all(&w, 1, 5000);
    take_all(&w, 1, 20); /* restarted */
    assert_string_equal(w.told, "again after 5000 ");
    take_all(&w, 21, 6000);
    take_all(&w, 3, 100); /* again, and the first two were lost */
    assert_string_equal(w.told, "again after 5000 again after 6000 ");
    wait(&w);
    assert_int_equal(w.s.gaps, 0);
    w = (struct world){.kind = &syslog};
    take_all(&w, LAST - 50, LAST);
    take_all(&w, 1, 50);
    wait(&w);
    assert_string_equal(w.told, "");
    w = (struct world){.kind = &syslog};
    take_all(&w, LAST - 50, LAST - 2);
    take_all(&w, 4, 50);
    wait(&w);
    assert_string_equal(w.told, "2147483646-2147483647 1-3 ");
}

/* At least once: all of the last thousand, once more. */
static void what_is_sent_again_is_no_restart(void **state)
{
    (void)state;
    struct world w = {.kind = &endless};
    take_all(&w, 10000, 15000);
    take_all(&w, 14001, 16000);
    wait(&w);
    assert_string_equal(w.told, "");
    assert_int_equal(w.s.restarts, 0);
    assert_int_equal(w.s.again, 1000);
    take_all(&w, 16002, 16500);
    wait(&w);
    assert_string_equal(w.told, "16001-16001 ");
}

static void two_that_number_under_one_name_are_not_judged(void **state)
{
    (void)state;
    struct world w = {.kind = &syslog};
    for (uint64_t n = 0; n < 3000; n++) {
        take(&w, 70000 + n);
        take(&w, 100 + n);
        if (n % 7 == 0)
            wait(&w);
    }
    assert_null(strchr(w.told, '-'));
    assert_true(w.s.mixed);
}

/* A filter leaves most out: each is a gap, and none has many in order before it. */
static void many_holes_at_once_are_told_in_order(void **state)
{
    (void)state;
    struct world w = {.kind = &endless};
    uint64_t gaps = 0;
    take_all(&w, 1, 2000);
    for (uint64_t n = 2010; n < 2300; n += 10) {
        take_all(&w, n, n + 8); /* each tenth is missing */
        assert_true(w.s.hole_count < SEQUENCE_HOLES);
        w.told[0] = '\0';
    }
    wait(&w);
    gaps = w.s.gaps;
    assert_int_equal(gaps, 29);
    assert_int_equal(w.s.missing, 9 + 28);
}

static void it_is_kept(void **state)
{
    (void)state;
    struct world w = {.kind = &syslog};
    struct buffer saved;
    take_all(&w, 1, 100);
    take_all(&w, 104, 120);
    take_all(&w, 125, 130);
    buffer_init(&saved, MIB);
    sequence_save(&w.s, &saved);
    struct slice from = buffer_slice(&saved);
    struct world again = {.kind = &syslog, .now_ns = w.now_ns};
    assert_true(sequence_load(&again.s, &from));
    assert_int_equal(from.len, 0);
    for (size_t len = 0; len < saved.len; len++) {
        struct slice part = {saved.ptr, len};
        struct sequence ignored;
        assert_false(sequence_load(&ignored, &part));
    }
    buffer_close(&saved);
    take_all(&again, 131, 140);
    wait(&again);
    assert_string_equal(again.told, "101-103 121-124 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_told_when_nothing_is_on_its_way_any_more),
        cmocka_unit_test(what_is_overtaken_or_sent_twice_is_no_gap),
        cmocka_unit_test(numbers_begin_again_and_end),
        cmocka_unit_test(what_is_sent_again_is_no_restart),
        cmocka_unit_test(two_that_number_under_one_name_are_not_judged),
        cmocka_unit_test(many_holes_at_once_are_told_in_order),
        cmocka_unit_test(it_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
