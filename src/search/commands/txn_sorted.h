#pragma once
/*
 * search/commands/txn_sorted: transactions of more rows than memory has room for.
 *
 *   rows by key and time ──► machine ──► rows by transaction ──► made ──► newest first
 *
 * Memory holds the open transactions, without their rows but with their values of several fields, and the
 * rows of one that is made.
 *
 * Ownership  All of it draws from the search's budget and goes with the search at the latest.
 */
#include "search/commands/txn_rows.h"
#include "search/sorter.h"

enum { TXN_STARTS = 1, TXN_ENDS = 2, TXN_TIMELESS = 4 };

/* Of the selected rows of a frame, one after the other. */
struct txn_keys {
    uint64_t first;      /* number of the first one */
    int64_t *times;      /* ns; those that are TXN_TIMELESS have none */
    uint8_t *flags;
    struct value *tuple; /* the first values of the fields; VALUE_NULL: none */
};

struct txn_sorted {
    struct run *run;
    const struct txn_rules *rules;
    struct slice mv_list;
    struct slice *key_names; /* hidden columns of several fields */
    int64_t last_ns; /* of all rows, INT64_MIN: none has a time */
    struct sorter rows, members, made;
};

MUST_USE int txn_sorted_init(struct txn_sorted *sorted, struct run *run, const struct txn_rules *rules,
                             struct slice mv_list, struct err *err);
MUST_USE int txn_sorted_add(struct txn_sorted *sorted, const struct frame *frame,
                            const struct txn_keys *keys, struct err *err);
/* The transactions to the stages behind op; no row can be added afterwards. */
MUST_USE int txn_sorted_emit(struct txn_sorted *sorted, struct stage *op, struct err *err);
