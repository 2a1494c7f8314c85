#pragma once
/* detect/correlation_state: what a correlation remembers, and the findings it makes of it; for detect/correlation and
 * detect/correlation_finding only. */
#include "detect/correlation_judge.h"
#include "detect/hit_fields.h"

struct counting {
    struct operator_host host;
    const struct correlation *rule;
    struct groups *groups;
    int64_t due_ns, looked_ns, swept_ns;
    uint64_t late, left_out;
    struct slice entity_types[CORRELATION_FIELDS_MAX]; /* of the fields to group by */
};

/* What a field is usually about by the columns it may be in, else its own name. */
struct slice correlation_entity_type(const struct correlation *rule, size_t field);
/* Events from..end-1 of a group as a finding without its sentences; hit may be NULL. */
MUST_USE int correlation_finding(struct counting *c, const struct group *group, uint32_t from, uint32_t end,
                                 const struct hit *hit, struct finding *finding, struct err *err);
/* Adds to the sentences what each rule brought to a risk. False when memory is out. */
bool correlation_explain_risk(struct counting *c, const struct group *group, uint32_t from, uint32_t end,
                              struct finding *finding);
/* What is noted of a hit, to name it as evidence. */
bool correlation_note(const struct counting *c, const struct hit *hit, struct buffer *to);
