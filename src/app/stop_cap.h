#pragma once
/*
 * app/stop_cap: how many accounts one rule may stop within an hour. A rule that is wrong, or is made to be wrong, must not stop all
 * customers: beyond the cap its findings stop no further account, and people are told by a critical finding of its own, once an hour.
 * Stops of an asset, a wallet, an address, a partner or all have no cap.
 *
 * What counts are the stops that the gate has, so a restart forgets none.
 * Limits  RULE_STOPS_PER_HOUR_MAX.
 */
#include "event/finding.h"
#include "gate/gate.h"

/* Whether the rule (as stops name it) may stop one more account. */
bool stop_cap_has_room(struct gate *gate, struct slice by, int64_t now_ns);
/* What people are told: the same for the rest of the hour. Texts live in the arena. False when memory is out. */
bool stop_cap_finding(const struct finding *cause, struct slice by, int64_t now_ns, struct arena *arena, struct finding *out);
