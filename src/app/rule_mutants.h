#pragma once
/*
 * app/rule_mutants: wrong versions of a rule, one change each, to see whether its tests notice.
 *
 *   and <-> or; "not" left out; a test that is always true, or never; an order turned or its end included;
 *   a number halved or doubled; in conditions, "where" and the partner of an absence; grace and silence
 *   halved and doubled.
 *
 * Ownership  Changed trees live in the arena; the rule has them until rule_mutant_undo().
 * Threads    One at a time; no detector may run with the rule meanwhile.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "detect/rule.h"

/* What the rule had. */
struct rule_mutant {
    const struct expr **conditions; /* of the variants */
    const struct expr *where, *partner;
    int64_t grace_ns, silence_ns;
};

/* Makes the n-th wrong version; what was changed is put into said as words. 1 done, 0 there are no more (the
 * rule is as it was), -1 memory is out. */
MUST_USE int rule_mutant_make(struct rule *rule, size_t n, struct arena *arena, struct rule_mutant *saved,
                              struct buffer *said);
void rule_mutant_undo(struct rule *rule, const struct rule_mutant *saved);
