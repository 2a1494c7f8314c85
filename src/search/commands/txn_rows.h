#pragma once
/*
 * search/commands/txn_rows: the row that a transaction becomes: its fields' different values in order,
 * or all of them as they came, and duration, eventcount, closed_txn.
 */
#include "search/commands/txn_machine.h"

struct txn_maker {
    struct slice mv_list;  /* the option mvlist */
    struct arena *scratch; /* for a moment */
};

/* Rows of from, in order of time, as a row of out, whose values it shares. */
MUST_USE int txn_make(const struct txn_maker *maker, const struct batch *from, const uint32_t *rows,
                      const struct txn *txn, struct batch *out);
