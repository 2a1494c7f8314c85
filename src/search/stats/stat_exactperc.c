/* exactperc95: as perc95, which is exact. */
#include "search/stats/state_collected.h"

const struct stat stat_exactperc = {
    .name = "exactperc",
    .summary = "the number that N per cent are less than",
    .syntax = "exactpercN(FIELD)",
    .notes = "As percN(), which is exact.",
    .flags = STAT_PERCENT | STAT_NUMBERS,
    .size = sizeof(struct collected),
    .add = collect_number,
    .merge = collected_merge,
    .prefetch = collected_prefetch,
    .result = collected_percent,
};
