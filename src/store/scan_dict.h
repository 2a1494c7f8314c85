#pragma once
/*
 * store/scan_dict: one test on the dictionary of a column: one answer per entry, then one look per
 * row; most often the bytes of the entries say at once that none of them fits.
 *
 * Threads  One; the view belongs to its scan.
 */
#include "store/scan_filter.h"
#include "store/skeleton_find.h"

/* Which entries fulfil a test. */
struct dict_answer {
    uint8_t *yes; /* by entry; NULL when count is 0 */
    uint32_t count;
};

bool scan_has_dict(const struct chunk *chunk);
MUST_USE int scan_dict_ask(struct block_view *view, const struct expr_test *test,
                           struct segment_column *column, struct dict_answer *out,
                           struct err *err);
/* Sets the bits of the selected rows that have an entry of the answer. */
MUST_USE int scan_dict_mark(struct block_view *view, struct segment_column *column,
                            const struct dict_answer *answer, const uint64_t *selected,
                            uint64_t *out, struct err *err);

/* expr_test_value for the i-th of many values: the scratch arena is reset now and then. */
bool scan_ask(struct block_view *view, const struct expr_test *test, struct value v, uint32_t i);
/* A text that every value has in it for which the test is TRUE; false when none is known. */
bool scan_needle(const struct expr_test *test, struct needle *out);
/* -1, and the view says which column it was. */
int scan_damaged(struct block_view *view, const struct segment_column *column);
