#pragma once
/*
 * search/live: searches without an end, whose commands take one row at a time. Over a live source
 * (search/live_source.h); rows go to options.take.
 *
 * Errors  -1: start and end are those of the command that cannot be run so.
 */
#include "search/run.h"

/* As search_new(). Refused are: commands that need to see other rows, searches that do not begin with
 * events, subsearches, and ranges of time. */
MUST_USE int live_search_new(const struct spl_query *query, const struct search_options *options,
                             struct search **out, struct err *err);
