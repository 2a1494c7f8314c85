/* What a block says of itself so that its rows need not be read: trigrams and counts by minute. */
#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/time_counts.h"
#include "store/words.h"

#include "test.h"

static struct slice folded(struct slice text, char *room)
{
    return slice_of(room, utf8_fold_text(text, room));
}

static bool may_have(const struct words *words, const char *text)
{
    char room[512];
    return trigrams_may_have(words_trigrams(words), folded(slice_text(text), room));
}

static void trigrams_tell_what_is_not_there(void **state)
{
    (void)state;
    struct words *words = words_new();
    words_add(words, SLICE("GET /login?user=Suzuki 出金リクエスト"));
    assert_true(may_have(words, "LOGIN?us"));
    assert_true(may_have(words, "uzuk"));
    assert_true(may_have(words, "出金"));
    assert_true(may_have(words, "?= "));           /* no word in it */
    assert_true(may_have(words, "2018-01-26T00")); /* numbers print such words */
    assert_true(may_have(words, "/Mar/"));
    assert_true(may_have(words, "nlogin"));        /* behind a backslash: \nlogin */
    assert_true(may_have(words, "\\u00e9login"));
    assert_false(may_have(words, "?nlogin"));
    assert_false(may_have(words, "logout"));
    assert_false(may_have(words, "入金"));
    assert_false(may_have(words, "suzuka"));
    assert_true(trigrams_may_have(SLICE(""), SLICE("anything")));
    words_clear(words);
    assert_true(trigrams_may_have(words_trigrams(words), SLICE("anything")));
    words_free(words);
}

/* Every part of every text that was added may be there, in any case and any script. */
static void trigrams_have_every_part(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "B", "9", "x", "-", "/", " ", "\\n", "\xc3\x89", "出", "金", "ﾛ",
                                         "\xff", "Q", "mar", "\"", "\xe2\x84\xaa", "zz", "_"};
    struct rand_seeded rand;
    rand_seeded_init(&rand, 3);
    struct words *words = words_new();
    char texts[300][128];
    size_t lens[300];
    for (int i = 0; i < 300; i++) {
        char *to = texts[i];
        for (uint64_t n = 1 + rand_below(&rand.rand, 24); n > 0; n--)
            to = stpcpy(to, pieces[rand_below(&rand.rand, ARRAY_COUNT(pieces))]);
        lens[i] = (size_t)(to - texts[i]);
        words_add(words, slice_of(texts[i], lens[i]));
    }
    for (int round = 0; round < 50000; round++) {
        char whole[512];
        size_t i = rand_below(&rand.rand, 300);
        struct slice text = folded(slice_of(texts[i], lens[i]), whole);
        size_t from = rand_below(&rand.rand, text.len), len = rand_below(&rand.rand, text.len - from + 1);
        assert_true(trigrams_may_have(words_trigrams(words), slice_sub(text, from, len)));
    }
    words_free(words);
}

static void minutes_add_up(void **state)
{
    (void)state;
    struct rand_seeded rand;
    rand_seeded_init(&rand, 5);
    struct buffer bytes;
    struct arena *arena = arena_new(1 * 1024 * 1024);
    buffer_init(&bytes, 65536);
    for (int round = 0; round < 300; round++) {
        int64_t times[500], at = ((int64_t)rand_below(&rand.rand, 4000) - 2000) * NS_PER_HOUR + 17;
        size_t count = 1 + rand_below(&rand.rand, 500);
        for (size_t i = 0; i < count; i++)
            times[i] = at += (int64_t)rand_below(&rand.rand, 3 * NS_PER_MINUTE);
        struct time_counts got;
        buffer_clear(&bytes);
        arena_reset(arena);
        assert_true(time_counts_put(times, count, &bytes));
        assert_true(time_counts_take(buffer_slice(&bytes), count, arena, &got));
        size_t row = 0;
        for (uint32_t m = 0; m < got.minutes; m++) {
            int64_t end = got.first_ns + (m + 1) * NS_PER_MINUTE, n = 0;
            for (; row < count && times[row] < end; row++, n++)
                assert_true(times[row] >= end - NS_PER_MINUTE);
            assert_int_equal(got.counts[m], n);
        }
        assert_int_equal(row, count);
        assert_false(time_counts_take(buffer_slice(&bytes), count + 1, arena, &got));
        assert_false(time_counts_take(slice_sub(buffer_slice(&bytes), 0, bytes.len - 1), count, arena, &got));
    }
    int64_t far[2] = {0, (int64_t)TIME_COUNTS_MAX * NS_PER_MINUTE};
    buffer_clear(&bytes);
    assert_false(time_counts_put(far, 2, &bytes));
    assert_int_equal(bytes.len, 0);
    buffer_close(&bytes);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trigrams_tell_what_is_not_there),
        cmocka_unit_test(trigrams_have_every_part),
        cmocka_unit_test(minutes_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
