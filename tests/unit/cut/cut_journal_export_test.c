/* Entries of systemd's journal, whole, in pieces, and over the limit. */
#include "base/buffer.h"
#include "cut/journal_export.h"

#include "test.h"

#define TWO_LINES "MESSAGE\n\x09\0\0\0\0\0\0\0one\n\ntwo=\n"

/* The records of a text that comes `step` bytes at a time, one behind the other: [whole] or (part). */
static void cut(struct slice all, size_t step, size_t max, struct buffer *to)
{
    struct journal_export state = {0};
    struct journal_record record;
    size_t at = 0, there = 0, used;
    buffer_clear(to);
    do {
        there = there + step < all.len ? there + step : all.len;
        while (journal_export_next(&state, slice_sub(all, at, there - at), there == all.len, max, &used, &record)) {
            at += used;
            buffer_put_char(to, record.part ? '(' : '[');
            buffer_put(to, record.bytes);
            buffer_put_char(to, record.part ? ')' : ']');
            assert_true(record.bytes.len <= max);
        }
        at += used;
    } while (there < all.len);
    assert_int_equal(at, all.len);
}

static void expect(struct slice text, size_t max, struct slice wanted)
{
    static const size_t steps[] = {1, 3, 7, 100000};
    struct buffer got;
    buffer_init(&got, 1024 * 1024);
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        cut(text, steps[i], max, &got);
        if (!slice_equal(buffer_slice(&got), wanted))
            fail_msg("by %zu: '%.*s'", steps[i], SLICE_ARG(buffer_slice(&got)));
    }
    buffer_close(&got);
}

static void entries_end_at_blank_lines(void **state)
{
    (void)state;
    expect(SLICE("A=1\nB=x=y\n\nA=2\n\n"), 1000, SLICE("[A=1\nB=x=y][A=2]"));
    expect(SLICE("\n\nA=1\n\n\n\nA=2"), 1000, SLICE("[A=1][A=2]"));
    expect(SLICE(""), 1000, SLICE(""));
}

static void fields_with_a_length_hold_any_bytes(void **state)
{
    (void)state;
    expect(SLICE("A=1\n" TWO_LINES "\nA=2\n"), 1000, SLICE("[A=1\n" "MESSAGE\n\x09\0\0\0\0\0\0\0one\n\ntwo=][A=2]"));
    expect(SLICE("A=1\nB\n\x03\0\0\0\0\0\0\0xy"), 1000, SLICE("[A=1\nB\n\x03\0\0\0\0\0\0\0xy]")); /* cut off */
}

/* A name whose length cannot be one is a line, and what is behind it is not lost in it. */
static void lengths_that_cannot_be_are_none(void **state)
{
    (void)state;
    expect(SLICE("NAME\nABCDEFGH\n\nA=2\n"), 1000, SLICE("[NAME\nABCDEFGH][A=2]"));
    expect(SLICE("no field\n\nA=2\n"), 1000, SLICE("[no field][A=2]"));
}

static void long_entries_come_in_parts(void **state)
{
    (void)state;
    expect(SLICE("A=1\nB=2\nC=3\n\nD=4\n\n"), 8, SLICE("(A=1\nB=2\n)(C=3\n)[D=4]"));
    expect(SLICE("A=0123456789abcdef\nB=2\n\nD=4\n\n"), 10, SLICE("(A=01234567)(89abcdef\n)(B=2\n)[D=4]"));
    expect(SLICE("A=1\nB\n\x1f\0\0\0\0\0\0\0" "0123456789\n\nabcdef0123456789abc\n" "C=1\n\n"), 20,
           SLICE("(A=1\n)(B\n\x1f\0\0\0\0\0\0\0" "0123456789)(\n\nabcdef0123456789ab)(c\n)(C=1\n)"));
}

static void fields_of_an_entry(void **state)
{
    struct slice entry = SLICE("A=1\n" TWO_LINES "no field\nA=\nB=3"), name, value;
    static const char *const wanted[][2] = {{"A", "1"}, {"MESSAGE", "one\n\ntwo="}, {"A", ""}, {"B", "3"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        assert_true(journal_export_field(&entry, &name, &value));
        assert_true(slice_is(name, wanted[i][0]) && slice_is(value, wanted[i][1]));
    }
    assert_false(journal_export_field(&entry, &name, &value));
}

static void told_by_the_first_field(void **state)
{
    (void)state;
    assert_true(journal_export_detect(SLICE("__CURSOR=s=1\n")));
    assert_true(journal_export_detect(SLICE("__REALTIME_TIMESTAMP=1\n")));
    assert_false(journal_export_detect(SLICE("{\"__CURSOR\":\"s\"}")));
    assert_false(journal_export_detect(SLICE("PATH=/bin\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_end_at_blank_lines),
        cmocka_unit_test(fields_with_a_length_hold_any_bytes),
        cmocka_unit_test(lengths_that_cannot_be_are_none),
        cmocka_unit_test(long_entries_come_in_parts),
        cmocka_unit_test(fields_of_an_entry),
        cmocka_unit_test(told_by_the_first_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
