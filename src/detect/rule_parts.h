#pragma once
/*
 * detect/rule_parts: how the documents of a rule set become rules; for the files of this room only.
 *
 * First every document is read and put into the set with its head, then filters, then rules (with the
 * filters that name them), then correlations, which may name rules of any file in any order.
 */
#include "detect/rule.h"

/* detect/sigma.c: the head of any document; the kind that it is. */
void sigma_read_head(struct rule *rule, struct arena *arena);
/* A rule with a detection. */
void sigma_compile(struct rule_set *set, const struct rule_options *options, struct rule *rule);
/* Selections and condition of a "detection" or "filter" section under one log source. False: the
 * status and reason of blame are set. */
bool sigma_detection(struct rule_set *set, struct rule *blame, const struct yaml_node *section,
                     const struct logsource_variant *variant, const struct expr **out);
/* The ways in which a rule's log source is known. False when there is none: reason is set. */
bool sigma_variants(struct rule_set *set, const struct rule_options *options, struct rule *rule,
                    const struct logsource_variant **out, size_t *count);

/* detect/sigma_filter.c: tests whether a filter can be used at all, and what it names. */
void filter_compile(struct rule_set *set, const struct rule_options *options, struct rule *filter);
/* All filters that name the rule, joined to its condition with and. */
bool filter_apply(struct rule_set *set, struct rule *rule, const struct logsource_variant *variant,
                  const struct expr **condition);

/* detect/entity_risk_rule.c: how many points a rule's findings are worth, and the tactics that they stand for. */
bool entity_risk_points(struct rule_set *set, struct rule *rule);
/* A rule with "risk:" of all rules. */
void entity_risk_compile(struct rule_set *set, struct rule *rule);

/* detect/extension.c: the "hinomi:" section. False: rule->status and reason are set. */
bool extension_compile(struct rule_set *set, const struct yaml_node *section, struct rule *rule);

/* An expression of the section; what is the name for its errors. */
bool extension_expression(struct rule_set *set, struct rule *rule, const struct yaml_node *node, const char *what,
                          const struct expr **out);

/* Rules that a correlation or filter names: by id, else by name, else by title; those of the same file
 * before others. NULL when there is none; *several when there is more than one. */
struct rule *rule_find(const struct rule_set *set, struct slice word, const struct rule *asks, bool *several);
bool rule_is_named(const struct rule *rule, struct slice word);
