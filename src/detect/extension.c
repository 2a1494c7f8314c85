/*
 * The "hinomi:" section of a rule (docs/rules.md):
 *
 *   catalogue: WDR-05                 entities: {wallet: wallet.from}
 *   where: wallet.amount > 0.05 * state("wallet", wallet.from, "balance")
 *   absent: {event: EXPR, key: EXPR, their_key: EXPR, within: 120s}
 *   silence: {key: EXPR, after: 10m}
 *   new: {key: [EXPR, EXPR], of: EXPR, learn: 7d, forget: 90d}
 *   usual: {key: EXPR, calendar: japan, above: 4, below: 4, at_least: 10, learn: 14d}
 *   ratio, beacon, once, risk of rules: detect/correlation_beyond.c
 *   risk of entities, risk: N: detect/entity_risk_rule.c
 *   response: {hold: {asset: wallet.asset}, suggest: [sweep]}  detect/response.c
 *   explain: {en: "... {wallet.amount} ...", ja: "..."}   why, check, do: likewise
 */
#include "detect/rule_parts.h"

#include "base/duration.h"
#include "detect/correlation_rule.h"
#include "detect/response.h"
#include "table/calendar.h"
#include "expr/parse.h"

bool extension_expression(struct rule_set *set, struct rule *rule, const struct yaml_node *node, const char *what,
                          const struct expr **out)
{
    struct err err;
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return rule_fail(set, rule, RULE_REFUSED, "%s: an expression is needed", what);
    if (expr_parse(text, set->arena, out, &err) < 0)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: %s: %s", node->line, what, err.text);
    return true;
}

static bool duration(struct rule_set *set, struct rule *rule, const struct yaml_node *node,
                     const char *what, int64_t *out)
{
    if (duration_parse(yaml_text(node, SLICE("")), out))
        return true;
    return rule_fail(set, rule, RULE_REFUSED, "%s: a duration such as 120s or 10m is needed", what);
}

/* A rule remembers in one way only. */
static bool is_plain(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    return rule->kind == RULE_MATCH ||
           rule_fail(set, rule, RULE_REFUSED,
                     "line %d: a rule has one of absent, silence, new, usual, ratio, beacon, once, risk and correlation", node->line);
}

static bool compile_absent(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!is_plain(set, rule, node))
        return false;
    rule->kind = RULE_ABSENT;
    const struct yaml_node *theirs = yaml_get(node, "their_key");
    return extension_expression(set, rule, yaml_get(node, "event"), "absent.event", &rule->partner) &&
           extension_expression(set, rule, yaml_get(node, "key"), "absent.key", &rule->key) &&
           extension_expression(set, rule, theirs ? theirs : yaml_get(node, "key"), "absent.their_key",
                      &rule->partner_key) &&
           duration(set, rule, yaml_get(node, "within"), "absent.within", &rule->grace_ns);
}

static bool compile_silence(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!is_plain(set, rule, node))
        return false;
    rule->kind = RULE_SILENCE;
    return extension_expression(set, rule, yaml_get(node, "key"), "silence.key", &rule->key) &&
           duration(set, rule, yaml_get(node, "after"), "silence.after", &rule->silence_ns);
}

/* "key" is a list of expressions, or one; each is called as it is written. */
static bool compile_keys(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    size_t count = !node ? 0 : node->kind == YAML_SCALAR ? 1 : node->count;
    struct rule_key *keys = arena_array(set->arena, count + 1, sizeof(*keys));
    if (!keys)
        return rule_fail(set, rule, RULE_REFUSED, "out of memory");
    if (!node || node->kind == YAML_MAPPING || !count || count > RULE_KEYS_MAX)
        return rule_fail(set, rule, RULE_REFUSED, "new.key is a list of at most %d expressions", RULE_KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *one = node->kind == YAML_SCALAR ? node : node->entries[i].value;
        keys[i].name = yaml_text(one, SLICE(""));
        if (!extension_expression(set, rule, one, "new.key", &keys[i].expr))
            return false;
    }
    rule->new_keys = keys;
    rule->new_key_count = count;
    return true;
}

static bool compile_new(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    const struct yaml_node *of = yaml_get(node, "of"), *forget = yaml_get(node, "forget");
    if (!is_plain(set, rule, node))
        return false;
    rule->kind = RULE_NEW;
    return compile_keys(set, rule, yaml_get(node, "key")) &&
           duration(set, rule, yaml_get(node, "learn"), "new.learn", &rule->learn_ns) &&
           (!of || extension_expression(set, rule, of, "new.of", &rule->new_of)) &&
           (!forget || duration(set, rule, forget, "new.forget", &rule->forget_ns));
}

static bool number(struct rule_set *set, struct rule *rule, const struct yaml_node *node, const char *what,
                   double fallback, double *out)
{
    *out = fallback;
    if (!node || (slice_to_f64(yaml_text(node, SLICE("")), out) && *out > 0 && *out < 1e9))
        return true;
    return rule_fail(set, rule, RULE_REFUSED, "line %d: %s is a number above 0", node->line, what);
}

