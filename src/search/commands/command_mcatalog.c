/* mcatalog: which metrics there are, and what is known of them: tstats over events that have a metric_name. */
#include "search/commands/tstats.h"

const struct command command_mcatalog = {
    .name = "mcatalog",
    .summary = "what metrics there are: mcatalog values(metric_name) where index=metrics by host",
    TSTATS_PARTS,
    .syntax = "mcatalog [options] FUNCTION(FIELD) [as NAME] ... [where TERMS] [by FIELD ...]",
    .notes = "Fields are metric_name, labels.NAME, host and whatever else metrics have; other functions than values, such as dc and count, work as well.",
};
