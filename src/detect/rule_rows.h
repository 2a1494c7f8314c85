#pragma once
/*
 * detect/rule_rows: which rows a set of rules has to see at all, as one expression that the store can
 * skip blocks by: for going over stored history without reading what no rule is about.
 */
#include "detect/rule.h"
#include "table/state.h"

/* *out NULL: every row. Rows for which it is not TRUE change nothing: no active rule matches them, waits
 * for them or remembers them (state may be NULL). Lives in the arena. */
MUST_USE int rule_rows_wanted(const struct rule_set *rules, const struct state_definitions *state,
                              struct arena *arena, const struct expr **out, struct err *err);
