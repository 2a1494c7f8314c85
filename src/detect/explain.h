#pragma once
/* detect/explain: sentences and entities of a finding, from the event that completed it. */
#include "detect/rule.h"

/* Fills the sentences of a finding in both languages: {field} of the rule's templates is a group of the finding,
 * {count} the events that it stands for, else a field of the row; {a|b} the first that is there; what is missing is shown as "?". A rule without
 * templates gets the usual sentence, with the finding's entities. row UINT32_MAX: there is none. -1 when memory is out. */
MUST_USE int explain_finding(const struct rule *rule, const struct batch *batch, uint32_t row, struct arena *arena,
                             struct finding *finding);
/* The rule's entities, or the usual fields that the event has. */
MUST_USE int explain_entities(const struct rule *rule, const struct batch *batch, uint32_t row,
                              struct arena *arena, const struct entity **out, size_t *count);
/* Every column that the sentences and entities of its findings may be made from. */
void explain_columns(const struct rule *rule, expr_field_visit visit, void *context);
/* What a column is usually about ("user"); none for others. */
struct slice explain_entity_type(struct slice column);
