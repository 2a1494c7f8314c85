#include "detect/correlation_read.h"

#include "base/clock.h"
#include "base/limits.h"
#include "detect/rule_parts.h"

static const struct {
    const char *name;
    enum correlation_type type;
} types[] = {
    {"event_count", CORRELATE_EVENTS},     {"value_count", CORRELATE_VALUES},
    {"temporal", CORRELATE_TEMPORAL},      {"temporal_ordered", CORRELATE_ORDERED},
    {"value_sum", CORRELATE_SUM},          {"value_avg", CORRELATE_AVERAGE},
    {"value_min", CORRELATE_MIN},          {"value_max", CORRELATE_MAX},
    {"value_median", CORRELATE_PERCENTILE}, {"value_percentile", CORRELATE_SHARE},
};

bool correlation_refuse(struct reading *r, const struct yaml_node *node, const char *what)
{
    return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: %s", node ? node->line : r->section->line, what);
}

bool correlation_no_memory(struct reading *r)
{
    return rule_fail(r->set, r->rule, RULE_REFUSED, "out of memory");
}

bool correlation_is_temporal(const struct correlation *correlation)
{
    return correlation->type == CORRELATE_TEMPORAL || correlation->type == CORRELATE_ORDERED;
}

/* ---- type, timespan, fields ---- */

static bool read_type(struct reading *r)
{
    const struct yaml_node *node = yaml_get(r->section, "type");
    struct slice name = yaml_text(node, SLICE_NONE);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (slice_is(name, types[i].name)) {
            r->to->type = types[i].type;
            r->to->percentile = decimal_from_i64(50);
            return true;
        }
    return rule_fail(r->set, r->rule, RULE_REFUSED,
                     "line %d: '%.*s' is no type of correlation; there are event_count, value_count, temporal, "
                     "temporal_ordered, value_sum, value_avg, value_percentile, value_median, value_min and value_max",
                     node ? node->line : r->section->line, SLICE_ARG(name));
}

/* Number and letter; a month and a year are of average length. */
static bool read_timespan(struct reading *r)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
    const struct yaml_node *node = yaml_get(r->section, "timespan");
    struct slice text = yaml_text(node, SLICE(""));
    int64_t number, seconds;
    for (size_t i = 0; text.len > 1 && i < ARRAY_COUNT(units); i++)
        if (text.ptr[text.len - 1] == units[i].letter && slice_to_i64(slice_sub(text, 0, text.len - 1), &number) &&
            number > 0 && !__builtin_mul_overflow(number, units[i].seconds, &seconds) &&
            seconds <= 100 * units[6].seconds) {
            r->to->span_ns = seconds * NS_PER_SECOND;
            r->to->span_text = text;
            return true;
        }
    return correlation_refuse(r, node, "timespan is a number and a letter (s m h d w M y), such as 5m, of at most 100 years");
}

/* A text or a list of texts, behind the fields that are there already. */
static bool read_fields(struct reading *r, const struct yaml_node *node)
{
    struct correlation *to = r->to;
    size_t from = to->group_count + to->value_count, count = from;
    size_t wanted = !node || yaml_is_null(node) ? 0 : node->kind == YAML_SCALAR ? 1 : node->count;
    if (!to->fields)
        to->fields = arena_array(r->set->arena, CORRELATION_FIELDS_MAX, sizeof(*to->fields));
    if (!to->fields)
        return correlation_no_memory(r);
    if (node && node->kind == YAML_MAPPING)
        return correlation_refuse(r, node, "fields are a text or a list of texts");
    if (from + wanted > CORRELATION_FIELDS_MAX)
        return correlation_refuse(r, node, "a correlation has at most 16 fields");
    for (size_t i = 0; i < wanted; i++) {
        const struct yaml_node *one = node->kind == YAML_SCALAR ? node : node->entries[i].value;
        struct slice name = yaml_text(one, SLICE_NONE);
        if (!name.len)
            return correlation_refuse(r, one, "the name of a field is a text");
        for (size_t k = from; k < count; k++)
            if (slice_equal(to->fields[k], name))
                return correlation_refuse(r, one, "a field stands here twice");
        to->fields[count++] = name;
    }
    to->value_count = count - to->group_count;
    return true;
}

static bool read_groups(struct reading *r, const struct yaml_node *node)
{
    if (!read_fields(r, node))
        return false;
    r->to->group_count = r->to->value_count;
    r->to->value_count = 0;
    return true;
}

