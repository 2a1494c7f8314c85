#pragma once
/*
 * search/commands/txn_machine: rows in order of time, each to the transaction that it belongs to. No
 * value of a row but its keys is looked at, so rows may be anywhere.
 *
 *   one field      an equal value
 *   several        an equal value in some field, and another in none: a row with user and session joins
 *                  rows that have only one of them; connected=f: it is enough that none differs
 *   none           all rows
 *
 * Ownership  Everything lives in the arena; of transactions only those that are open.
 * Errors     -1: memory is out (err is set), or what row and done say.
 */
#include "search/span.h"
#include "search/stage.h"

struct txn_rules {
    size_t field_count;
    bool connected, starts, ends, keep_evicted, keep_orphans;
    struct span max_span, max_pause;
    int64_t max_events; /* 0: no bound */
};

/* A row: ids are numbers of its values + 1, field by field; 0: it has none. */
struct txn_row {
    uint64_t number; /* in the order they came */
    int64_t time_ns;
    bool starts, ends;
    const uint32_t *ids;
};

struct txn {
    uint64_t first; /* number of its first row */
    int64_t first_ns, last_ns;
    uint32_t seq; /* its own number, from 1 on */
    uint32_t count;
    bool closed, orphan;
};

struct txn_slot;
struct txn_place;

struct txn_machine {
    struct run *run;
    struct arena *arena;
    const struct txn_rules *rules;
    /* The row is in the transaction seq. */
    int (*row)(void *context, const struct txn_row *row, uint32_t seq, struct err *err);
    /* It is whole, and counts; those that do not are never heard of again. */
    int (*done)(void *context, const struct txn *txn, struct err *err);
    void *context;
    struct txn_slot *slots;
    uint32_t *values; /* of each slot and field: value + 1, or 0 */
    uint32_t slot_count, slot_room, free_slot, newest; /* slot + 1, or 0 */
    struct txn_place **places; /* of each field: by value, the transaction that had it last */
    uint32_t *place_rooms;
    uint32_t seq;
};

/* row, done, context and run are the caller's to set first. */
MUST_USE int txn_machine_init(struct txn_machine *machine, struct arena *arena,
                              const struct txn_rules *rules, struct err *err);
MUST_USE int txn_machine_add(struct txn_machine *machine, const struct txn_row *row, struct err *err);
/* A row that is in no transaction. */
MUST_USE int txn_machine_orphan(struct txn_machine *machine, const struct txn_row *row, struct err *err);
/* Only what open transactions need, in another arena; those that no row from now on can join end. rename
 * says what the value id of a field is called from now on; 0: memory is out. */
MUST_USE int txn_machine_move(struct txn_machine *machine, struct arena *arena, int64_t now,
                              uint32_t (*rename)(void *context, size_t field, uint32_t id),
                              void *context, struct err *err);
/* -1 with the sentence for open transactions that are too many for the memory. */
int txn_machine_nomem(const struct txn_machine *machine, struct err *err);
/* There are no more rows: those that are open end, closed where a limit of time had passed at last_ns, the time of
 * the newest row of the search. It can go on with other rows afterwards. */
MUST_USE int txn_machine_end(struct txn_machine *machine, int64_t last_ns, struct err *err);
