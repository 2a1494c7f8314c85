/* The condition of a correlation: comparisons, or rules and words between them. */
#include "base/limits.h"
#include "detect/correlation_read.h"
#include "detect/words.h"

/* A condition that names rules, while it is read. */
struct naming {
    struct words words;
    int depth;
};

enum { STEPS_MAX = 256 };

static bool add_step(struct reading *r, struct correlation_step *steps, enum step_kind kind, uint32_t part)
{
    if (r->to->step_count == STEPS_MAX)
        return correlation_refuse(r, NULL, "the condition is too long");
    steps[r->to->step_count].kind = kind;
    steps[r->to->step_count++].part = part;
    return true;
}

static bool steps_or(struct reading *r, struct naming *n, struct correlation_step *steps);

static bool steps_name(struct reading *r, struct naming *n, struct correlation_step *steps)
{
    struct slice word = words_peek(&n->words);
    n->words.at += word.len;
    for (uint32_t i = 0; word.len && i < r->to->part_count; i++)
        if (rule_is_named(r->to->parts[i].rule, word))
            return add_step(r, steps, STEP_PART, i);
    return rule_fail(r->set, r->rule, RULE_REFUSED, "the condition names '%.*s', which is not among the rules",
                     SLICE_ARG(word));
}

static bool steps_one(struct reading *r, struct naming *n, struct correlation_step *steps)
{
    if (++n->depth > EXPR_DEPTH_MAX)
        return correlation_refuse(r, NULL, "the condition is nested too deeply");
    bool ok;
    if (words_take(&n->words, "not")) {
        ok = steps_one(r, n, steps) && add_step(r, steps, STEP_NOT, 0);
        r->to->at_close = true;
    } else if (words_take(&n->words, "(")) {
        ok = steps_or(r, n, steps) && (words_take(&n->words, ")") || correlation_refuse(r, NULL, "the condition lacks a closing )"));
    } else {
        ok = steps_name(r, n, steps);
    }
    n->depth--;
    return ok;
}

static bool steps_and(struct reading *r, struct naming *n, struct correlation_step *steps)
{
    bool ok = steps_one(r, n, steps);
    while (ok && words_take(&n->words, "and"))
        ok = steps_one(r, n, steps) && add_step(r, steps, STEP_AND, 0);
    return ok;
}

static bool steps_or(struct reading *r, struct naming *n, struct correlation_step *steps)
{
    bool ok = steps_and(r, n, steps);
    while (ok && words_take(&n->words, "or"))
        ok = steps_and(r, n, steps) && add_step(r, steps, STEP_OR, 0);
    return ok;
}

/* "a and not b", over the rules that are named. In order, only "a and b and c" makes sense. */
static bool read_steps(struct reading *r, const struct yaml_node *node)
{
    struct naming n = {.words = {node->text, 0}};
    struct correlation_step *steps = arena_array(r->set->arena, STEPS_MAX, sizeof(*steps));
    if (!steps)
        return correlation_no_memory(r);
    if (!correlation_is_temporal(r->to))
        return correlation_refuse(r, node, "only temporal correlations have a condition that names rules");
    r->to->steps = steps;
    if (!steps_or(r, &n, steps))
        return false;
    if (words_peek(&n.words).len)
        return correlation_refuse(r, node, "the condition lacks an 'and' or 'or'");
    for (size_t i = 0; r->to->type == CORRELATE_ORDERED && i < r->to->step_count; i++)
        if (steps[i].kind == STEP_OR || steps[i].kind == STEP_NOT)
            return correlation_refuse(r, node, "temporal_ordered knows only 'and' between rules");
    return true;
}

