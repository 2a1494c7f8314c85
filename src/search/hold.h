#pragma once
/*
 * search/hold: what commands that need all rows first have in common: a store of rows as the
 * first member of their state, filled by push.
 */
#include "search/operator.h"

struct hold {
    struct row_store rows;
};

/* state begins with a struct hold (or is one: size 0). */
MUST_USE int operator_hold(struct run *run, struct operator* op, size_t state_size,
                           int (*finish)(struct operator* op, struct err *err), struct err *err);
/* All rows held, sharing their columns, in run->arena: columns can be put and dropped. False when
 * there are none; err is set when *failed. */
bool hold_frame(struct operator* op, struct frame *frame, bool *failed, struct err *err);
MUST_USE int hold_emit(struct operator* op, const struct frame *frame, struct err *err);
