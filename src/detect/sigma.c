/* One Sigma document to a rule: detections, condition, log source. */
#include "detect/rule_parts.h"
#include "detect/sigma_value.h"
#include "detect/words.h"

#include "base/limits.h"

enum { SEARCHES_MAX = 256 };

/* A named part of "detection". */
struct search {
    struct slice name;
    const struct yaml_node *node;
    const struct expr *expr;
    bool used; /* by a condition */
};

struct compile {
    struct rule_set *set;
    struct rule *rule;
    struct sigma_context context;
    struct err err;
    struct search searches[SEARCHES_MAX];
    size_t search_count;
    /* of the condition that is being read */
    struct words words;
    int depth, line;
};

static bool failed(struct compile *c, enum sigma_outcome outcome)
{
    if (outcome == SIGMA_OK)
        return false;
    rule_fail(c->set, c->rule, outcome == SIGMA_ERROR ? RULE_REFUSED : RULE_INACTIVE, "%s",
              c->err.text);
    return true;
}

/* ---- searches ---- */

static bool empty_search(struct compile *c, const struct yaml_node *node)
{
    return rule_fail(c->set, c->rule, RULE_REFUSED, "line %d: an empty search", node->line);
}

/* field: value pairs, all of them. */
static bool compile_map(struct compile *c, const struct yaml_node *node, const struct expr **out)
{
    const struct expr **parts = arena_array(c->set->arena, node->count + 1, sizeof(*parts));
    if (!parts)
        return rule_fail(c->set, c->rule, RULE_REFUSED, "out of memory");
    if (node->count == 0)
        return empty_search(c, node);
    for (size_t i = 0; i < node->count; i++)
        if (yaml_is_null(node->entries[i].key))
            return rule_fail(c->set, c->rule, RULE_REFUSED, "line %d: a value without the name of a field before it", node->line);
        else if (failed(c, sigma_item(&c->context, node->entries[i].key->text, node->entries[i].value,
                                 &parts[i])))
            return false;
    *out = node->count == 1 ? parts[0]
                            : expr_list(c->set->arena, EXPR_AND, parts, node->count);
    return *out != NULL;
}

/* A list of maps or of keywords, any of them. */
static bool compile_search(struct compile *c, const struct yaml_node *node, const struct expr **out)
{
    if (node->kind == YAML_MAPPING)
        return compile_map(c, node, out);
    if (node->kind == YAML_SCALAR && yaml_is_null(node))
        return empty_search(c, node);
    if (node->kind == YAML_SCALAR)
        return !failed(c, sigma_keyword(&c->context, node, out));
    const struct expr **parts = arena_array(c->set->arena, node->count + 1, sizeof(*parts));
    for (size_t i = 0; parts && i < node->count; i++)
        if (!compile_search(c, node->entries[i].value, &parts[i]))
            return false;
    *out = parts && node->count ? expr_list(c->set->arena, EXPR_OR, parts, node->count) : NULL;
    return *out || empty_search(c, node);
}

static bool compile_searches(struct compile *c, const struct yaml_node *detection)
{
    c->search_count = 0;
    for (size_t i = 0; i < detection->count; i++) {
        struct slice name = detection->entries[i].key->text;
        if (slice_is(name, "condition") || slice_is(name, "timeframe") ||
            (c->rule->kind == RULE_FILTER && slice_is(name, "rules")))
            continue;
        if (c->search_count == SEARCHES_MAX)
            return rule_fail(c->set, c->rule, RULE_REFUSED, "more than %d searches", SEARCHES_MAX);
        struct search *search = &c->searches[c->search_count++];
        search->name = name;
        if (!compile_search(c, detection->entries[i].value, &search->expr))
            return false;
    }
    return true;
}

/* ---- conditions: or < and < not < ( ) , "1 of x*", "all of them", name ---- */

static bool wrong(struct compile *c, const char *what)
{
    return rule_fail(c->set, c->rule, RULE_REFUSED, "line %d: the condition '%.*s' is wrong at character %zu: %s",
                     c->line, SLICE_ARG(c->words.text), c->words.at + 1, what);
}

