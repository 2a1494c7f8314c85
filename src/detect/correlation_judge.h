#pragma once
/* detect/correlation_judge: whether the condition of a correlation holds for a run of events of a group. */
#include "detect/correlation_rule.h"
#include "table/groups.h"

/* Events from..end-1 of the group, whose sums are carried on. False as well when memory is out: *failed is set then. */
bool correlation_judge(const struct correlation *correlation, struct group *group, uint32_t from, uint32_t end,
                       struct arena *scratch, bool *failed);

/* RISK: what the scores of a part (UINT32_MAX: of all) add up to at the time of the last event. */
double correlation_risk(const struct correlation *correlation, const struct group *group, uint32_t from,
                        uint32_t end, uint32_t part);
