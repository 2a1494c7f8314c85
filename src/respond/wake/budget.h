#pragma once
/*
 * respond/wake/budget: how often each person was woken, by which rule, and how often for nothing; against the plan's
 * budget. One page is one interruption, however many contacts and rounds it took. Drills and tests do not count.
 *
 * Over the budget an event (hinomi.waking, action budget_exceeded) names the person and the rule behind most of it, once a
 * night and once a week; a rule of the content makes a finding of it.
 */
#include "respond/wake/page.h"

/* At most once a minute it looks; transactions of its own. */
MUST_USE int budget_run(struct pager *pager, const struct plan *plan, struct err *err);
/* Of the last days, per person and night and per rule, with what would have spared it. plan NULL: there is none. */
MUST_USE int budget_json(struct database *database, const struct plan *plan, int64_t now_ns, int64_t days,
                         struct arena *arena, struct json *json, struct err *err);
