#pragma once
/*
 * search/lookup_call: answers the function lookup() from the tables of a run. A table is read once a
 * search, and sorted by the keys that are asked for once for each set of them.
 *
 * Ownership  Everything lives in the run's arena.
 */
#include "search/stage.h"

/* Sets the scope's lookup. -1: memory is out. */
MUST_USE int lookup_call_bind(struct run *run);