static bool read_limit(struct reading *r, const struct yaml_entry *entry)
{
    static const char *const names[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
    if (slice_is(entry->key->text, "field"))
        return true;
    if (slice_is(entry->key->text, "percentile")) {
        if (r->to->type != CORRELATE_SHARE && r->to->type != CORRELATE_PERCENTILE)
            return correlation_refuse(r, entry->key, "percentile belongs to value_percentile");
        r->to->type = CORRELATE_PERCENTILE;
        if (decimal_parse(yaml_text(entry->value, SLICE("")), &r->to->percentile) &&
            r->to->percentile.scale <= CORRELATION_PERCENTILE_PLACES &&
            decimal_compare(r->to->percentile, decimal_from_i64(0)) >= 0 &&
            decimal_compare(r->to->percentile, decimal_from_i64(100)) <= 0)
            return true;
        return correlation_refuse(r, entry->value, "a percentile is a number from 0 to 100, with up to 6 digits after "
                                                   "the point");
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct correlation_limit *limit = &r->to->limits[r->to->limit_count];
        if (!slice_is(entry->key->text, names[i]))
            continue;
        if (r->to->limit_count == CORRELATION_LIMITS_MAX)
            return correlation_refuse(r, entry->key, "a condition has at most four comparisons");
        limit->op = (enum correlation_operator)i;
        r->to->limit_count++;
        return decimal_parse(yaml_text(entry->value, SLICE("")), &limit->number) ||
               correlation_refuse(r, entry->value, "a comparison needs a number");
    }
    return rule_fail(r->set, r->rule, RULE_REFUSED,
                     "line %d: there is no '%.*s' in a condition; there are gt, gte, lt, lte, eq, neq and field",
                     entry->key->line, SLICE_ARG(entry->key->text));
}

static bool holds_for(const struct correlation *correlation, int64_t count)
{
    struct decimal n = decimal_from_i64(count);
    for (size_t i = 0; i < correlation->limit_count; i++)
        if (!correlation_holds(&correlation->limits[i], n))
            return false;
    return true;
}

/* Whether some count from 1 on fulfils it: if any does, then 1 or one beside a limit. */
static bool can_hold(const struct correlation *correlation)
{
    if (holds_for(correlation, 1))
        return true;
    for (size_t i = 0; i < correlation->limit_count; i++) {
        int64_t n;
        if (!decimal_to_i64(decimal_round(correlation->limits[i].number, 0), &n) || n > INT64_MAX / 2)
            continue;
        for (int64_t k = n < 2 ? 1 : n - 1; k <= n + 1; k++)
            if (holds_for(correlation, k))
                return true;
    }
    return false;
}

/* Whether more events cannot make it untrue again. */
static bool grows_only(const struct correlation *correlation)
{
    bool up = true, down = true;
    for (size_t i = 0; i < correlation->limit_count; i++) {
        enum correlation_operator op = correlation->limits[i].op;
        up &= op == CORRELATE_GT || op == CORRELATE_GTE;
        down &= op == CORRELATE_LT || op == CORRELATE_LTE;
    }
    if (correlation->type == CORRELATE_MIN)
        return down;
    return up && correlation->type != CORRELATE_AVERAGE && correlation->type != CORRELATE_PERCENTILE &&
           correlation->type != CORRELATE_SHARE;
}

bool correlation_read_condition(struct reading *r)
{
    const struct yaml_node *node = yaml_get(r->section, "condition");
    bool counts = r->to->type == CORRELATE_EVENTS || r->to->type == CORRELATE_VALUES;
    if (correlation_is_temporal(r->to) && (!node || yaml_is_null(node)))
        return true;
    if (node && node->kind == YAML_SCALAR && !yaml_is_null(node))
        return read_steps(r, node);
    if (!node || node->kind != YAML_MAPPING)
        return correlation_refuse(r, node, "the correlation needs a condition, such as {gte: 10}");
    for (size_t i = 0; i < node->count; i++)
        if (!read_limit(r, &node->entries[i]))
            return false;
    if (r->to->limit_count == 0)
        return correlation_refuse(r, node, "the condition compares with nothing; add gt, gte, lt, lte, eq or neq");
    r->to->at_close = !grows_only(r->to);
    struct decimal most = decimal_from_i64(CORRELATION_VALUES_MAX);
    for (size_t i = 0; r->to->type == CORRELATE_VALUES && i < r->to->limit_count; i++)
        if (decimal_compare(r->to->limits[i].number, most) > 0)
            return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: different values are counted up to %d",
                             node->line, CORRELATION_VALUES_MAX);
    if (counts && r->to->at_close && !can_hold(r->to))
        return rule_fail(r->set, r->rule, RULE_INACTIVE,
                         "line %d: only a timespan without any event would fulfil the condition; hinomi.silence and "
                         "hinomi.absent see that", node->line);
    return true;
}

bool correlation_holds(const struct correlation_limit *limit, struct decimal value)
{
    int order = decimal_compare(value, limit->number);
    switch (limit->op) {
    case CORRELATE_GT:
        return order > 0;
    case CORRELATE_GTE:
        return order >= 0;
    case CORRELATE_LT:
        return order < 0;
    case CORRELATE_LTE:
        return order <= 0;
    case CORRELATE_EQ:
        return order == 0;
    case CORRELATE_NEQ:
        break;
    }
    return order != 0;
}
