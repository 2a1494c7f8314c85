/* exactperc95: as perc95, which is exact. */
#include "search/stats/state_collected.h"

const struct stat stat_exactperc = {
    .name = "exactperc",
    .summary = "exactperc95(f): nearest rank",
    .flags = STAT_PERCENT,
    .size = sizeof(struct collected),
    .add = collect_number,
    .result = collected_percent,
};
