/*
 * What Sigma's correlations cannot say, under "hinomi:" (docs/rules.md). Each is a correlation as far as groups,
 * windows, late events and findings go; only what is counted differs.
 *
 *   ratio:  {key: [host.name], of: 'event.outcome = "failure"', gte: 0.5, at_least: 20, within: 10m}
 *   beacon: {key: [source.ip, destination.ip], intervals: 8, jitter: 0.1, within: 24h}
 *   once:   {key: [user.name], for: 1h}
 *   risk:   {key: user.name, rules: {rule_a: 20, rule_b: 50}, half_life: 24h, threshold: 100}
 */
#include "base/duration.h"
#include "base/limits.h"
#include "detect/correlation_rule.h"
#include "detect/rule_parts.h"

enum { HALF_LIVES = 12 }; /* then a score is a 4096th of what it was, and forgotten */

struct part {
    struct rule_set *set;
    struct rule *rule;
    const struct yaml_node *node;
    struct correlation *to;
};

static bool refuse(const struct part *p, const char *what)
{
    return rule_fail(p->set, p->rule, RULE_REFUSED, "line %d: %s", p->node->line, what);
}

static bool check_words(const struct part *p, const char *const *known, size_t count)
{
    if (p->node->kind != YAML_MAPPING)
        return refuse(p, "a mapping is needed here");
    for (size_t i = 0; i < p->node->count; i++) {
        struct slice word = p->node->entries[i].key->text;
        bool found = false;
        for (size_t k = 0; k < count; k++)
            found |= slice_is(word, known[k]);
        if (!found)
            return rule_fail(p->set, p->rule, RULE_REFUSED, "line %d: there is no '%.*s' here",
                             p->node->entries[i].key->line, SLICE_ARG(word));
    }
    return true;
}

static bool read_span(const struct part *p, const char *key, int64_t *out)
{
    p->to->span_text = yaml_text(yaml_get(p->node, key), SLICE(""));
    return duration_parse(p->to->span_text, out) ||
           rule_fail(p->set, p->rule, RULE_REFUSED, "line %d: %s needs a duration such as 10m", p->node->line, key);
}

static bool read_count(const struct part *p, const char *key, int64_t most, uint32_t *out)
{
    int64_t n;
    if (!yaml_get(p->node, key))
        return true;
    if (!yaml_to_i64(yaml_get(p->node, key), &n) || n < 1 || n > most)
        return rule_fail(p->set, p->rule, RULE_REFUSED, "line %d: %s is a number from 1 to %lld", p->node->line, key,
                         (long long)most);
    *out = (uint32_t)n;
    return true;
}

static bool read_limits(const struct part *p)
{
    static const struct {
        const char *name;
        enum correlation_operator op;
    } names[] = {{"gt", CORRELATE_GT}, {"gte", CORRELATE_GTE}, {"lt", CORRELATE_LT}, {"lte", CORRELATE_LTE}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct yaml_node *node = yaml_get(p->node, names[i].name);
        struct correlation_limit *limit = &p->to->limits[p->to->limit_count];
        if (!node)
            continue;
        limit->op = names[i].op;
        if (!decimal_parse(yaml_text(node, SLICE("")), &limit->number))
            return refuse(p, "a comparison needs a number");
        p->to->limit_count++;
    }
    return p->to->limit_count || refuse(p, "compare with gt, gte, lt or lte");
}

static bool read_ratio(const struct part *p)
{
    static const char *const known[] = {"key", "of", "gt", "gte", "lt", "lte", "at_least", "within"};
    p->to->type = CORRELATE_RATIO;
    p->to->at_least = 10;
    return check_words(p, known, ARRAY_COUNT(known)) &&
           extension_expression(p->set, p->rule, yaml_get(p->node, "of"), "ratio.of", &p->to->of) &&
           read_limits(p) && read_count(p, "at_least", 1000000, &p->to->at_least) &&
           read_span(p, "within", &p->to->span_ns);
}