/* Names that begin with an underscore are left out, unless the pattern begins with one. */
static bool name_matches(struct slice pattern, struct slice name)
{
    if (slice_starts(name, SLICE("_")) && !slice_starts(pattern, SLICE("_")))
        return false;
    return slice_is_nocase(pattern, "them") || slice_matches_stars(name, pattern);
}

static bool parse_of(struct compile *c, bool every, const struct expr **out)
{
    const struct expr *parts[SEARCHES_MAX];
    size_t count = 0;
    if (!words_take(&c->words, "of"))
        return wrong(c, "'of' is missing");
    struct slice pattern = words_peek(&c->words);
    if (pattern.len == 0)
        return wrong(c, "after 'of' a name, a pattern or 'them' is needed");
    c->words.at += pattern.len;
    for (size_t i = 0; i < c->search_count; i++)
        if (name_matches(pattern, c->searches[i].name)) {
            parts[count++] = c->searches[i].expr;
            c->searches[i].used = true;
        }
    if (count == 0)
        return wrong(c, "no search has a name like that");
    *out = expr_list(c->set->arena, every ? EXPR_AND : EXPR_OR, parts, count);
    return *out || wrong(c, "out of memory");
}

static bool parse_or(struct compile *c, const struct expr **out);

static bool parse_name(struct compile *c, const struct expr **out)
{
    struct slice name = words_peek(&c->words);
    if (name.len == 0)
        return wrong(c, "it ends where a name is needed");
    for (size_t i = 0; i < c->search_count; i++)
        if (slice_equal(c->searches[i].name, name)) {
            c->words.at += name.len;
            *out = c->searches[i].expr;
            c->searches[i].used = true;
            return true;
        }
    if (name.ptr[0] >= '0' && name.ptr[0] <= '9')
        return wrong(c, "only '1 of' and 'all of' are known to Sigma; count with a correlation");
    return wrong(c, "there is no search of that name");
}

static bool parse_primary(struct compile *c, const struct expr **out)
{
    if (++c->depth > EXPR_DEPTH_MAX)
        return wrong(c, "it is nested too deeply");
    bool ok;
    if (words_take(&c->words, "not")) {
        ok = parse_primary(c, out);
        if (ok)
            *out = expr_not(c->set->arena, *out);
    } else if (words_take(&c->words, "(")) {
        ok = parse_or(c, out) && (words_take(&c->words, ")") || wrong(c, "a closing ) is missing"));
    } else if (words_take(&c->words, "1") || words_take(&c->words, "any")) {
        ok = parse_of(c, false, out);
    } else if (words_take(&c->words, "all")) {
        ok = parse_of(c, true, out);
    } else {
        ok = parse_name(c, out);
    }
    c->depth--;
    return ok;
}

static bool parse_and(struct compile *c, const struct expr **out)
{
    const struct expr *next;
    if (!parse_primary(c, out))
        return false;
    while (words_take(&c->words, "and")) {
        if (!parse_primary(c, &next))
            return false;
        *out = expr_and(c->set->arena, *out, next);
    }
    return *out || wrong(c, "out of memory");
}

static bool parse_or(struct compile *c, const struct expr **out)
{
    const struct expr *next;
    if (!parse_and(c, out))
        return false;
    while (words_take(&c->words, "or")) {
        if (!parse_and(c, &next))
            return false;
        *out = expr_or(c->set->arena, *out, next);
    }
    return *out || wrong(c, "out of memory");
}

static bool parse_condition(struct compile *c, const struct yaml_node *node, const struct expr **out)
{
    c->words = (struct words){node->text, 0};
    c->depth = 0;
    c->line = node->line;
    if (!parse_or(c, out))
        return false;
    struct slice rest = words_peek(&c->words);
    if (slice_is(rest, "|"))
        return rule_fail(c->set, c->rule, RULE_INACTIVE,
                         "line %d: aggregations behind | were taken out of the Sigma specification; write a "
                         "correlation rule", c->line);
    return rest.len == 0 || wrong(c, "an 'and' or 'or' is missing");
}