static bool compile_usual(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    struct slice calendar = yaml_text(yaml_get(node, "calendar"), SLICE_NONE);
    const struct yaml_node *learn = yaml_get(node, "learn");
    int64_t learn_ns = 14 * NS_PER_DAY;
    if (!is_plain(set, rule, node))
        return false;
    rule->kind = RULE_USUAL;
    rule->key_name = yaml_text(yaml_get(node, "key"), SLICE_NONE);
    rule->calendar = calendar.ptr ? calendar_find(set->calendars, calendar) : NULL;
    if (calendar.ptr && !rule->calendar)
        return rule_fail(set, rule, RULE_INACTIVE, "there is no calendar '%.*s' in content/calendars",
                         SLICE_ARG(calendar));
    if (!extension_expression(set, rule, yaml_get(node, "key"), "usual.key", &rule->key) ||
        !number(set, rule, yaml_get(node, "above"), "usual.above", yaml_get(node, "below") ? 0 : 4, &rule->above) ||
        !number(set, rule, yaml_get(node, "below"), "usual.below", 0, &rule->below) ||
        !number(set, rule, yaml_get(node, "at_least"), "usual.at_least", 10, &rule->at_least) ||
        (learn && !duration(set, rule, learn, "usual.learn", &learn_ns)))
        return false;
    rule->learn_times = learn_ns < 7 * NS_PER_DAY ? 1 : (uint32_t)(learn_ns / (7 * NS_PER_DAY));
    return true;
}

/* What counts the hits of the rule itself; risk has been read already, with the rules that it names. */
static bool compile_counting(struct rule_set *set, const struct yaml_node *section, struct rule *rule)
{
    if (!yaml_get(section, "ratio") && !yaml_get(section, "beacon") && !yaml_get(section, "once"))
        return true;
    if (!is_plain(set, rule, section))
        return false;
    struct correlation *correlation = arena_calloc(set->arena, sizeof(*correlation));
    if (!correlation)
        return rule_fail(set, rule, RULE_REFUSED, "out of memory");
    rule->correlation = correlation;
    if (!correlation_beyond(set, rule, section, correlation))
        return false;
    rule->kind = RULE_CORRELATION;
    return true;
}

static bool compile_entities(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!node)
        return true;
    if (node->kind != YAML_MAPPING || node->count > RULE_ENTITIES_MAX)
        return rule_fail(set, rule, RULE_REFUSED,
                         "entities is a mapping of at most %d types to fields", RULE_ENTITIES_MAX);
    for (size_t i = 0; i < node->count; i++)
        rule->entities[rule->entity_count++] = (struct rule_entity){
            node->entries[i].key->text, yaml_text(node->entries[i].value, SLICE(""))};
    return true;
}

static void both_languages(const struct yaml_node *section, const char *key, struct slice *en,
                           struct slice *ja)
{
    const struct yaml_node *node = yaml_get(section, key);
    *en = yaml_text(yaml_get(node, "en"), SLICE_NONE);
    *ja = yaml_text(yaml_get(node, "ja"), SLICE_NONE);
}

bool extension_compile(struct rule_set *set, const struct yaml_node *section, struct rule *rule)
{
    static const char *const known[] = {"catalogue", "entities", "where", "absent", "silence",
                                        "explain",   "why",      "check", "do",     "ratio",
                                        "beacon",    "risk",     "new",   "usual",  "once",
                                        "response"};
    if (section->kind != YAML_MAPPING)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: hinomi is a mapping", section->line);
    for (size_t i = 0; i < section->count; i++) {
        bool found = false;
        for (size_t k = 0; k < ARRAY_COUNT(known); k++)
            found |= slice_is(section->entries[i].key->text, known[k]);
        if (!found)
            return rule_fail(set, rule, RULE_REFUSED, "line %d: there is no '%.*s' in hinomi",
                             section->entries[i].key->line,
                             SLICE_ARG(section->entries[i].key->text));
    }
    rule->catalogue = yaml_text(yaml_get(section, "catalogue"), SLICE_NONE);
    both_languages(section, "explain", &rule->explain_en, &rule->explain_ja);
    both_languages(section, "why", &rule->why_en, &rule->why_ja);
    both_languages(section, "check", &rule->check_en, &rule->check_ja);
    both_languages(section, "do", &rule->do_en, &rule->do_ja);
    if (yaml_get(section, "where") && rule->kind != RULE_MATCH)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: where is for rules of events", section->line);
    if (yaml_get(section, "where") &&
        !extension_expression(set, rule, yaml_get(section, "where"), "where", &rule->where))
        return false;
    if (yaml_get(section, "absent") && !compile_absent(set, rule, yaml_get(section, "absent")))
        return false;
    if (yaml_get(section, "silence") && !compile_silence(set, rule, yaml_get(section, "silence")))
        return false;
    if (yaml_get(section, "new") && !compile_new(set, rule, yaml_get(section, "new")))
        return false;
    if (yaml_get(section, "usual") && !compile_usual(set, rule, yaml_get(section, "usual")))
        return false;
    return compile_counting(set, section, rule) && compile_entities(set, rule, yaml_get(section, "entities")) &&
           response_compile(set, rule, yaml_get(section, "response"));
}
