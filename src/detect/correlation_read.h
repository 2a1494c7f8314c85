#pragma once
/* detect/correlation_read: a correlation while it is read; for detect/correlation_rule and detect/correlation_condition
 * only. */
#include "detect/correlation_rule.h"
#include "detect/rule_parts.h"

struct reading {
    struct rule_set *set;
    struct rule *rule;
    const struct yaml_node *section;
    struct correlation *to;
};

/* The rule is refused, with the line of the node (NULL: of the section). False. */
bool correlation_refuse(struct reading *r, const struct yaml_node *node, const char *what);
bool correlation_no_memory(struct reading *r);
bool correlation_is_temporal(const struct correlation *correlation);
/* Type, fields and parts have been read. */
bool correlation_read_condition(struct reading *r);
