#pragma once
/*
 * respond/wake/drill: once a day, at a random quiet minute of the plan's hours, the whole path is walked: an event of our
 * own goes in like any other, a rule finds it, an incident opens, the person on call is woken by every contact and
 * answers. What took how long is kept; what did not work becomes a finding before it matters.
 *
 *   planned ─> (quiet?) ─> event ─> incident? ─> page? ─> answered? ─> every contact took it?
 *                  │         └ none after DRILL_PATH_S ─> missed        └ one did not ─> answered, and a finding names it
 *                  └ not until the hours end ─> not_held
 */
#include "respond/wake/wake.h"

enum { DRILL_PATH_S = 60, DRILL_ANSWER_S = 900, DRILL_CALM_S = 600 };

/* Transactions of its own. */
MUST_USE int drill_run(struct pager *pager, const struct plan *plan, const struct wake_hooks *hooks, int64_t *next_pace,
                       struct err *err);
/* The latest drills, and each person's: {"last": ..., "drills": [...], "people": [...]}. */
MUST_USE int drill_json(struct database *database, int64_t limit, struct arena *arena, struct json *json, struct err *err);
