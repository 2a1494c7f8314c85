#include "detect/response.h"

#include "detect/rule_parts.h"
#include "event/schema.h"

enum { SUGGESTED_MAX = 8 };

static const char *const scopes[] = {"account", "asset", "wallet", "address", "partner", "all"};

static bool is_scope(struct slice word)
{
    for (size_t i = 0; i < ARRAY_COUNT(scopes); i++)
        if (slice_is(word, scopes[i]))
            return true;
    return false;
}

/* ---- reading ---- */

static bool read_hold(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!node)
        return true;
    if (node->kind != YAML_MAPPING || node->count == 0 || node->count > RULE_HOLDS_MAX)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: hold is a mapping of at most %d scopes to fields", node->line,
                         RULE_HOLDS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        struct slice scope = node->entries[i].key->text, field = yaml_text(node->entries[i].value, SLICE(""));
        if (!is_scope(scope))
            return rule_fail(set, rule, RULE_REFUSED,
                             "line %d: '%.*s' cannot be held; there are account, asset, wallet, address, partner and all",
                             node->entries[i].key->line, SLICE_ARG(scope));
        if (!field.len || (slice_is(scope, "all") && !slice_is(field, "true")))
            return rule_fail(set, rule, RULE_REFUSED, "line %d: hold needs a field for %.*s (true for all)",
                             node->entries[i].key->line, SLICE_ARG(scope));
        rule->holds[rule->hold_count++] = (struct rule_entity){scope, field};
    }
    return true;
}

static bool read_suggested(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!node)
        return true;
    if (node->kind != YAML_SEQUENCE || node->count > SUGGESTED_MAX)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: suggest is a list of at most %d words", node->line, SUGGESTED_MAX);
    struct slice *words = arena_array(set->arena, node->count + 1, sizeof(*words));
    if (!words)
        return rule_fail(set, rule, RULE_REFUSED, "out of memory");
    for (size_t i = 0; i < node->count; i++)
        words[i] = yaml_text(node->entries[i].value, SLICE(""));
    rule->suggested = words;
    rule->suggested_count = node->count;
    return true;
}

bool response_compile(struct rule_set *set, struct rule *rule, const struct yaml_node *node)
{
    if (!node)
        return true;
    if (node->kind != YAML_MAPPING)
        return rule_fail(set, rule, RULE_REFUSED, "line %d: response is a mapping", node->line);
    for (size_t i = 0; i < node->count; i++)
        if (!slice_is(node->entries[i].key->text, "hold") && !slice_is(node->entries[i].key->text, "suggest"))
            return rule_fail(set, rule, RULE_REFUSED, "line %d: there is no '%.*s' in response; there are hold and suggest",
                             node->entries[i].key->line, SLICE_ARG(node->entries[i].key->text));
    return read_hold(set, rule, yaml_get(node, "hold")) && read_suggested(set, rule, yaml_get(node, "suggest"));
}

/* ---- of a finding ---- */

struct holding {
    struct entity *list;
    size_t count, room;
    struct arena *arena;
};

static bool add(struct holding *to, struct slice scope, struct slice target)
{
    for (size_t i = 0; i < to->count; i++)
        if (slice_equal(to->list[i].type, scope) && slice_equal(to->list[i].value, target))
            return true;
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : RULE_HOLDS_MAX;
        to->list = arena_grow(to->arena, to->list, to->count * sizeof(*to->list), room * sizeof(*to->list));
        if (!to->list)
            return false;
        to->room = room;
    }
    to->list[to->count++] = (struct entity){scope, target};
    return true;
}

static bool add_of_row(struct holding *to, const struct rule_entity *hold, const struct hit *hit)
{
    const struct column *column = hit && hit->batch ? batch_find(hit->batch, schema_alias(hold->field)) : NULL;
    uint32_t first, count = column ? column_range(column, hit->row, &first) : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct value v = column_value(column, first + i);
        struct slice text = v.type == VALUE_NULL ? SLICE_NONE : value_text(v, to->arena);
        if (text.len && !add(to, hold->type, text))
            return false;
    }
    return true;
}

static bool add_named(struct holding *to, const struct rule_entity *hold, struct slice type, const struct entity *from,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(from[i].type, type) && from[i].value.len && !add(to, hold->type, from[i].value))
            return false;
    return true;
}

static bool add_hold(struct holding *to, const struct rule *rule, const struct rule_entity *hold, const struct hit *hit,
                     const struct finding *finding)
{
    size_t before = to->count;
    if (slice_is(hold->type, "all"))
        return add(to, hold->type, SLICE(""));
    if (!add_of_row(to, hold, hit) ||
        (to->count == before && !add_named(to, hold, hold->field, finding->groups, finding->group_count)))
        return false;
    for (size_t i = 0; to->count == before && i < rule->entity_count; i++)
        if (slice_equal(rule->entities[i].field, hold->field) &&
            !add_named(to, hold, rule->entities[i].type, finding->entities, finding->entity_count))
            return false;
    return true;
}

int response_holds(const struct rule *rule, const struct hit *hit, struct arena *arena, struct finding *finding)
{
    struct holding to = {.arena = arena};
    finding->holds = NULL;
    finding->hold_count = 0;
    if (finding->retracts.ptr || finding->follows.ptr)
        return 0;
    for (size_t i = 0; i < rule->hold_count; i++)
        if (!add_hold(&to, rule, &rule->holds[i], hit, finding))
            return -1;
    finding->holds = to.list;
    finding->hold_count = to.count;
    return 0;
}
