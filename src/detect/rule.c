#include "detect/correlation_rule.h"
#include "detect/placeholders.h"
#include "detect/rule_parts.h"
#include "table/calendar.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#define RULE_SET_BYTES_MAX (1 * GIB)

const char *rule_status_name(enum rule_status status)
{
    static const char *const names[] = {"active", "inactive", "refused"};
    return names[status];
}

struct slice rule_tactic(struct slice tag)
{
    if (!slice_starts(tag, SLICE("attack.")))
        return SLICE_NONE;
    struct slice name = slice_from(tag, strlen("attack."));
    bool numbered = name.len > 1 && strchr("tgsmd", name.ptr[0]) && name.ptr[1] >= '0' && name.ptr[1] <= '9';
    return name.len && !numbered ? name : SLICE_NONE;
}

bool rule_fail(struct rule_set *set, struct rule *rule, enum rule_status status,
               const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rule->status = status;
    rule->reason = arena_copy(set->arena, slice_text(text));
    return false;
}

void rule_note(struct rule_set *set, struct rule *rule, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rule->note = rule->note.ptr ? arena_printf(set->arena, "%.*s; %s", SLICE_ARG(rule->note), text)
                                : arena_copy(set->arena, slice_text(text));
}

struct loading {
    struct rule_set *set;
    const struct rule_options *options;
    bool own; /* below more_path */
};

static struct rule *add_rule(struct rule_set *set, const char *path)
{
    if (set->count == set->size) {
        size_t size = set->size ? set->size * 2 : 256;
        struct rule **rules = arena_grow(set->arena, set->rules, set->count * sizeof(*rules),
                                         size * sizeof(*rules));
        if (!rules)
            return NULL;
        set->rules = rules;
        set->size = size;
    }
    struct rule *rule = arena_calloc(set->arena, sizeof(*rule));
    if (!rule)
        return NULL;
    rule->path = arena_copy(set->arena, slice_text(path));
    rule->index = (uint32_t)set->count;
    set->rules[set->count++] = rule;
    return rule;
}

static bool is_rule_file(const char *path)
{
    struct slice name = slice_text(path);
    return slice_ends(name, SLICE(".yml")) || slice_ends(name, SLICE(".yaml"));
}

/* Of what a node says, whatever its layout and comments. */
static uint64_t fingerprint(const struct yaml_node *node, uint64_t seed)
{
    if (node->kind == YAML_SCALAR)
        return hash_bytes_seeded(node->text, seed + node->style);
    for (size_t i = 0; i < node->count; i++) {
        if (node->entries[i].key)
            seed = fingerprint(node->entries[i].key, seed + 3);
        seed = fingerprint(node->entries[i].value, seed + 5);
    }
    return seed + node->kind;
}

/* Words for people: a rule that says the same in other words is the same rule. */
static bool is_wording(struct slice key)
{
    static const char *const keys[] = {"title",  "description", "author",  "date",    "modified", "references",
                                       "tags",   "level",       "status",  "license", "falsepositives",
                                       "fields", "explain",     "why",     "check",   "do",       "related"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (slice_is(key, keys[i]))
            return true;
    return false;
}

static uint64_t meaning(const struct yaml_node *document, uint64_t seed)
{
    if (document->kind != YAML_MAPPING)
        return fingerprint(document, seed);
    for (size_t i = 0; i < document->count; i++) {
        const struct yaml_entry *entry = &document->entries[i];
        bool points = slice_is(entry->key->text, "risk") && entry->value->kind == YAML_SCALAR;
        if (is_wording(entry->key->text) || points)
            continue;
        seed = fingerprint(entry->key, seed + 3);
        seed = slice_is(entry->key->text, "hinomi") ? meaning(entry->value, seed) : fingerprint(entry->value, seed + 5);
    }
    return seed;
}

static int load_documents(struct loading *loading, const char *path, struct slice text,
                          struct err *err)
{
    struct rule_set *set = loading->set;
    const struct yaml_node *const *documents;
    size_t count;
    struct err why;
    if (yaml_parse(text, set->arena, &documents, &count, &why) < 0) {
        struct rule *rule = add_rule(set, path);
        if (!rule)
            return err_nomem(err);
        rule->name = rule->title = rule->path;
        rule_fail(set, rule, RULE_REFUSED, "%s", why.text);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct rule *rule = add_rule(set, path);
        if (!rule)
            return err_nomem(err);
        rule->document = documents[i];
        rule->own = loading->own;
        rule->fingerprint = meaning(documents[i], 1);
        sigma_read_head(rule, set->arena);
    }
    return 0;
}

static bool is_placeholder_file(struct slice path)
{
    return slice_ends(path, SLICE("/placeholders.yaml")) || slice_ends(path, SLICE("/placeholders.yml"));
}

static int load_file(void *context, const char *path, struct err *err)
{
    struct loading *loading = context;
    struct slice text;
    if (!is_rule_file(path) || slice_ends(slice_text(path), SLICE(".test.yaml")))
        return 0;
    if (is_placeholder_file(slice_text(path)))
        return placeholders_read(loading->set->placeholders, path, err);
    if (file_read(path, YAML_BYTES_MAX, loading->set->arena, &text, err) < 0)
        return -1;
    return load_documents(loading, path, text, err);
}

/* Whether the document could be read at all. */
static bool is_readable(const struct rule *rule)
{
    return rule->document && rule->status == RULE_ACTIVE;
}

static bool compile_all(struct rule_set *set, const struct rule_options *options)
{
    set->filters = arena_array(set->arena, set->count + 1, sizeof(*set->filters));
    if (!set->filters)
        return false;
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->kind == RULE_FILTER)
            set->filters[set->filter_count++] = set->rules[i];
    for (size_t i = 0; i < set->count; i++)
        if (is_readable(set->rules[i]) && set->rules[i]->kind == RULE_FILTER)
            filter_compile(set, options, set->rules[i]);
    for (size_t i = 0; i < set->count; i++)
        if (is_readable(set->rules[i]) && set->rules[i]->kind == RULE_MATCH)
            sigma_compile(set, options, set->rules[i]);
    if (!correlations_compile(set))
        return false;
    bool refused = false; /* by now correlations may name it */
    for (size_t i = 0; i < set->count; i++) {
        if (is_readable(set->rules[i]) && set->rules[i]->kind == RULE_RISK)
            entity_risk_compile(set, set->rules[i]);
        if (is_readable(set->rules[i]))
            refused |= !entity_risk_points(set, set->rules[i]);
    }
    return !refused || correlations_settle(set);
}