static bool read_all_fields(struct reading *r)
{
    const struct yaml_node *condition = yaml_get(r->section, "condition");
    const struct yaml_node *field = yaml_get(condition, "field");
    if (!read_groups(r, yaml_get(r->section, "group-by")) ||
        !read_fields(r, field ? field : yaml_get(r->section, "field")))
        return false;
    bool counts_events = r->to->type == CORRELATE_EVENTS || correlation_is_temporal(r->to);
    bool may_have_many = r->to->type == CORRELATE_VALUES || r->to->type == CORRELATE_SHARE;
    if (counts_events && r->to->value_count)
        return correlation_refuse(r, field, "event_count and temporal correlations count no field");
    if (!counts_events && r->to->value_count == 0)
        return correlation_refuse(r, condition, "the condition needs 'field', what is to be counted");
    if (!may_have_many && r->to->value_count > 1)
        return correlation_refuse(r, field, "one field can be summed up, not several");
    return true;
}

/* ---- the rules that it names ---- */

static bool compile(struct rule_set *set, struct rule *rule);

static bool part_usable(struct reading *r, struct slice word, const struct rule *named, bool several)
{
    if (!named)
        return rule_fail(r->set, r->rule, RULE_INACTIVE, "it names the rule '%.*s', which is not here",
                         SLICE_ARG(word));
    if (several)
        return rule_fail(r->set, r->rule, RULE_REFUSED, "more than one rule is called '%.*s'; name it by its id",
                         SLICE_ARG(word));
    if (named->status != RULE_ACTIVE)
        return rule_fail(r->set, r->rule, RULE_INACTIVE, "the rule '%.*s' that it names is %s: %.*s",
                         SLICE_ARG(word), rule_status_name(named->status), SLICE_ARG(named->reason));
    if (named->kind != RULE_MATCH && named->kind != RULE_CORRELATION)
        return rule_fail(r->set, r->rule, RULE_INACTIVE,
                         "the rule '%.*s' waits for what does not come; a correlation can name rules of events and "
                         "correlations", SLICE_ARG(word));
    return true;
}

static const struct yaml_node *alias_of(const struct yaml_node *aliases, struct slice field,
                                        const struct rule *named)
{
    const struct yaml_node *alias = yaml_get_slice(aliases, field);
    for (size_t i = 0; alias && alias->kind == YAML_MAPPING && i < alias->count; i++)
        if (rule_is_named(named, alias->entries[i].key->text))
            return alias->entries[i].value;
    return NULL;
}

static bool column_names(struct reading *r, const struct rule *base, const struct slice *names,
                         struct correlation_source *to)
{
    size_t fields = r->to->group_count + r->to->value_count;
    struct arena *arena = r->set->arena;
    struct correlation_columns *columns = arena_array(arena, base->variant_count * fields + 1, sizeof(*columns));
    to->base = base;
    to->columns = columns;
    for (size_t i = 0; columns && i < base->variant_count * fields; i++) {
        struct slice found[LOGSOURCE_COLUMNS_MAX] = {names[i % fields]};
        const struct rule_variant *variant = &base->variants[i / fields];
        size_t count = 1;
        if (variant->source)
            count = logsource_columns(variant->source, names[i % fields], arena, found);
        struct slice *kept = arena_array(arena, count, sizeof(*kept));
        if (!kept)
            return correlation_no_memory(r);
        memcpy(kept, found, count * sizeof(*kept));
        columns[i] = (struct correlation_columns){kept, count};
    }
    return columns || correlation_no_memory(r);
}

static bool add_sources(struct reading *r, const struct rule *named, struct correlation_part *part,
                        struct correlation_source *sources, int depth)
{
    if (part->source_count == CORRELATION_RULES_MAX || depth > CORRELATION_RULES_MAX)
        return correlation_refuse(r, NULL, "a correlation rests on at most 64 rules of events");
    if (named->variant_count) /* it has events of its own */
        return column_names(r, named, part->names, &sources[part->source_count++]);
    for (size_t i = 0; i < named->correlation->part_count; i++)
        if (!add_sources(r, named->correlation->parts[i].rule, part, sources, depth + 1))
            return false;
    return true;
}

