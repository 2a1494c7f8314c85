#pragma once
/* detect/explain: sentences and entities of a finding, from the event that completed it. */
#include "detect/rule.h"

/* Fills in {field} from the row; a missing field is shown as "?". A template that is none gives the
 * usual sentence. SLICE_NONE when memory is out. */
struct slice explain_sentence(const struct rule *rule, struct slice pattern, bool japanese,
                              const struct batch *batch, uint32_t row, struct arena *arena);
/* The rule's entities, or the usual fields that the event has. */
MUST_USE int explain_entities(const struct rule *rule, const struct batch *batch, uint32_t row,
                              struct arena *arena, const struct entity **out, size_t *count);
