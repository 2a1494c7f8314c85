#include "detect/rule.h"

#include "base/file.h"
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

struct loading {
    struct rule_set *set;
    const struct rule_options *options;
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
        sigma_compile(set, loading->options, documents[i], rule);
    }
    return 0;
}

static int load_file(void *context, const char *path, struct err *err)
{
    struct loading *loading = context;
    struct slice text;
    if (!is_rule_file(path) || slice_ends(slice_text(path), SLICE(".test.yaml")))
        return 0;
    if (file_read(path, YAML_BYTES_MAX, loading->set->arena, &text, err) < 0)
        return -1;
    return load_documents(loading, path, text, err);
}

int rule_set_load(const char *path, const struct rule_options *options, struct rule_set **out,
                  struct err *err)
{
    *out = NULL;
    struct rule_set *set = mem_calloc(1, sizeof(*set));
    if (!set)
        return err_nomem(err);
    struct loading loading = {set, options};
    set->arena = arena_new(RULE_SET_BYTES_MAX);
    if (!set->arena) {
        rule_set_free(set);
        return err_nomem(err);
    }
    if (logsources_load(options->logsource_path, set->arena, &set->logsources, err) < 0 ||
        file_walk(path, NULL, load_file, &loading, err) < 0 ||
        (options->more_path && file_is_dir(options->more_path) &&
         file_walk(options->more_path, NULL, load_file, &loading, err) < 0)) {
        rule_set_free(set);
        return -1;
    }
    *out = set;
    return 0;
}

void rule_set_free(struct rule_set *set)
{
    if (!set)
        return;
    arena_free(set->arena);
    mem_free(set);
}
