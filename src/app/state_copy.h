#pragma once
/*
 * app/state_copy: what the rules remember as searches read it (search/state_tables.h): out of the newest
 * checkpoint of a data folder, also while a server writes to it.
 */
#include "search/state_tables.h"

/* definitions NULL: those of the content folder, in the arena. */
MUST_USE int state_copy_init(struct search_states *to, const struct state_definitions *definitions,
                             struct arena *arena, struct err *err);
