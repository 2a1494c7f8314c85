#include "respond/notify/notifier_row.h"

#include "base/secret.h"
#include "cut/yaml.h"

struct reading {
    const struct notifier *kind;
    struct respond_notifier *row;
    struct arena *arena;
    struct err *err;
};

/* What every row has; those without a reader are read first. */
static int read_least(struct reading *reading, const struct yaml_node *node)
{
    reading->row->least = severity_parse(yaml_text(node, SLICE("")));
    return reading->row->least != SEVERITY_NONE ? 0 : yaml_err(reading->err, node, "least: low, medium, high or critical is needed");
}

static int read_private(struct reading *reading, const struct yaml_node *node)
{
    return yaml_to_bool(node, &reading->row->allow_private) ? 0 : yaml_err(reading->err, node, "allow_private: true or false is needed");
}

static int read_text(struct reading *reading, const struct yaml_node *node, const char *name, size_t offset)
{
    struct slice *to = (struct slice *)(void *)((char *)reading->row + offset);
    *to = yaml_text(node, SLICE_NONE);
    return to->len ? 0 : yaml_err(reading->err, node, "%s: a text is needed", name);
}

static int read_name(struct reading *reading, const struct yaml_node *node)
{
    return read_text(reading, node, "name", offsetof(struct respond_notifier, name));
}

static int read_ca(struct reading *reading, const struct yaml_node *node)
{
    return read_text(reading, node, "ca_file", offsetof(struct respond_notifier, ca_file));
}

static const struct common {
    const char *name, *type, *standard, *summary;
    int (*read)(struct reading *reading, const struct yaml_node *node);
} commons[] = {
    {"kind", "text", "webhook", "one of these kinds", NULL},
    {"name", "text", NULL, "what plans, receipts and the timeline call it", read_name},
    {"least", "severity", "high", "news of incidents from this severity up; pages to persons go by the plan", read_least},
    {"ca_file", "path", NULL, "certificates (PEM) that are believed beside the system's", read_ca},
    {"allow_private", "true or false", "false", "lets it reach loopback and private addresses, any port and protocols without encryption", read_private},
};

static const struct common *find_common(struct slice name)
{
    for (size_t i = 0; i < ARRAY_COUNT(commons); i++)
        if (slice_is(name, commons[i].name))
            return &commons[i];
    return NULL;
}

static const struct notifier_option *find_option(const struct notifier *kind, struct slice name)
{
    for (size_t i = 0; i < kind->option_count; i++)
        if (slice_is(name, kind->options[i].name))
            return &kind->options[i];
    return NULL;
}

static const struct notifier *find_kind(const struct yaml_node *node, struct arena *arena, struct err *err)
{
    struct slice name = yaml_text(yaml_get(node, "kind"), SLICE("webhook")), all = SLICE("");
    const struct notifier *kind = notifier_find(name);
    for (size_t i = 0; !kind && notifier_kinds[i]; i++)
        all = arena_printf(arena, "%.*s%s%s", SLICE_ARG(all), i ? ", " : "", notifier_kinds[i]->name);
    if (!kind)
        yaml_err(err, node, "there is no kind of notifier '%.*s'; there are %.*s", SLICE_ARG(name), SLICE_ARG(all));
    return kind;
}

