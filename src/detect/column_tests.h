#pragma once
/*
 * detect/column_tests: all tests of one column asked of a value at once. Exact texts are looked up in a
 * hash, literals in one pass (pattern/literal_set), numbers and limits by binary search, networks by their
 * prefix lengths.
 *
 * Ownership  Lives in the arena it is built in; borrows the predicates.
 * Threads    Read-only once built; each thread has its own struct test_work.
 * Errors     -1 when memory is out.
 */
#include "detect/predicate.h"
#include "pattern/literal_set.h"

struct column_tests;

/* What is known of a predicate: of a value, or of a row (then the greatest over its values). */
enum answer {
    ANSWER_NO,
    ANSWER_LIMIT,   /* no, since a regular expression hit its limit */
    ANSWER_SUSPECT, /* not asked yet, and may be yes */
    ANSWER_YES,
};
typedef uint32_t hit; /* the predicate's number and the answer */
enum { ANSWER_BITS = 2, ANSWER_MASK = 3 };

static inline hit hit_of(uint32_t predicate, enum answer answer)
{
    return predicate << ANSWER_BITS | (uint32_t)answer;
}

/* Of the tests of all columns; the numbers are those of predicates of this column. */
MUST_USE int column_tests_build(const struct predicates *all, const uint32_t *numbers, uint32_t count,
                                struct arena *building, struct column_tests **out);
/* How many literals one of them has. */
uint32_t column_tests_literals(const struct column_tests *tests);
/* How many hits a value can give at most. */
uint32_t column_tests_count(const struct column_tests *tests);

/* Of these predicates those that may be true of a value that is no STRING: literals are left out that are never
 * part of a number, a truth value, an address or a time when it is printed. Their count. */
uint32_t column_tests_printed(const struct predicates *all, const uint32_t *numbers, uint32_t count, uint32_t *out);
/* False: no test can be true of the value, since it is never printed like that. */
bool column_tests_may_hold(const struct column_tests *tests, const struct value *v);

struct test_work {
    struct literal_scan scan;
    struct expr_scope *scope;
    hit *hits;
    uint32_t count;
    char *room; /* of the folded text */
    size_t room_size;
    struct slice folded; /* text of the value that was folded last */
    const char *folded_of;
    size_t folded_of_len;
};

/* Fills work->hits; nothing for NULL. */
MUST_USE int column_tests_run(const struct column_tests *tests, struct value v, struct test_work *work);

/* Asks one predicate that is not of a whole row. */
MUST_USE int predicate_ask(const struct predicate *predicate, struct value v, struct test_work *work,
                           enum answer *out);
void test_work_close(struct test_work *work);
