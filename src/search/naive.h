#pragma once
/*
 * search/naive: the plan that takes no shortcut, for checking answers of the usual one: hinomi
 * search --plan naive, search_options.naive. It differs in this:
 *
 *   filters      by the search, row by row with expr_eval(); the source gives every row of the range
 *   columns      all of them, none with dictionary codes
 *   rows         each for itself, in whole blocks; read to the end even if head has enough
 *   order        always newest first, all rows sorted at the end
 *   threads      one
 *
 * Both plans must give the same rows; tests/fuzz/fuzz_search.py asks that of random searches.
 */
#include "search/source.h"
#include "search/stage.h"

/* Takes what the source could save out of the request; it stays exact in time and streams. */
void naive_request(struct search_request *request);
/* The frame's columns without their codes, and of its rows those for which the filter (NULL: none) is TRUE. */
MUST_USE int naive_frame(struct run *run, struct frame *frame, const struct expr *filter,
                         struct err *err);
