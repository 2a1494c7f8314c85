/*
 * Sigma filters: a condition that is joined with "and" to the rules that it names, as far as they have the
 * filter's log source.
 *
 * Source  Sigma Filters Specification 2.1; "rules: any" from 2.2.
 */
#include "detect/rule_parts.h"

/* The list of names; or any rule. */
static bool names_any(const struct yaml_node *rules)
{
    return rules->kind == YAML_SCALAR && slice_is_nocase(rules->text, "any");
}

static const struct yaml_node *filter_section(const struct rule *filter)
{
    return yaml_get(filter->document, "filter");
}

static bool names(const struct yaml_node *rules, const struct rule *rule)
{
    if (names_any(rules))
        return true;
    if (rules->kind == YAML_SCALAR)
        return rule_is_named(rule, rules->text);
    for (size_t i = 0; i < rules->count; i++)
        if (rule_is_named(rule, rules->entries[i].value->text))
            return true;
    return false;
}

/* What the filter leaves out fits everything. */
static bool same_source(const struct rule *filter, const struct rule *rule)
{
    return (!filter->product.ptr || slice_equal_nocase(filter->product, rule->product)) &&
           (!filter->category.ptr || slice_equal_nocase(filter->category, rule->category)) &&
           (!filter->service.ptr || slice_equal_nocase(filter->service, rule->service));
}

/* Every name must be a rule's, and one of them a rule of the log source. */
static void check_names(struct rule_set *set, struct rule *filter, const struct yaml_node *rules)
{
    bool fits = names_any(rules);
    for (size_t i = 0; i < set->count && !fits; i++)
        fits = set->rules[i]->kind == RULE_MATCH && names(rules, set->rules[i]) &&
               same_source(filter, set->rules[i]);
    for (size_t i = 0; rules->kind == YAML_SEQUENCE && i < rules->count; i++) {
        bool several;
        struct slice word = rules->entries[i].value->text;
        if (!rule_find(set, word, filter, &several)) {
            rule_fail(set, filter, RULE_INACTIVE, "it names the rule '%.*s', which is not here", SLICE_ARG(word));
            filter->status = fits ? RULE_ACTIVE : RULE_INACTIVE;
            return;
        }
    }
    if (!fits)
        rule_fail(set, filter, RULE_INACTIVE, "none of the rules that it names has its log source");
}

void filter_compile(struct rule_set *set, const struct rule_options *options, struct rule *filter)
{
    const struct yaml_node *section = filter_section(filter);
    const struct yaml_node *rules = yaml_get(section, "rules");
    const struct logsource_variant *variants;
    const struct expr *condition;
    size_t count;
    if (!filter->title.ptr) {
        rule_fail(set, filter, RULE_REFUSED, "the filter has no title");
    } else if (section->kind != YAML_MAPPING) {
        rule_fail(set, filter, RULE_REFUSED, "line %d: filter is a mapping", section->line);
    } else if (!rules || rules->kind == YAML_MAPPING || (rules->kind == YAML_SEQUENCE && !rules->count) ||
               (rules->kind == YAML_SCALAR && !rules->text.len)) {
        rule_fail(set, filter, RULE_REFUSED, "the filter has no rules; list their ids or names");
    } else if (!sigma_variants(set, options, filter, &variants, &count)) {
        return;
    } else {
        for (size_t i = 0; i < (count ? count : 1); i++)
            if (!sigma_detection(set, filter, section, count ? &variants[i] : NULL, &condition))
                return;
        check_names(set, filter, rules);
    }
}

bool filter_apply(struct rule_set *set, struct rule *rule, const struct logsource_variant *variant,
                  const struct expr **condition)
{
    for (size_t i = 0; i < set->filter_count; i++) {
        struct rule *filter = set->filters[i];
        const struct expr *narrower;
        if (filter->status != RULE_ACTIVE || !same_source(filter, rule) ||
            !names(yaml_get(filter_section(filter), "rules"), rule))
            continue;
        if (!sigma_detection(set, filter, filter_section(filter), variant, &narrower))
            return rule_fail(set, rule, RULE_INACTIVE, "the filter '%.*s': %.*s", SLICE_ARG(filter->title),
                             SLICE_ARG(filter->reason));
        *condition = expr_and(set->arena, *condition, narrower);
        if (!*condition)
            return rule_fail(set, rule, RULE_REFUSED, "out of memory");
    }
    return true;
}