/* A list of conditions means any of them. */
static bool compile_condition(struct compile *c, const struct yaml_node *node,
                              const struct expr **out)
{
    *out = NULL;
    if (!node)
        return rule_fail(c->set, c->rule, RULE_REFUSED, "the detection has no condition");
    if (node->kind == YAML_SCALAR)
        return parse_condition(c, node, out);
    for (size_t i = 0; i < node->count; i++) {
        const struct expr *next;
        if (node->kind != YAML_SEQUENCE || node->entries[i].value->kind != YAML_SCALAR)
            return rule_fail(c->set, c->rule, RULE_REFUSED, "line %d: a condition is a text or a list of texts",
                             node->line);
        if (!parse_condition(c, node->entries[i].value, &next))
            return false;
        *out = expr_or(c->set->arena, *out, next);
    }
    return *out || rule_fail(c->set, c->rule, RULE_REFUSED, "the condition is empty");
}

/* ---- the whole rule ---- */

static struct slice text_of(const struct yaml_node *document, const char *key)
{
    return yaml_text(yaml_get(document, key), SLICE_NONE);
}

static void read_tags(struct rule *rule, const struct yaml_node *node, struct arena *arena)
{
    if (!node || node->kind != YAML_SEQUENCE)
        return;
    struct slice *tags = arena_array(arena, node->count + 1, sizeof(*tags));
    for (size_t i = 0; tags && i < node->count; i++)
        if (node->entries[i].value->kind == YAML_SCALAR)
            tags[rule->tag_count++] = node->entries[i].value->text;
    rule->tags = tags;
}

void sigma_read_head(struct rule *rule, struct arena *arena)
{
    const struct yaml_node *document = rule->document;
    const struct yaml_node *source = yaml_get(document, "logsource");
    rule->id = text_of(document, "id");
    rule->title = text_of(document, "title");
    rule->version = text_of(document, "modified");
    rule->description = text_of(document, "description");
    rule->sigma_name = text_of(document, "name");
    rule->name = rule->id.ptr ? rule->id : rule->sigma_name.ptr ? rule->sigma_name : rule->title;
    if (!rule->name.ptr)
        rule->name = rule->path;
    rule->author = text_of(document, "author");
    rule->level = yaml_text(yaml_get(document, "level"), SLICE(""));
    rule->severity = severity_parse(rule->level);
    if (rule->level.len && rule->severity == SEVERITY_NONE && !slice_is_nocase(rule->level, "informational"))
        rule->note = arena_printf(arena, "there is no level '%.*s'; it is informational", SLICE_ARG(rule->level));
    read_tags(rule, yaml_get(document, "tags"), arena);
    rule->product = text_of(source, "product");
    rule->category = text_of(source, "category");
    rule->service = text_of(source, "service");
    const struct yaml_node *risk = yaml_get(yaml_get(document, "hinomi"), "risk");
    bool is_risk = risk && risk->kind != YAML_SCALAR, names_rules = is_risk && yaml_get(risk, "rules");
    rule->kind = yaml_get(document, "correlation") || names_rules ? RULE_CORRELATION
                 : is_risk                      ? RULE_RISK
                 : yaml_get(document, "filter") ? RULE_FILTER
                                                : RULE_MATCH;
}

/* Parts of a detection that are right and without effect. */
static void note_what_does_nothing(struct compile *c, const struct yaml_node *section)
{
    const struct yaml_node *timeframe = yaml_get(section, "timeframe");
    for (size_t i = 0; i < c->search_count; i++)
        if (!c->searches[i].used)
            rule_note(c->set, c->rule, "no condition names the search '%.*s'", SLICE_ARG(c->searches[i].name));
    if (timeframe)
        rule_note(c->set, c->rule, "line %d: timeframe says nothing without an aggregation; write a correlation rule with a timespan",
                  timeframe->line);
}

