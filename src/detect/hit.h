#pragma once
/* detect/hit: what a hit says: times, fields, the finding it is by itself. */
#include "detect/operator.h"

int64_t hit_row_time(const struct batch *batch, uint32_t row);
MUST_USE int hit_evidence(const struct batch *batch, uint32_t row, struct arena *arena, struct evidence *out);
/* The finding of a rule from the row that completed it, in the arena. */
MUST_USE int hit_finding(const struct rule *rule, const struct hit *hit, struct arena *arena,
                         struct finding *finding, struct err *err);
/* The sentences anew, once more is known of the finding. -1 when memory is out. */
MUST_USE int hit_explain(const struct rule *rule, const struct hit *hit, struct arena *arena,
                         struct finding *finding);
/* The head of any finding of a rule. */
struct finding finding_of_rule(const struct rule *rule, int64_t time_ns);
/* The text of an expression's first value; none when it has none. */
MUST_USE int hit_key(const struct expr *key, const struct hit *hit, struct arena *arena, struct slice *out,
                     struct err *err);
/* Whether an expression is true of the row; NULL is. */
MUST_USE int hit_holds(const struct expr *expr, const struct hit *hit, bool *out, struct err *err);
