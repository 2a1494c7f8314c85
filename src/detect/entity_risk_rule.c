/*
 * Risk of entities, as loaded (docs/rules.md):
 *
 *   hinomi: {risk: {half_life: 7d, over: 100, tactics: 3, quiet: 24h, of: [user, host]}}   a rule of its own
 *   hinomi: {risk: 30}                                      what a finding of this rule is worth; 0: nothing
 */
#include "base/duration.h"
#include "base/limits.h"
#include "detect/correlation_rule.h"
#include "detect/rule_parts.h"

enum { HALF_LIFE_MAX_DAYS = 365, OVER_MAX = 1000000, TACTICS_MAX = 14 };

/* By severity, where the rule does not say. */
static uint32_t usual_points(enum severity severity)
{
    static const uint32_t points[] = {1, 10, 25, 50, 100};
    return points[severity];
}

/* ---- tactics ---- */

/* "credential_access" and "credential-access" are one; each once. */
static bool add_tactics(const struct rule *rule, struct buffer *to)
{
    for (size_t i = 0; i < rule->tag_count; i++) {
        struct slice tactic = rule_tactic(rule->tags[i]), known = buffer_slice(to), one;
        char name[64];
        bool there = !tactic.len || tactic.len >= sizeof(name);
        for (size_t k = 0; !there && k < tactic.len; k++)
            name[k] = tactic.ptr[k] == '_' || tactic.ptr[k] == ' ' ? '-' : tactic.ptr[k];
        while (!there && slice_next_part(&known, ' ', &one))
            there = slice_equal(one, slice_of(name, tactic.len));
        if (there)
            continue;
        if (to->len)
            buffer_put_char(to, ' ');
        buffer_put(to, slice_of(name, tactic.len));
    }
    return !buffer_failed(to);
}

/* A correlation that has no tactics of its own stands for those of the rules that it names. */
static bool read_tactics(struct rule_set *set, struct rule *rule)
{
    struct buffer text;
    buffer_init(&text, 4 * KIB);
    bool good = add_tactics(rule, &text);
    for (size_t i = 0; good && !text.len && rule->correlation && i < rule->correlation->part_count; i++)
        good = add_tactics(rule->correlation->parts[i].rule, &text);
    if (text.len)
        rule->tactics = arena_copy(set->arena, buffer_slice(&text));
    good = good && (!text.len || rule->tactics.ptr);
    buffer_close(&text);
    return good || rule_fail(set, rule, RULE_REFUSED, "out of memory");
}

bool entity_risk_points(struct rule_set *set, struct rule *rule)
{
    const struct yaml_node *node = yaml_get(yaml_get(rule->document, "hinomi"), "risk");
    int64_t points = usual_points(rule->severity);
    if (node && node->kind == YAML_SCALAR && (!yaml_to_i64(node, &points) || points < 0 || points > RISK_POINTS_MAX))
        return rule_fail(set, rule, RULE_REFUSED, "line %d: risk is a number from 0 to %d, or a mapping", node->line,
                         RISK_POINTS_MAX);
    rule->points = (uint32_t)points;
    return read_tactics(set, rule);
}

/* ---- a rule of risk ---- */

struct reading {
    struct rule_set *set;
    struct rule *rule;
    const struct yaml_node *node;
};

static bool read_number(const struct reading *r, const char *key, int64_t least, int64_t most, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(r->node, key);
    int64_t n;
    if (!node)
        return true;
    if (!yaml_to_i64(node, &n) || n < least || n > most)
        return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: risk.%s is a number from %lld to %lld", node->line, key,
                         (long long)least, (long long)most);
    *out = (uint32_t)n;
    return true;
}

static bool read_span(const struct reading *r, const char *key, int64_t least_ns, int64_t *out)
{
    const struct yaml_node *node = yaml_get(r->node, key);
    if (!node || (duration_parse(yaml_text(node, SLICE("")), out) && *out >= least_ns &&
                  *out <= HALF_LIFE_MAX_DAYS * NS_PER_DAY))
        return true;
    return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: risk.%s is a duration such as 24h, of at most %d days", node->line,
                     key, HALF_LIFE_MAX_DAYS);
}

static bool read_types(const struct reading *r, struct rule_risk *risk)
{
    const struct yaml_node *node = yaml_get(r->node, "of");
    if (!node)
        return true;
    struct slice *types = arena_array(r->set->arena, node->count + 1, sizeof(*types));
    if (!types)
        return rule_fail(r->set, r->rule, RULE_REFUSED, "out of memory");
    if (node->kind != YAML_SEQUENCE || !node->count)
        return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: risk.of is a list of types of entities such as [user, host]",
                         node->line);
    for (size_t i = 0; i < node->count; i++)
        types[i] = yaml_text(node->entries[i].value, SLICE(""));
    risk->of = types;
    risk->of_count = node->count;
    return true;
}

static bool read_risk(const struct reading *r, struct rule_risk *risk)
{
    static const char *const known[] = {"half_life", "over", "tactics", "quiet", "of"};
    *risk = (struct rule_risk){.half_life_ns = 7 * NS_PER_DAY, .quiet_ns = NS_PER_DAY, .over = 100, .tactics = 1};
    if (r->node->kind != YAML_MAPPING)
        return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: risk is a number, or a mapping", r->node->line);
    for (size_t i = 0; i < r->node->count; i++) {
        struct slice word = r->node->entries[i].key->text;
        bool found = false;
        for (size_t k = 0; k < ARRAY_COUNT(known); k++)
            found |= slice_is(word, known[k]);
        if (!found)
            return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: there is no '%.*s' in risk; without rules it is that of all "
                             "rules and has half_life, over, tactics, quiet and of", r->node->entries[i].key->line, SLICE_ARG(word));
    }
    return read_span(r, "half_life", NS_PER_MINUTE, &risk->half_life_ns) && read_span(r, "quiet", 0, &risk->quiet_ns) &&
           read_number(r, "over", 1, OVER_MAX, &risk->over) && read_number(r, "tactics", 0, TACTICS_MAX, &risk->tactics) &&
           read_types(r, risk);
}

void entity_risk_compile(struct rule_set *set, struct rule *rule)
{
    const struct yaml_node *section = yaml_get(rule->document, "hinomi");
    struct rule_risk *risk = arena_calloc(set->arena, sizeof(*risk));
    const struct reading r = {set, rule, yaml_get(section, "risk")};
    rule->risk = risk;
    if (!risk)
        rule_fail(set, rule, RULE_REFUSED, "out of memory");
    else if (!rule->title.ptr)
        rule_fail(set, rule, RULE_REFUSED, "the rule has no title");
    else if (yaml_get(rule->document, "detection") || yaml_get(section, "entities"))
        rule_fail(set, rule, RULE_REFUSED, "a rule of the risk of entities has neither detection nor entities: findings of all "
                  "rules are what it counts");
    else if (read_risk(&r, risk))
        (void)extension_compile(set, section, rule);
}
