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