static bool add_part(struct reading *r, struct rule *named, const struct yaml_node *aliases)
{
    struct arena *arena = r->set->arena;
    size_t fields = r->to->group_count + r->to->value_count;
    struct correlation_source *sources = arena_array(arena, CORRELATION_RULES_MAX, sizeof(*sources));
    struct slice *names = arena_array(arena, fields + 1, sizeof(*names));
    if (!r->to->parts)
        r->to->parts = arena_array(arena, CORRELATION_RULES_MAX, sizeof(*r->to->parts));
    if (!r->to->parts || !names || !sources)
        return correlation_no_memory(r);
    if (r->to->part_count == CORRELATION_RULES_MAX)
        return correlation_refuse(r, NULL, "a correlation names at most 64 rules");
    for (size_t i = 0; i < fields; i++)
        names[i] = yaml_text(alias_of(aliases, r->to->fields[i], named), r->to->fields[i]);
    struct correlation_part *part = &r->to->parts[r->to->part_count];
    *part = (struct correlation_part){.rule = named, .names = names, .sources = sources};
    if (!add_sources(r, named, part, sources, 0))
        return false;
    r->to->part_count++;
    return true;
}

bool correlation_add_part(struct rule_set *set, struct rule *rule, struct correlation *correlation,
                          struct slice word, const struct yaml_node *aliases)
{
    struct reading r = {set, rule, rule->document, correlation};
    bool several;
    struct rule *named = rule_find(set, word, rule, &several);
    if (named && named->kind == RULE_CORRELATION)
        compile(set, named);
    if (!part_usable(&r, word, named, several))
        return false;
    for (size_t i = 0; i < correlation->part_count; i++)
        if (correlation->parts[i].rule == named)
            return rule_fail(set, rule, RULE_REFUSED, "the rule '%.*s' is named twice", SLICE_ARG(word));
    return add_part(&r, named, aliases);
}

bool correlation_add_self(struct rule_set *set, struct rule *rule, struct correlation *correlation)
{
    struct reading r = {set, rule, rule->document, correlation};
    return add_part(&r, rule, NULL);
}

bool correlation_add_fields(struct rule_set *set, struct rule *rule, const struct yaml_node *node,
                            struct correlation *correlation)
{
    struct reading r = {set, rule, rule->document, correlation};
    return read_groups(&r, node);
}

static bool check_aliases(struct reading *r)
{
    const struct yaml_node *aliases = yaml_get(r->section, "aliases");
    if (!aliases || yaml_is_null(aliases))
        return true;
    if (aliases->kind != YAML_MAPPING)
        return correlation_refuse(r, aliases, "aliases are a mapping: alias to rule to field");
    for (size_t i = 0; i < aliases->count; i++) {
        const struct yaml_node *alias = aliases->entries[i].value;
        if (alias->kind != YAML_MAPPING)
            return correlation_refuse(r, alias, "an alias is a mapping from rules to their fields");
        for (size_t k = 0; k < alias->count; k++) {
            bool known = false;
            for (size_t p = 0; p < r->to->part_count; p++)
                known |= rule_is_named(r->to->parts[p].rule, alias->entries[k].key->text);
            if (!known)
                return rule_fail(r->set, r->rule, RULE_REFUSED,
                                 "line %d: an alias is for the rule '%.*s', which is not among the rules",
                                 alias->entries[k].key->line, SLICE_ARG(alias->entries[k].key->text));
        }
    }
    return true;
}

static bool read_parts(struct reading *r)
{
    const struct yaml_node *rules = yaml_get(r->section, "rules");
    size_t count = !rules ? 0 : rules->kind == YAML_SCALAR ? 1 : rules->count;
    if (!rules || rules->kind == YAML_MAPPING || count == 0 || yaml_is_null(rules))
        return correlation_refuse(r, rules, "the correlation has no rules; list ids or names");
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *node = rules->kind == YAML_SCALAR ? rules : rules->entries[i].value;
        if (node->kind != YAML_SCALAR || !node->text.len)
            return correlation_refuse(r, node, "a rule is named by its id or name");
        if (!correlation_add_part(r->set, r->rule, r->to, node->text, yaml_get(r->section, "aliases")))
            return false;
    }
    return check_aliases(r);
}

/* ---- the whole correlation ---- */

