/* A folded text found in one that is not folded, as if it had been. */
#include "base/fold_find.h"
#include "base/rand.h"
#include "base/utf8.h"

#include "test.h"

static bool found_when_folded(struct slice folded, struct slice text)
{
    char room[1024];
    return slice_find(slice_of(room, utf8_fold_text(text, room)), folded) >= 0;
}

static bool starts_when_folded(struct slice folded, struct slice text)
{
    char room[1024];
    return slice_starts(slice_of(room, utf8_fold_text(text, room)), folded);
}

static void finds_in_any_case_test(void **state)
{
    (void)state;
    struct fold_needle needle;
    fold_needle_init(&needle, SLICE("union%20select"));
    assert_int_equal(fold_find(&needle, SLICE("/a?q=1%20UNION%20Select%20pass")), FOLD_YES);
    assert_int_equal(fold_find(&needle, SLICE("/a?q=1%20UNION@20Select%20pass")), FOLD_NO);
    assert_int_equal(fold_find(&needle, SLICE("union%20selec")), FOLD_NO);
    fold_needle_init(&needle, SLICE("kiss"));
    assert_int_equal(fold_find(&needle, SLICE("\xe2\x84\xaais\xc5\xbf")), FOLD_UNKNOWN);
    assert_int_equal(fold_find(&needle, SLICE("\xe5\x87\xba kis")), FOLD_NO);
    assert_int_equal(fold_starts(SLICE("mozilla/5"), SLICE("Mozilla/5.0")), FOLD_YES);
    assert_int_equal(fold_starts(SLICE("mozilla/5"), SLICE("Mozilla/4.0")), FOLD_NO);
    assert_int_equal(fold_starts(SLICE("mozilla/5"), SLICE("Mozilla")), FOLD_NO);
    assert_int_equal(fold_starts(SLICE("k"), SLICE("\xe2\x84\xaa")), FOLD_UNKNOWN);
}

/* Random texts out of few letters, so that many nearly match, at every length and place. */
static void agrees_with_folding_test(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "A", "s", "S", "k", "@", "`", "[", "{", "\xc3\x89",
                                         "\xc3\xa9", "\xc5\xbf", "\xe2\x84\xaa", "\xff", "z", "Z"};
    struct rand_seeded rand;
    rand_seeded_init(&rand, 7);
    unsigned told = 0;
    for (int round = 0; round < 60000; round++) {
        char text[320], raw[64], folded[192];
        size_t len = 0, raw_len = 0, kinds = 2 + rand_below(&rand.rand, 15);
        for (uint64_t n = rand_below(&rand.rand, 90); n > 0; n--)
            len += (size_t)stpcpy(text + len, pieces[rand_below(&rand.rand, kinds)]) - (size_t)(text + len);
        for (uint64_t n = rand_below(&rand.rand, 6); n > 0; n--)
            raw_len += (size_t)stpcpy(raw + raw_len, pieces[rand_below(&rand.rand, kinds)]) - (size_t)(raw + raw_len);
        struct slice hay = slice_of(text, len);
        struct slice want = slice_of(folded, utf8_fold_text(slice_of(raw, raw_len), folded));
        struct fold_needle needle;
        fold_needle_init(&needle, want);
        enum fold_answer found = fold_find(&needle, hay), starts = fold_starts(want, hay);
        if (found != FOLD_UNKNOWN)
            assert_int_equal(found == FOLD_YES, found_when_folded(want, hay));
        if (starts != FOLD_UNKNOWN)
            assert_int_equal(starts == FOLD_YES, starts_when_folded(want, hay));
        told += found != FOLD_UNKNOWN;
    }
    assert_true(told > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_in_any_case_test),
        cmocka_unit_test(agrees_with_folding_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