static bool read_beacon(const struct part *p)
{
    static const char *const known[] = {"key", "intervals", "jitter", "within"};
    const struct yaml_node *jitter = yaml_get(p->node, "jitter");
    p->to->type = CORRELATE_BEACON;
    p->to->at_least = 8;
    p->to->jitter = 0.1;
    if (!check_words(p, known, ARRAY_COUNT(known)) || !read_count(p, "intervals", 1000, &p->to->at_least) ||
        !read_span(p, "within", &p->to->span_ns))
        return false;
    if (jitter && (!slice_to_f64(yaml_text(jitter, SLICE("")), &p->to->jitter) || !(p->to->jitter >= 0) ||
                   !(p->to->jitter <= 0.5)))
        return refuse(p, "jitter is a number from 0 to 0.5");
    return p->to->at_least >= 3 || refuse(p, "intervals are at least 3");
}

/* Every hit counts, and one is enough: the first is found, and again after the span; the others are counted. */
static bool read_once(const struct part *p)
{
    static const char *const known[] = {"key", "for"};
    p->to->type = CORRELATE_EVENTS;
    p->to->limits[0] = (struct correlation_limit){CORRELATE_GTE, decimal_from_i64(1)};
    p->to->limit_count = 1;
    return check_words(p, known, ARRAY_COUNT(known)) && read_span(p, "for", &p->to->span_ns);
}

static bool read_scores(const struct part *p)
{
    const struct yaml_node *rules = yaml_get(p->node, "rules");
    if (!rules || rules->kind != YAML_MAPPING || rules->count == 0 || rules->count > CORRELATION_RULES_MAX)
        return refuse(p, "rules is a mapping of up to 64 rules to their scores");
    struct decimal *scores = arena_array(p->set->arena, rules->count, sizeof(*scores));
    p->to->scores = scores;
    for (size_t i = 0; scores && i < rules->count; i++) {
        if (!decimal_parse(yaml_text(rules->entries[i].value, SLICE("")), &scores[i]))
            return refuse(p, "a score is a number");
        if (!correlation_add_part(p->set, p->rule, p->to, rules->entries[i].key->text, yaml_get(p->node, "aliases")))
            return false;
    }
    return scores || refuse(p, "out of memory");
}

static bool read_risk(const struct part *p)
{
    static const char *const known[] = {"key", "rules", "aliases", "half_life", "threshold"};
    const struct yaml_node *threshold = yaml_get(p->node, "threshold");
    p->to->type = CORRELATE_RISK;
    p->to->generate = true;
    p->to->limits[0].op = CORRELATE_GTE;
    p->to->limit_count = 1;
    if (!check_words(p, known, ARRAY_COUNT(known)) || !read_span(p, "half_life", &p->to->half_life_ns))
        return false;
    if (!decimal_parse(yaml_text(threshold, SLICE("")), &p->to->limits[0].number))
        return refuse(p, "threshold is a number");
    p->to->span_ns = p->to->half_life_ns > INT64_MAX / HALF_LIVES ? INT64_MAX : p->to->half_life_ns * HALF_LIVES;
    return read_scores(p);
}

bool correlation_beyond(struct rule_set *set, struct rule *rule, const struct yaml_node *section,
                        struct correlation *correlation)
{
    static const struct {
        const char *name;
        bool (*read)(const struct part *part);
        bool own_hits;
    } kinds[] = {{"ratio", read_ratio, true}, {"beacon", read_beacon, true}, {"once", read_once, true}, {"risk", read_risk, false}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct part p = {set, rule, yaml_get(section, kinds[i].name), correlation};
        if (!p.node)
            continue;
        if (!correlation_add_fields(set, rule, yaml_get(p.node, "key"), correlation) || !kinds[i].read(&p) ||
            (kinds[i].own_hits && !correlation_add_self(set, rule, correlation)))
            return false;
        correlation->complete = true;
        return true;
    }
    return rule_fail(set, rule, RULE_REFUSED, "the rule has neither a detection nor a correlation");
}
