/* perc95: nearest rank. */
#include "search/stats/state_collected.h"

const struct stat stat_perc = {
    .name = "perc",
    .alias = "p",
    .summary = "the number that N per cent are less than",
    .syntax = "percN(FIELD) | pN(FIELD)",
    .notes = "Nearest rank over all numbers, exact.",
    .flags = STAT_PERCENT | STAT_NUMBERS,
    .size = sizeof(struct collected),
    .add = collect_number,
    .merge = collected_merge,
    .prefetch = collected_prefetch,
    .result = collected_percent,
};
