#pragma once
/*
 * detect/rule_rows: what a set of rules has to see at all, rows and columns, for going over stored history
 * without reading what no rule is about.
 */
#include "detect/rule.h"
#include "table/state.h"

struct rule_rows {
    const struct expr *filter;   /* NULL: every row. Rows for which it is not TRUE change nothing: no active rule
                                  * matches them, waits for them or remembers them */
    const struct slice *columns; /* that rules read, and that findings are made from; NULL: all */
    size_t column_count;
};

/* Lives in the arena; state may be NULL. */
MUST_USE int rule_rows_wanted(const struct rule_set *rules, const struct state_definitions *state,
                              struct arena *arena, struct rule_rows *out, struct err *err);
