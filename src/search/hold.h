#pragma once
/*
 * search/hold: what commands that need all rows first have in common: a store of rows as the
 * first member of their state, filled by push.
 */
#include "search/stage.h"

/* Rows of which only some stay of use: what is dropped gives its memory back, unlike in the
 * search's own arena. The arenas are freed with the search. */
struct shelf {
    struct row_store rows;
    struct arena *arenas[2];
};
MUST_USE int shelf_init(struct shelf *shelf, struct run *run);
/* Keeps these rows, in this order. */
MUST_USE int shelf_keep(struct shelf *shelf, const uint32_t *rows, uint32_t count);
uint32_t shelf_count(const struct shelf *shelf);
enum { SHELF_SLACK = 8192 }; /* rows more than needed before it is worth tidying */

struct hold {
    struct row_store rows;
};

/* state begins with a struct hold (or is one: size 0). */
MUST_USE int stage_hold(struct run *run, struct stage *op, size_t state_size,
                        int (*finish)(struct stage *op, struct err *err), struct err *err);
/* A command's make: rows are held, and the descriptor's finish makes of them what it does. */
MUST_USE int hold_make(struct run *run, const struct spl_command *command, struct stage *op,
                       struct err *err);
/* All rows held, sharing their columns, in run->arena: columns can be put and dropped. False when
 * there are none; err is set when *failed. */
bool hold_frame(struct stage *op, struct frame *frame, bool *failed, struct err *err);
MUST_USE int hold_emit(struct stage *op, const struct frame *frame, struct err *err);
