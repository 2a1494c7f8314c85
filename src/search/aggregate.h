#pragma once
/*
 * search/aggregate: lists such as "count avg(bytes) as b by host", and their running.
 *
 * Ownership  Lists live in the parser's arena, what an aggregator holds in the one given.
 */
#include "search/group.h"
#include "search/sort_keys.h"
#include "search/span.h"
#include "search/stage.h"
#include "search/stat.h"

struct agg {
    const struct stat *stat;
    double percent;
    struct slice field;      /* SLICE_NONE: rows */
    const struct expr *expr; /* eval(...), or NULL */
    bool wild;               /* the field has a star: one aggregate a matching field */
    bool sparkline;
    struct span spark_span;
    struct slice name; /* of the column */
};

struct agg_list {
    const struct agg *aggs;
    size_t count;
};

/* Up to a stop word or the end; at least one. */
MUST_USE int spl_take_aggs(struct spl_parser *p, const char *const *stops, struct agg_list *out);
bool spl_at_agg(const struct spl_parser *p);
bool agg_counts_rows(const struct agg *agg); /* count, of rows */
void wanted_add_aggs(struct wanted *wanted, const struct agg_list *list);

struct agg_slot; /* an aggregate with its states */

struct aggregator {
    struct run *run;
    struct arena *arena; /* for groups and states */
    struct stat_scope scope;
    const struct agg_list *list;
    const struct column *times; /* of the frame that rows are added of */
    struct agg_slot *slots; /* wild ones become several */
    size_t slot_count;
    struct grouper groups;
};

MUST_USE int aggregator_init(struct aggregator *a, struct run *run, struct arena *arena,
                             const struct agg_list *list, const struct slice *by, size_t by_count,
                             uint64_t nullable, struct err *err);
/* Adds the frame's rows. seen (may be NULL) gets the groups they are in. -1 with run->part_failed in a part of
 * a search, before any row was added: doubles would be added up, whose order shows in the last digits. */
MUST_USE int aggregator_add(struct aggregator *a, struct frame *frame, struct group_rows *seen,
                            struct err *err);
/* As aggregator_add without aggregator_prepare. */
MUST_USE int aggregator_add_prepared(struct aggregator *a, struct frame *frame, struct err *err);
/* Its aggregates, the wild ones spread, in arena; and another aggregator with them and the same
 * fields, which never prepares. */
MUST_USE const struct agg *aggregator_aggs(const struct aggregator *a, struct arena *arena,
                                           size_t *count);
MUST_USE int aggregator_again(struct aggregator *a, const struct aggregator *model,
                              const struct agg *aggs, size_t count, struct arena *arena,
                              struct err *err);
void aggregator_drop(struct aggregator *a); /* groups and states go; it can only be dropped again */
/* One row to one group, for running values. */
MUST_USE int aggregator_add_row(struct aggregator *a, const struct frame *frame, uint32_t row,
                                uint32_t group, struct err *err);
/* The same for rows of one frame that come in order. */
void aggregator_begin(struct aggregator *a, const struct frame *frame);
MUST_USE int aggregator_add_next(struct aggregator *a, uint32_t row, uint32_t group,
                                 struct err *err);
/* What a row brings, as bytes that can be merged into a group and taken away again: so a window moves
 * on by one row. The size is 0 when some function cannot do that; a part is 16-byte aligned. */
size_t aggregator_part_size(const struct aggregator *a);
void aggregator_part(struct aggregator *a, uint32_t row, char *part);
MUST_USE int aggregator_merge(struct aggregator *a, uint32_t group, const char *part,
                              struct err *err);
/* False: it leaves a trace (doubles); the group must be merged anew. */
bool aggregator_take_away(struct aggregator *a, uint32_t group, const char *part);
/* Columns that eval() aggregates read must be made first. */
MUST_USE int aggregator_prepare(struct aggregator *a, struct frame *frame, struct err *err);
/* Whether what several aggregators have seen of the rows makes up what one would have: every function's
 * states merge, and no field is named by a star. */
bool aggs_merge(const struct agg_list *list);
/* Takes in the groups of another aggregator of the same list, whose arena must outlive this one's. */
MUST_USE int aggregator_take_in(struct aggregator *a, const struct aggregator *part, struct err *err);
/* All states of a group (GROUP_NONE: of all) to their beginning. */
void aggregator_clear(struct aggregator *a, uint32_t group);
struct slice aggregator_field(const struct aggregator *a, size_t slot); /* SLICE_NONE: rows */
const struct stat *aggregator_stat(const struct aggregator *a, size_t slot);
struct slice aggregator_name(const struct aggregator *a, size_t slot);
MUST_USE int aggregator_result(struct aggregator *a, size_t slot, uint32_t group,
                               struct value_list *out, struct err *err);
/* Makes group 0 when there is none and no by. */
MUST_USE int aggregator_whole(struct aggregator *a, struct err *err);
/* The groups that can be among the first rows when sorted by key: more than rows of them where they
 * tie. *out is of all groups when that cannot be told before sorting. */
MUST_USE int aggregator_keep_first(struct aggregator *a, const struct sort_key *key, uint64_t rows,
                                   struct group_list *out, struct err *err);
/* A row a group of the list, in its order: by fields, then aggregates. In arena. */
MUST_USE int aggregator_rows(struct aggregator *a, const struct group_list *list,
                             struct arena *arena, struct batch **out, struct err *err);
/* The same of all groups (or only some; NULL: all) in order of key, some thousands at a time. A batch
 * lives during the call. */
typedef int (*aggregator_give)(void *context, const struct batch *rows, struct err *err);
MUST_USE int aggregator_each(struct aggregator *a, const struct group_list *only,
                             aggregator_give give, void *context, struct err *err);