bool sigma_detection(struct rule_set *set, struct rule *blame, const struct yaml_node *section,
                     const struct logsource_variant *variant, const struct expr **out)
{
    struct compile c = {.set = set, .rule = blame};
    c.context = (struct sigma_context){.arena = set->arena, .variant = variant, .placeholders = set->placeholders,
                                       .err = &c.err};
    if (!compile_searches(&c, section) || !compile_condition(&c, yaml_get(section, "condition"), out))
        return false;
    if (!blame->note.ptr)
        note_what_does_nothing(&c, section);
    return true;
}

bool sigma_variants(struct rule_set *set, const struct rule_options *options, struct rule *rule,
                    const struct logsource_variant **out, size_t *count)
{
    const struct yaml_node *source = yaml_get(rule->document, "logsource");
    struct slice why;
    *count = 0;
    *out = NULL;
    if (!source || source->kind != YAML_MAPPING)
        return rule_fail(set, rule, RULE_REFUSED, "the rule has no logsource");
    if (options->ignore_logsource)
        return true;
    *count = logsources_find(set->logsources, rule->product, rule->category, rule->service, set->arena, out,
                             &why);
    return *count || rule_fail(set, rule, RULE_INACTIVE, "%.*s", SLICE_ARG(why));
}

static bool compile_variant(struct rule_set *set, struct rule *rule, const struct yaml_node *detection,
                            const struct logsource_variant *variant)
{
    struct rule_variant *to = &rule->variants[rule->variant_count];
    to->guard = variant ? variant->when : NULL;
    if (slice_is_nocase(text_of(rule->document, "taxonomy"), "ecs"))
        variant = NULL; /* fields are named as they are stored */
    to->source = variant;
    if (!sigma_detection(set, rule, detection, variant, &to->condition) ||
        !filter_apply(set, rule, variant, &to->condition))
        return false;
    rule->variant_count++;
    return true;
}

static void compile_detection(struct rule_set *set, const struct rule_options *options, struct rule *rule,
                              const struct yaml_node *detection)
{
    const struct logsource_variant *variants;
    size_t count;
    if (!sigma_variants(set, options, rule, &variants, &count) && rule->status == RULE_REFUSED)
        return;
    struct slice reason = rule->reason;
    enum rule_status status = rule->status;
    size_t rounds = count ? count : 1;
    rule->variants = arena_array(set->arena, rounds, sizeof(*rule->variants));
    if (!rule->variants) {
        rule_fail(set, rule, RULE_REFUSED, "out of memory");
        return;
    }
    for (size_t i = 0; i < rounds; i++)
        if (!compile_variant(set, rule, detection, count ? &variants[i] : NULL))
            return;
    struct slice taxonomy = yaml_text(yaml_get(rule->document, "taxonomy"), SLICE("sigma"));
    if (!slice_is_nocase(taxonomy, "sigma") && !slice_is_nocase(taxonomy, "ecs")) {
        rule_fail(set, rule, RULE_INACTIVE, "the taxonomy '%.*s' is not known; it is sigma (also when left out) or ecs", SLICE_ARG(taxonomy));
        return;
    }
    rule->status = status; /* compiled even without a mapping, so that every mistake is found */
    rule->reason = reason;
}

void sigma_compile(struct rule_set *set, const struct rule_options *options, struct rule *rule)
{
    const struct yaml_node *document = rule->document;
    const struct yaml_node *detection = yaml_get(document, "detection");
    const struct yaml_node *extension = yaml_get(document, "hinomi");
    if (document->kind != YAML_MAPPING)
        rule_fail(set, rule, RULE_REFUSED, "line %d: a rule is a mapping", document->line);
    else if (!rule->title.ptr)
        rule_fail(set, rule, RULE_REFUSED, "the rule has no title");
    else if (!detection || detection->kind != YAML_MAPPING)
        rule_fail(set, rule, RULE_REFUSED, "the rule has no detection");
    else
        compile_detection(set, options, rule, detection);
    if (extension && rule->status == RULE_ACTIVE)
        extension_compile(set, extension, rule);
}
