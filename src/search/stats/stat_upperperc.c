/* upperperc95: as perc95, which has no error to bound. */
#include "search/stats/state_collected.h"

const struct stat stat_upperperc = {
    .name = "upperperc",
    .summary = "the number that N per cent are less than",
    .syntax = "upperpercN(FIELD)",
    .notes = "As percN(), which has no error to bound.",
    .flags = STAT_PERCENT | STAT_NUMBERS,
    .size = sizeof(struct collected),
    .add = collect_number,
    .merge = collected_merge,
    .prefetch = collected_prefetch,
    .result = collected_percent,
};