static int unknown_key(const struct reading *reading, const struct yaml_node *key)
{
    const char *nearest = NULL;
    size_t best = key->text.len / 2 + 1, own = reading->kind->option_count;
    for (size_t i = 0; i < own + ARRAY_COUNT(commons); i++) {
        const char *name = i < own ? reading->kind->options[i].name : commons[i - own].name;
        size_t distance = slice_distance(key->text, slice_text(name));
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return yaml_err(reading->err, key, "a notifier of kind %s has no option '%.*s'%s%s%s; docs/reference/notifiers.md lists them",
                    reading->kind->name, SLICE_ARG(key->text), nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int read_option(struct reading *reading, const struct notifier_option *option, const struct yaml_node *node)
{
    struct slice *to = (struct slice *)(void *)((char *)reading->row + option->offset);
    if (read_text(reading, node, option->name, option->offset) < 0)
        return -1;
    if (option->secret && secret_read(*to, reading->arena, to, reading->err) < 0)
        return err_within(reading->err, "line %d: %s", node->line, option->name);
    return 0;
}

static int read_entry(struct reading *reading, const struct yaml_entry *entry)
{
    const struct common *common = find_common(entry->key->text);
    const struct notifier_option *option = find_option(reading->kind, entry->key->text);
    if (option)
        return read_option(reading, option, entry->value);
    if (!common)
        return unknown_key(reading, entry->key);
    return common->read ? common->read(reading, entry->value) : 0;
}

static int fill_in(struct reading *reading, const struct yaml_node *node)
{
    for (size_t i = 0; i < reading->kind->option_count; i++) {
        const struct notifier_option *option = &reading->kind->options[i];
        struct slice *to = (struct slice *)(void *)((char *)reading->row + option->offset);
        if (!to->ptr && option->required)
            return yaml_err(reading->err, node, "a notifier of kind %s needs %s: %s", reading->kind->name, option->name, option->summary);
        if (!to->ptr && option->standard)
            *to = slice_text(option->standard);
    }
    return reading->row->name.len ? 0 : yaml_err(reading->err, node, "a notifier needs a name");
}

int notifier_row_read(const struct yaml_node *node, struct arena *arena, struct respond_notifier *out, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a notifier is a mapping such as {kind: slack, name: chat, url: \"https://...\"}");
    struct reading reading = {find_kind(node, arena, err), out, arena, err};
    if (!reading.kind)
        return -1;
    *out = (struct respond_notifier){.kind = slice_text(reading.kind->name), .least = SEVERITY_HIGH};
    for (size_t i = 0; i < node->count; i++)
        if (read_entry(&reading, &node->entries[i]) < 0)
            return -1;
    if (fill_in(&reading, node) < 0)
        return -1;
    if (reading.kind->check(out, err) < 0)
        return err_within(err, "line %d: notifier %.*s", node->line, SLICE_ARG(out->name));
    return 0;
}

/* ---- for people ---- */

void notifier_help_list(struct buffer *to)
{
    buffer_put_text(to, "Ways to reach people, entries of notifiers: in the configuration (hinomi help notify KIND):\n");
    for (size_t i = 0; notifier_kinds[i]; i++)
        buffer_printf(to, "  %-10s %s\n", notifier_kinds[i]->name, notifier_kinds[i]->summary);
}

bool notifier_help_kind(struct slice name, struct buffer *to)
{
    const struct notifier *kind = notifier_find(name);
    if (!kind)
        return false;
    buffer_printf(to, "kind: %s\n  %s\n\n", kind->name, kind->summary);
    if (kind->details)
        buffer_printf(to, "%s\n\n", kind->details);
    if (kind->address)
        buffer_printf(to, "A person's address: %s\n\n", kind->address);
    for (size_t i = 0; i < kind->option_count; i++) {
        const struct notifier_option *option = &kind->options[i];
        buffer_printf(to, "  %-14s%s%s%s%s\n      %s\n", option->name, option->required ? " (needed)" : "", option->standard ? " (" : "",
                      option->standard ? option->standard : "", option->standard ? ")" : "", option->summary);
    }
    buffer_put_text(to, "\nAs every notifier:\n");
    for (size_t i = 1; i < ARRAY_COUNT(commons); i++)
        buffer_printf(to, "  %-14s %s%s%s%s\n      %s\n", commons[i].name, commons[i].type, commons[i].standard ? " (" : "",
                      commons[i].standard ? commons[i].standard : "", commons[i].standard ? ")" : "", commons[i].summary);
    return true;
}

static void put_option(struct json *json, const char *name, const char *type, const char *standard, bool required, const char *summary)
{
    json_open(json, '{');
    json_put_text(json, "name", slice_text(name));
    json_put_text(json, "type", slice_text(type));
    json_put_text_or_null(json, "default", standard ? slice_text(standard) : SLICE_NONE);
    json_put_bool(json, "required", required);
    json_put_text(json, "summary", slice_text(summary));
    json_close(json, '}');
}

static void put_kind(struct json *json, const struct notifier *kind)
{
    json_open(json, '{');
    json_put_text(json, "name", slice_text(kind->name));
    json_put_text(json, "summary", slice_text(kind->summary));
    json_put_text_or_null(json, "details", slice_text(kind->details));
    json_put_text_or_null(json, "address", slice_text(kind->address));
    json_key(json, "options");
    json_open(json, '[');
    for (size_t i = 0; i < kind->option_count; i++) {
        const struct notifier_option *option = &kind->options[i];
        put_option(json, option->name, option->secret ? "secret" : "text", option->standard, option->required, option->summary);
    }
    json_close(json, ']');
    json_close(json, '}');
}

void notifier_help_json(struct json *json)
{
    json_open(json, '{');
    json_key(json, "common");
    json_open(json, '[');
    for (size_t i = 0; i < ARRAY_COUNT(commons); i++)
        put_option(json, commons[i].name, commons[i].type, commons[i].standard, commons[i].read == read_name, commons[i].summary);
    json_close(json, ']');
    json_key(json, "kinds");
    json_open(json, '[');
    for (size_t i = 0; notifier_kinds[i]; i++)
        put_kind(json, notifier_kinds[i]);
    json_close(json, ']');
    json_close(json, '}');
}
