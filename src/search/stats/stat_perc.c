/* perc95: nearest rank. */
#include "search/stats/state_collected.h"

const struct stat stat_perc = {
    .name = "perc",
    .alias = "p",
    .summary = "perc95(f): nearest rank",
    .flags = STAT_PERCENT,
    .size = sizeof(struct collected),
    .add = collect_number,
    .result = collected_percent,
};