static int load_all(struct loading *loading, const char *path, struct err *err)
{
    struct rule_set *set = loading->set;
    const struct rule_options *options = loading->options;
    set->arena = arena_new(RULE_SET_BYTES_MAX);
    if (!set->arena || !(set->placeholders = placeholders_new(set->arena, options->lookup_path)))
        return err_nomem(err);
    if (calendars_load(options->calendar_path, set->arena, &set->calendars, err) < 0 ||
        logsources_load(options->logsource_path, set->arena, &set->logsources, err) < 0 ||
        (options->placeholder_path && placeholders_load(set->placeholders, options->placeholder_path, err) < 0) ||
        file_walk(path, NULL, load_file, loading, err) < 0)
        return -1;
    loading->own = true;
    if (options->more_path && file_is_dir(options->more_path) &&
        file_walk(options->more_path, NULL, load_file, loading, err) < 0)
        return -1;
    return compile_all(set, options) ? 0 : err_nomem(err);
}

int rule_set_load(const char *path, const struct rule_options *options, struct rule_set **out,
                  struct err *err)
{
    *out = NULL;
    struct rule_set *set = mem_calloc(1, sizeof(*set));
    if (!set)
        return err_nomem(err);
    struct loading loading = {.set = set, .options = options};
    if (load_all(&loading, path, err) < 0) {
        rule_set_free(set);
        return -1;
    }
    *out = set;
    return 0;
}

/* How well the word fits: 3 the id, 2 the name, 1 the title, 0 not at all. */
static int fits(const struct rule *rule, struct slice word)
{
    if (rule->kind == RULE_FILTER)
        return 0;
    return rule->id.ptr && slice_equal_nocase(rule->id, word)         ? 3
           : rule->sigma_name.ptr && slice_equal(rule->sigma_name, word) ? 2
           : rule->title.ptr && slice_equal(rule->title, word)           ? 1
                                                                         : 0;
}

bool rule_is_named(const struct rule *rule, struct slice word)
{
    return fits(rule, word) > 0;
}

struct rule *rule_find(const struct rule_set *set, struct slice word, const struct rule *asks, bool *several)
{
    struct rule *best = NULL;
    int best_fit = 0;
    *several = false;
    for (size_t i = 0; i < set->count; i++) {
        struct rule *rule = set->rules[i];
        int fit = rule == asks ? 0 : 4 * fits(rule, word);
        if (fit)
            fit += 2 * slice_equal(rule->path, asks->path) + rule->own;
        if (fit && fit == best_fit && !slice_equal(best->name, rule->name))
            *several = true; /* of rules with the same id only the first runs */
        if (fit > best_fit) {
            best = rule;
            best_fit = fit;
            *several = false;
        }
    }
    return best;
}

int rule_set_settle(struct rule_set *set, struct err *err)
{
    return correlations_settle(set) ? 0 : err_nomem(err);
}

void rule_set_free(struct rule_set *set)
{
    if (!set)
        return;
    arena_free(set->arena);
    mem_free(set);
}
