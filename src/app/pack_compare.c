#include "app/pack_compare.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cut/yaml_json.h"

#include <stdlib.h>

/* Parts of a rule that are compared one by one; all else is "text". */
static const char *const parts[] = {"title", "level", "status", "logsource", "detection", "correlation", "filter", "tags"};
enum { PARTS = ARRAY_COUNT(parts) };

struct pack_rule {
    struct slice id, title, level;
    struct slice part[PARTS]; /* as JSON; empty: it has none */
    struct slice whole;
};

struct reading {
    struct pack_rules *rules;
    struct buffer text;
};

static struct slice as_json(struct reading *reading, const struct yaml_node *node)
{
    struct json json;
    if (!node)
        return SLICE("");
    buffer_clear(&reading->text);
    json_init(&json, &reading->text);
    yaml_to_json(node, &json);
    return buffer_failed(&reading->text) ? SLICE_NONE
                                         : arena_copy(reading->rules->arena, buffer_slice(&reading->text));
}

static int take_document(struct reading *reading, const struct yaml_node *document, struct err *err)
{
    struct pack_rule *rule = arena_calloc(reading->rules->arena, sizeof(*rule));
    if (!rule)
        return err_nomem(err);
    rule->title = yaml_text(yaml_get(document, "title"), SLICE("a rule without a title"));
    rule->id = yaml_text(yaml_get(document, "id"), rule->title);
    rule->level = yaml_text(yaml_get(document, "level"), SLICE("none"));
    rule->whole = as_json(reading, document);
    bool lost = !rule->whole.ptr;
    for (size_t i = 0; i < PARTS; i++) {
        rule->part[i] = as_json(reading, yaml_get(document, parts[i]));
        lost |= !rule->part[i].ptr;
    }
    return lost || map_put(&reading->rules->by_id, rule->id, rule) < 0 ? err_nomem(err) : 0;
}

static int take_file(void *context, const char *path, struct err *err)
{
    struct reading *reading = context;
    const struct yaml_node *const *documents;
    struct slice name = slice_text(path), text;
    size_t count;
    struct err why;
    if (!(slice_ends(name, SLICE(".yml")) || slice_ends(name, SLICE(".yaml"))) || slice_ends(name, SLICE(".test.yaml")))
        return 0;
    if (file_read(path, YAML_BYTES_MAX, reading->rules->arena, &text, err) < 0)
        return -1;
    if (yaml_parse(text, reading->rules->arena, &documents, &count, &why) < 0)
        return why.code == ERR_NOMEM ? err_nomem(err) : 0;
    for (size_t i = 0; i < count; i++)
        if (documents[i]->kind == YAML_MAPPING && take_document(reading, documents[i], err) < 0)
            return -1;
    return 0;
}

int pack_rules_read(const char *folder, struct arena *arena, struct pack_rules *out, struct err *err)
{
    struct reading reading = {.rules = out};
    *out = (struct pack_rules){.arena = arena};
    map_init(&out->by_id, arena);
    if (!file_is_dir(folder))
        return 0;
    buffer_init(&reading.text, 4 * YAML_BYTES_MAX);
    int result = file_walk(folder, NULL, take_file, &reading, err);
    buffer_close(&reading.text);
    return result;
}

bool pack_has(const struct pack_rules *rules, struct slice id)
{
    return map_has(&rules->by_id, id);
}

/* ---- comparing ---- */

static int by_title(const void *a, const void *b)
{
    const struct pack_rule *x = *(const struct pack_rule *const *)a, *y = *(const struct pack_rule *const *)b;
    int order = slice_compare(x->title, y->title);
    return order ? order : slice_compare(x->id, y->id);
}

static const struct pack_rule **sorted(const struct pack_rules *rules)
{
    const struct pack_rule **list = mem_calloc(rules->by_id.count + 1, sizeof(*list));
    size_t at = 0, count = 0;
    for (const struct map_entry *entry; list && (entry = map_next(&rules->by_id, &at));)
        list[count++] = entry->value;
    if (list)
        qsort(list, count, sizeof(*list), by_title);
    return list;
}

static void put_line(struct buffer *to, char sign, const struct pack_rule *rule)
{
    buffer_printf(to, "  %c %.*s (%.*s)  %.*s", sign, SLICE_ARG(rule->title), SLICE_ARG(rule->level), SLICE_ARG(rule->id));
}

static void put_changes(struct buffer *to, const struct pack_rule *before, const struct pack_rule *after)
{
    const char *separator = ": ";
    put_line(to, '~', after);
    for (size_t i = 0; i < PARTS; i++) {
        if (slice_equal(before->part[i], after->part[i]))
            continue;
        buffer_printf(to, "%s%s", separator, parts[i]);
        if (strcmp(parts[i], "level") == 0)
            buffer_printf(to, " %.*s -> %.*s", SLICE_ARG(before->level), SLICE_ARG(after->level));
        separator = ", ";
    }
    buffer_put_text(to, separator[0] == ':' ? ": text\n" : "\n");
}

int pack_compare(const struct pack_rules *before, const struct pack_rules *after,
                 struct pack_difference *out, struct buffer *to, struct err *err)
{
    const struct pack_rule **old = sorted(before), **new = sorted(after);
    *out = (struct pack_difference){0};
    for (size_t i = 0; old && new && i < after->by_id.count; i++) {
        const struct pack_rule *known = map_find(&before->by_id, new[i]->id);
        bool same = known && slice_equal(known->whole, new[i]->whole);
        out->same += same;
        out->added += !known;
        out->changed += known && !same;
        if (known && !same)
            put_changes(to, known, new[i]);
        if (!known && before->by_id.count) {
            put_line(to, '+', new[i]);
            buffer_put_char(to, '\n');
        }
    }
    for (size_t i = 0; old && new && i < before->by_id.count; i++)
        if (!map_has(&after->by_id, old[i]->id)) {
            out->removed++;
            put_line(to, '-', old[i]);
            buffer_put_char(to, '\n');
        }
    bool failed = !old || !new || buffer_failed(to);
    mem_free(old);
    mem_free(new);
    return failed ? err_nomem(err) : 0;
}
