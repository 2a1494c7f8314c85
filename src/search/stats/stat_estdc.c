/* estdc: as dc, which is quick enough. */
#include "search/stats/state_distinct.h"

const struct stat stat_estdc = {
    .name = "estdc",
    .summary = "how many different values",
    .syntax = "estdc(FIELD)",
    .notes = "Counted as by dc(), not estimated.",
    .flags = STAT_ZERO | STAT_ONCE,
    .size = sizeof(struct distinct),
    .add = distinct_add,
    .merge = distinct_merge,
    .result = distinct_result,
};
