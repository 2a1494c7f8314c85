#pragma once
/*
 * gate/gate_support: what support staff may say to a customer whose request waits: words of the policy's row and how long it takes,
 * and never which row, limit or incident it is.
 *
 * How long holds of a row waited until people released them is remembered (the latest WAITED_KEPT of each row), as records of the
 * gate's journal that go along when it rotates.
 *
 * Threads  The gate's own, unless gate.h says otherwise.
 * Limits   WAITED_ROWS_MAX rows; the waits of further ones are not remembered.
 */
#include "base/buffer.h"
#include "base/err.h"

enum { WAITED_ROWS_MAX = 64, WAITED_KEPT = 16, WAITED_LEAST = 3, WAITED_NAME_MAX = 128 };

struct waited_row {
    char name[WAITED_NAME_MAX + 1];
    int64_t waited_ns[WAITED_KEPT]; /* a ring */
    uint32_t count, next;
};

struct waited {
    struct waited_row rows[WAITED_ROWS_MAX];
    size_t count;
};

/* Records for the journal, each with its length in front: one wait, or all. */
void waited_encode(struct slice row, int64_t waited_ns, struct buffer *payload);
void waited_encode_all(const struct waited *waited, struct buffer *payload);
void waited_add(struct waited *waited, struct slice row, int64_t waited_ns);
/* 1 when the record was one of these, 0, or -1. */
MUST_USE int waited_replay(struct waited *waited, struct slice record, struct err *err);
/* The median; 0: not known from WAITED_LEAST holds. */
int64_t waited_median_ns(const struct waited *waited, struct slice row);
