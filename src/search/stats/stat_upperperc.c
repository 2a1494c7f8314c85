/* upperperc95: as perc95, which has no error to bound. */
#include "search/stats/state_collected.h"

const struct stat stat_upperperc = {
    .name = "upperperc",
    .summary = "upperperc95(f): nearest rank",
    .flags = STAT_PERCENT,
    .size = sizeof(struct collected),
    .add = collect_number,
    .result = collected_percent,
};
