#pragma once
/*
 * search/commands/txn_held: transactions of rows that memory has room for.
 *
 * Ownership  The rows draw from the search's budget until txn_held_close(), at the latest with the
 *            search.
 */
#include "search/commands/txn_sorted.h"
#include "search/group.h"

struct txn_held {
    struct run *run;
    const struct txn_rules *rules;
    struct slice mv_list;
    struct arena *arena;
    struct row_store rows; /* columns that are of use behind */
    int64_t *times;        /* by row */
    uint8_t *flags;        /* TXN_... */
    uint32_t *ids;         /* of each row and field: number of the value + 1 */
    struct intern *interns;
    uint32_t count, room;
    bool newest_first; /* as they came */
};

MUST_USE int txn_held_init(struct txn_held *held, struct run *run, const struct txn_rules *rules,
                           struct slice mv_list, struct err *err);
void txn_held_close(struct txn_held *held);
MUST_USE int txn_held_add(struct txn_held *held, const struct frame *frame,
                          const struct txn_keys *keys, struct err *err);
/* Whether there may be no room for what making the transactions needs. */
bool txn_held_is_large(const struct txn_held *held);
/* All rows go to sorted; nothing is held afterwards. */
MUST_USE int txn_held_move(struct txn_held *held, struct txn_sorted *sorted, struct err *err);
/* The transactions to the stages behind op; what is held stays. */
MUST_USE int txn_held_emit(struct txn_held *held, struct stage *op, struct err *err);
