#pragma once
/*
 * search/commands/dedup_sorted: dedup of more groups than memory has room for: rows that came since
 * then.
 *
 *   rows of unknown groups ──► by key: the first ones ──┐
 *   other rows that stay ───────────────────────────────┴──► in the order they came
 *
 * Ownership  All of it draws from the search's budget and goes with the search at the latest.
 */
#include "search/row_key.h"
#include "search/sorter.h"

struct dedup_rule {
    const struct field_list *fields;
    int64_t limit;    /* rows of a group */
    bool keep_events; /* others stay, without the fields */
};

struct dedup_sorted {
    struct run *run;
    const struct dedup_rule *rule;
    struct sorter strangers, kept;
    uint64_t rows; /* so far */
};

/* Of the selected rows only the first ones stay, or others without their fields, too. -1: memory is
 * out. */
MUST_USE int dedup_keep(const struct dedup_rule *rule, struct frame *frame, const uint64_t *first);

MUST_USE int dedup_sorted_init(struct dedup_sorted *sorted, struct run *run,
                               const struct dedup_rule *rule, struct err *err);
/* first: rows that stay; strangers: rows of groups that are not known. */
MUST_USE int dedup_sorted_add(struct dedup_sorted *sorted, struct frame *frame, const uint64_t *first,
                              const uint64_t *strangers, struct err *err);
/* What stays, in order; no row can be added afterwards. */
typedef int (*dedup_give)(void *context, struct frame *frame, struct err *err);
MUST_USE int dedup_sorted_each(struct dedup_sorted *sorted, dedup_give give, void *context,
                               struct err *err);
