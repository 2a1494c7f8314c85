#pragma once
/*
 * detect/match_row: one row against the plan: what its values say, which variants are worth trying, and
 * whether their conditions hold. A column is looked at when a predicate of it is asked for the first time.
 *
 * Threads  One.
 * Errors   -1 when memory is out.
 */
#include "detect/plan.h"
#include "detect/value_memo.h"

/* A column of the batch that tests are of. */
struct place {
    const struct column *column;     /* NULL: not in this batch */
    struct memo_entry **by_code;     /* of columns with a dictionary: what is known of its values */
    uint32_t at;                     /* the first value of the row that was looked at last */
    uint32_t stamp;                  /* of that row */
    uint32_t first_entry, count;     /* of it in entries */
};

/* A keyword's answer on a row. */
struct keyword_hit {
    uint32_t next; /* of the same row, + 1 */
    hit hit;
};

struct row_match {
    const struct plan *plan;
    uint32_t rule_count;
    struct arena *arena;
    struct value_memo *memo;
    struct test_work work;
    const struct batch *batch;
    struct place *places;  /* by column */
    uint32_t *used_places; /* of this batch */
    uint32_t used_count;
    uint32_t *keyword_heads; /* of the batch's rows, + 1; NULL when no row is asked for keywords */
    struct keyword_hit *keyword_hits;
    uint32_t keyword_count, keyword_size;
    /* the row */
    uint32_t number, stamp;
    const struct route *route;
    struct memo_entry **entries; /* of the values looked at */
    uint32_t entry_count, entry_size;
    uint32_t *answers;       /* by predicate: stamp and answer */
    uint32_t *node_answers;  /* by node */
    uint32_t *variant_stamps;
    uint32_t *candidates;
    uint32_t candidate_count;
    uint32_t *matched, *tried; /* stamps by rule */
    bool limit, failed;
};

MUST_USE int row_match_init(struct row_match *row, const struct plan *plan, uint32_t rule_count);
void row_match_close(struct row_match *row);

/* Rows of this batch come next, in order. */
MUST_USE int row_match_batch(struct row_match *row, struct expr_scope *scope, const struct batch *batch,
                             struct route *const *routes);
/* Finds row->candidates; variants are in it once. */
MUST_USE int row_match_begin(struct row_match *row, uint32_t number, const struct route *route);
MUST_USE int row_match_try(struct row_match *row, const struct plan_variant *variant, bool *matches);

/* Whether a limit of a regular expression had a say in the last try. */
static inline bool row_match_limit(const struct row_match *row)
{
    return row->limit;
}

/* Whether it was set for the rule in this row. */
static inline bool row_match_has(const struct row_match *row, uint32_t rule)
{
    return row->matched[rule] == row->stamp;
}

static inline void row_match_set(struct row_match *row, uint32_t rule)
{
    row->matched[rule] = row->stamp;
}

/* True when it is asked for the first time for the rule in this row. */
static inline bool row_match_first_try(struct row_match *row, uint32_t rule)
{
    bool first = row->tried[rule] != row->stamp;
    row->tried[rule] = row->stamp;
    return first;
}
