#pragma once
/*
 * search/commands/txn_join: which open transaction a row belongs to when there are several fields: one
 * that has an equal value in some field, and another in none. So a row with user and session joins rows
 * that have only one of them.
 *
 * Ownership  Everything lives in the arena.
 * Errors     -1, GROUP_NONE: memory is out.
 */
#include "search/group.h"

struct txn_join {
    struct arena *arena;
    const struct batch *rows;
    const struct slice *fields;
    size_t field_count;
    bool connected;      /* f: a row that shares no field may join, too */
    struct intern *ids;  /* of each field */
    uint32_t **slots;    /* of each field: by value, the transaction that had it last + 1 */
    uint32_t *rooms;
    uint32_t *values;    /* of each transaction and field: value + 1, or 0 */
    uint32_t *row;       /* of the row at hand */
    uint32_t count;      /* transactions so far */
};

MUST_USE int txn_join_init(struct txn_join *join, struct arena *arena, const struct batch *rows,
                           const struct slice *fields, size_t field_count, bool connected);
/* *slot: the transaction for this row, perhaps a new one; GROUP_NONE: the row has none of the fields.
 * is_open says whether one is open. */
MUST_USE int txn_join_find(struct txn_join *join, uint32_t row,
                           bool (*is_open)(const void *context, uint32_t slot), const void *context,
                           uint32_t *slot);
/* The row was added to it; first: as its first row. */
void txn_join_take(struct txn_join *join, uint32_t slot, bool first);
