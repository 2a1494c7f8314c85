#pragma once
/*
 * search/commands/row_filter: keeping the rows that pass; search and where. args is a struct
 * spl_search.
 */
#include "search/stage.h"

void filter_want(const struct spl_command *command, struct wanted *wanted);
/* Runs the subsearches, which are part of the filter. */
int filter_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err);
/* The filter with its subsearches run, and event types and tags replaced; *out NULL when everything
 * passes. */
MUST_USE int filter_resolve(struct run *run, const struct spl_search *search,
                            const struct expr **out, struct err *err);
