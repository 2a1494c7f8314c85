#pragma once
/* search/stats/state_distinct: different values; dc and estdc. */
#include "search/stat.h"

/* Different values are told apart by 64 bits of hash: two of a million values coincide once in
 * forty million searches. */
enum { DISTINCT_FEW = 2 };

struct distinct {
    uint64_t *slots; /* 0 = free */
    uint32_t size, count;
    uint64_t few[DISTINCT_FEW]; /* all of them while size is 0: most groups need no table */
};

void distinct_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* The same of a value that stands for many: distinct_hash() of it. */
void distinct_add_hash(struct stat_scope *scope, void *state, uint64_t hash);
uint64_t distinct_hash(struct value v); /* never 0 */
/* stat.merge */
void distinct_merge(struct stat_scope *scope, void *state, const void *part);
void distinct_result(struct stat_scope *scope, const void *state, struct value_list *out);