static bool read_correlation(struct reading *r)
{
    static const char *const known[] = {"type",    "rules",     "aliases",  "group-by", "timespan",
                                        "condition", "generate", "field"};
    const struct yaml_node *generate = yaml_get(r->section, "generate");
    if (!generate)
        generate = yaml_get(r->rule->document, "generate");
    if (r->section->kind != YAML_MAPPING)
        return correlation_refuse(r, r->section, "correlation is a mapping");
    for (size_t i = 0; i < r->section->count; i++) {
        bool found = false;
        for (size_t k = 0; k < ARRAY_COUNT(known); k++)
            found |= slice_is(r->section->entries[i].key->text, known[k]);
        if (!found)
            return rule_fail(r->set, r->rule, RULE_REFUSED, "line %d: there is no '%.*s' in a correlation",
                             r->section->entries[i].key->line, SLICE_ARG(r->section->entries[i].key->text));
    }
    if (generate && !yaml_to_bool(generate, &r->to->generate))
        return correlation_refuse(r, generate, "generate is true or false");
    return read_type(r) && read_timespan(r) && read_all_fields(r) && read_parts(r) && correlation_read_condition(r);
}

static void take_severity(struct rule *rule, const struct correlation *correlation)
{
    for (size_t i = 0; !yaml_get(rule->document, "level") && i < correlation->part_count; i++)
        if (correlation->parts[i].rule->severity > rule->severity)
            rule->severity = correlation->parts[i].rule->severity;
}

/* Who comes here again while it is being read goes in a circle. */
static bool compile(struct rule_set *set, struct rule *rule)
{
    struct reading r = {set, rule, yaml_get(rule->document, "correlation"), NULL};
    const struct yaml_node *extension = yaml_get(rule->document, "hinomi");
    if (rule->status != RULE_ACTIVE || (rule->correlation && rule->correlation->complete))
        return rule->status == RULE_ACTIVE;
    if (rule->correlation)
        return rule_fail(set, rule, RULE_REFUSED, "it names itself, directly or through other correlations");
    if (!rule->title.ptr)
        return rule_fail(set, rule, RULE_REFUSED, "the correlation has no title");
    r.to = arena_calloc(set->arena, sizeof(*r.to));
    if (!r.to)
        return correlation_no_memory(&r);
    rule->correlation = r.to;
    if (r.section ? !read_correlation(&r) : !correlation_beyond(set, rule, extension, r.to))
        return false;
    r.to->complete = true;
    take_severity(rule, r.to);
    return !extension || extension_compile(set, extension, rule);
}

static bool listen_to(struct rule_set *set, struct rule *named, struct rule_listener listener)
{
    struct rule_listener *list = arena_grow(set->arena, named->listeners,
                                            named->listener_count * sizeof(listener),
                                            (named->listener_count + 1) * sizeof(listener));
    if (!list)
        return false;
    named->listeners = list;
    list[named->listener_count++] = listener;
    return true;
}

/* A correlation needs all of its rules. */
static bool needs_missing(struct rule_set *set, struct rule *rule)
{
    for (size_t i = 0; i < rule->correlation->part_count; i++) {
        const struct rule *named = rule->correlation->parts[i].rule;
        if (named->status == RULE_ACTIVE)
            continue;
        rule_fail(set, rule, RULE_INACTIVE, "the rule '%.*s' that it names is %s: %.*s", SLICE_ARG(named->name),
                  rule_status_name(named->status), SLICE_ARG(named->reason));
        return true;
    }
    return false;
}

static bool is_active_correlation(const struct rule *rule)
{
    return rule->kind == RULE_CORRELATION && rule->status == RULE_ACTIVE;
}

/* Who is named by a correlation gives no findings of its own, unless one of them says generate: true. */
static bool connect(struct rule_set *set, const struct rule *rule)
{
    for (uint32_t p = 0; p < rule->correlation->part_count; p++) {
        struct rule *named = set->rules[rule->correlation->parts[p].rule->index];
        if (named == rule) /* it counts its own hits */
            continue;
        named->silent = (named->listener_count == 0 || named->silent) && !rule->correlation->generate;
        if (!listen_to(set, named, (struct rule_listener){rule->index, p}))
            return false;
    }
    return true;
}

bool correlations_settle(struct rule_set *set)
{
    bool changed = true;
    while (changed) { /* at most once for each correlation of a chain */
        changed = false;
        for (size_t i = 0; i < set->count; i++)
            changed |= is_active_correlation(set->rules[i]) && needs_missing(set, set->rules[i]);
    }
    for (size_t i = 0; i < set->count; i++) {
        set->rules[i]->listener_count = 0;
        set->rules[i]->silent = false;
    }
    for (size_t i = 0; i < set->count; i++)
        if (is_active_correlation(set->rules[i]) && !connect(set, set->rules[i]))
            return false;
    return true;
}

bool correlations_compile(struct rule_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->kind == RULE_CORRELATION && set->rules[i]->document)
            compile(set, set->rules[i]);
    return correlations_settle(set);
}
