#include "detect/tuning.h"

#include "base/file.h"
#include "base/json.h"
#include "base/map.h"

#include <unistd.h>

static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};

bool tuning_is_level(struct slice text)
{
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
        if (slice_is_nocase(text, levels[i]))
            return true;
    return false;
}

static int read_entry(const struct yaml_entry *from, struct tuning_entry *entry, struct err *err)
{
    const struct yaml_node *node = from->value, *enabled = yaml_get(node, "enabled");
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a rule's entry is a mapping with 'enabled' or 'level'");
    *entry = (struct tuning_entry){.rule = from->key->text,
                                   .enabled = true,
                                   .level = yaml_text(yaml_get(node, "level"), SLICE_NONE),
                                   .reason = yaml_text(yaml_get(node, "reason"), SLICE("")),
                                   .by = yaml_text(yaml_get(node, "by"), SLICE("")),
                                   .at = yaml_text(yaml_get(node, "at"), SLICE(""))};
    if (enabled && !yaml_to_bool(enabled, &entry->enabled))
        return yaml_err(err, enabled, "'enabled' is true or false");
    if (entry->level.ptr && !tuning_is_level(entry->level))
        return yaml_err(err, node, "there is no level '%.*s'; it is informational, low, medium, high or critical",
                        SLICE_ARG(entry->level));
    return 0;
}

static int read_entries(const struct yaml_node *node, struct arena *arena, struct tuning *out,
                        struct err *err)
{
    if (yaml_is_null(node))
        return 0;
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "the file is a mapping from rule ids to what is said of them");
    out->entries = arena_array(arena, node->count + 1, sizeof(*out->entries));
    if (!out->entries)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        if (read_entry(&node->entries[i], &out->entries[out->count++], err) < 0)
            return -1;
    return 0;
}

int tuning_read(const char *path, struct arena *arena, struct tuning *out, struct err *err)
{
    const struct yaml_node *const *documents;
    struct slice text;
    size_t count;
    *out = (struct tuning){0};
    if (access(path, F_OK) != 0)
        return 0;
    if (file_read(path, YAML_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    if (yaml_parse(text, arena, &documents, &count, err) < 0 ||
        (count && read_entries(documents[0], arena, out, err) < 0))
        return err_within(err, "%s", path);
    return 0;
}

void tuning_apply(const struct tuning *tuning, struct rule_set *rules)
{
    struct map by_name;
    map_init(&by_name, rules->arena);
    for (size_t i = 0; i < tuning->count; i++)
        if (map_put(&by_name, tuning->entries[i].rule, &tuning->entries[i]) < 0)
            return;
    for (size_t i = 0; tuning->count && i < rules->count; i++) {
        struct rule *rule = rules->rules[i];
        const struct tuning_entry *entry = map_find(&by_name, rule->name);
        if (!entry)
            continue;
        if (entry->level.ptr) {
            rule->level = entry->level;
            rule->severity = severity_parse(entry->level);
        }
        if (!entry->enabled && rule->status == RULE_ACTIVE)
            rule_fail(rules, rule, RULE_INACTIVE, "it is switched off%s%.*s%s%.*s",
                      entry->by.len ? " by " : "", SLICE_ARG(entry->by), entry->reason.len ? ": " : "",
                      SLICE_ARG(entry->reason));
    }
}

void tuning_write(const struct tuning *tuning, struct buffer *to)
{
    buffer_put_text(to, "# What is said of rules here: hinomi rules enable, disable and level write it.\n");
    for (size_t i = 0; i < tuning->count; i++) {
        const struct tuning_entry *entry = &tuning->entries[i];
        struct json json;
        json_init(&json, to);
        json_text(&json, entry->rule);
        buffer_put_text(to, ": ");
        json_init(&json, to);
        json_open(&json, '{');
        json_put_bool(&json, "enabled", entry->enabled);
        if (entry->level.ptr)
            json_put_text(&json, "level", entry->level);
        json_put_text(&json, "reason", entry->reason);
        json_put_text(&json, "by", entry->by);
        json_put_text(&json, "at", entry->at);
        json_close(&json, '}');
        buffer_put_char(to, '\n');
    }
}
