#pragma once
/*
 * detect/response: what is to be held when a rule finds something (docs/rules.md).
 *
 *   response:
 *     hold: {asset: wallet.asset, account: user.id}     scope: the field that names what; or all: true
 *     suggest: [sweep, rotate]                          what people may do, by name
 *
 * Threads  Any; rules are immutable.
 */
#include "detect/hit.h"

/* The "response:" of a "hinomi:" section. False: rule->status and reason are set. */
bool response_compile(struct rule_set *set, struct rule *rule, const struct yaml_node *node);
/* Sets finding->holds, in the arena: values of the row that completed it, else of the groups, else of the entity that the
 * rule takes from the same field. A scope without any value is left out. -1 when memory is out. */
MUST_USE int response_holds(const struct rule *rule, const struct hit *hit, struct arena *arena, struct finding *finding);
