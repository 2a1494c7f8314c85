#pragma once
/*
 * detect/hit_fields: the values that a hit has in the fields of a correlation, through aliases, the log source of
 * the rule of events, and the groups of a correlation that it names.
 */
#include "detect/correlation_rule.h"
#include "detect/operator.h"

/* Values of each field. False when one has none (*failed when memory is out). */
struct hit_values {
    struct slice *texts;
    size_t count;
};
bool hit_fields(const struct correlation *correlation, const struct hit *hit, struct arena *arena,
                struct hit_values values[CORRELATION_FIELDS_MAX], bool *failed);
/* The next choice of one value a field, from..end-1; start with all 0. False after the last. */
bool hit_choose(const struct hit_values *values, size_t from, size_t end, size_t *choice);
