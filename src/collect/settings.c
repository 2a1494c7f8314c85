/* Reads an entry of `collect:` by its kind's table of options. */
#include "base/byte_size.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/zone.h"
#include "collect/collector.h"
#include "cut/yaml.h"
#include "event/ip.h"

#include <assert.h>

struct option_value {
    struct slice text; /* of texts, or the choice */
    const char *string; /* the same with a zero behind it */
    int64_t number;    /* bytes, ns, port, or 1 for true */
    struct slice *list;
    size_t count;
    const struct yaml_node *node;
};

struct reading {
    struct arena *arena;
    struct err *err;
};

typedef int (*value_reader)(struct reading *reading, const struct collector_option *option,
                            const struct yaml_node *node, struct option_value *to);

static int wrong(struct reading *reading, const struct yaml_node *node, const struct collector_option *option,
                 const char *needed)
{
    return yaml_err(reading->err, node, "%s: %s is needed", option->name, needed);
}

static bool keep_text(struct reading *reading, struct slice text, struct option_value *to)
{
    to->string = text.ptr ? arena_string(reading->arena, text) : NULL;
    to->text = slice_text(to->string);
    return to->string;
}

static int read_text(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    return keep_text(reading, yaml_text(node, SLICE_NONE), to) ? 0 : wrong(reading, node, option, "a text");
}

static int read_secret(struct reading *reading, const struct collector_option *option,
                       const struct yaml_node *node, struct option_value *to)
{
    if (read_text(reading, option, node, to) < 0)
        return -1;
    if (secret_read(to->text, reading->arena, &to->text, reading->err) < 0)
        return err_within(reading->err, "line %d: %s", node->line, option->name);
    to->string = to->text.ptr; /* a zero follows */
    return 0;
}

static bool is_choice(const struct collector_option *option, struct slice text)
{
    for (size_t i = 0; option->choices[i]; i++)
        if (slice_is(text, option->choices[i]))
            return true;
    return false;
}

static int check_choice(struct reading *reading, const struct collector_option *option,
                        const struct yaml_node *node, struct slice text)
{
    if (is_choice(option, text))
        return 0;
    struct slice all = SLICE("");
    for (size_t i = 0; option->choices[i]; i++)
        all = arena_printf(reading->arena, "%.*s%s%s", SLICE_ARG(all), i ? ", " : "", option->choices[i]);
    return yaml_err(reading->err, node, "%s: '%.*s' is none of %.*s", option->name, SLICE_ARG(text), SLICE_ARG(all));
}

static int read_choice(struct reading *reading, const struct collector_option *option,
                       const struct yaml_node *node, struct option_value *to)
{
    return read_text(reading, option, node, to) < 0 ? -1 : check_choice(reading, option, node, to->text);
}

/* One text stands for a list of one. */
static int read_list(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    bool one = node->kind == YAML_SCALAR;
    to->count = one ? 1 : node->count;
    if (node->kind == YAML_MAPPING || to->count > COLLECTOR_LIST_MAX)
        return yaml_err(reading->err, node, "%s: a list of at most %d texts is needed", option->name,
                        COLLECTOR_LIST_MAX);
    to->list = arena_array(reading->arena, to->count + 1, sizeof(*to->list));
    if (!to->list)
        return err_nomem(reading->err);
    for (size_t i = 0; i < to->count; i++) {
        const struct yaml_node *item = one ? node : node->entries[i].value;
        to->list[i] = yaml_text(item, SLICE_NONE);
        if (!to->list[i].ptr)
            return wrong(reading, item, option, "a text");
        if (option->type == SETTING_CHOICES && check_choice(reading, option, item, to->list[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_address(struct reading *reading, const struct collector_option *option,
                        const struct yaml_node *node, struct option_value *to)
{
    struct ip ip;
    return keep_text(reading, yaml_text(node, SLICE("")), to) && ip_parse(to->text, &ip) ? 0 : wrong(reading, node, option, "an IP address of this machine, or 0.0.0.0 for all");
}

static int read_port(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    bool fits = yaml_to_i64(node, &to->number) && to->number >= 0 && to->number <= 65535;
    return fits ? 0 : wrong(reading, node, option, "a port from 0 (any free one) to 65535");
}

static int read_bool(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    bool yes;
    if (!yaml_to_bool(node, &yes))
        return wrong(reading, node, option, "true or false");
    to->number = yes;
    return 0;
}

static int within(struct reading *reading, const struct collector_option *option, const struct yaml_node *node,
                  int64_t number)
{
    if (number >= option->least && (number <= option->most || !option->most))
        return 0;
    struct slice text = yaml_text(node, SLICE(""));
    return yaml_err(reading->err, node, "%s: %.*s is too %s", option->name, SLICE_ARG(text),
                    number < option->least ? "small" : "large");
}

static int read_number(struct reading *reading, const struct collector_option *option,
                       const struct yaml_node *node, struct option_value *to)
{
    if (!yaml_to_i64(node, &to->number))
        return wrong(reading, node, option, "a whole number");
    return within(reading, option, node, to->number);
}

static int read_duration(struct reading *reading, const struct collector_option *option,
                         const struct yaml_node *node, struct option_value *to)
{
    if (!duration_parse(yaml_text(node, SLICE("")), &to->number))
        return wrong(reading, node, option, "a duration such as 30s or 5m");
    return within(reading, option, node, to->number);
}

static int read_size(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    uint64_t bytes;
    if (!byte_size_parse(yaml_text(node, SLICE("")), &bytes))
        return wrong(reading, node, option, "a size such as 8MiB");
    to->number = (int64_t)bytes;
    return within(reading, option, node, to->number);
}

static int read_url(struct reading *reading, const struct collector_option *option,
                    const struct yaml_node *node, struct option_value *to)
{
    bool fits = keep_text(reading, yaml_text(node, SLICE("")), to);
    fits = fits && (slice_starts(to->text, SLICE("https://")) || slice_starts(to->text, SLICE("http://")));
    return fits ? 0 : wrong(reading, node, option, "a URL that begins with https://");
}

static int read_node(struct reading *reading, const struct collector_option *option,
                     const struct yaml_node *node, struct option_value *to)
{
    (void)reading;
    (void)option;
    to->node = node;
    return 0;
}

static const value_reader readers[] = {
    [SETTING_TEXT] = read_text,       [SETTING_SECRET] = read_secret,   [SETTING_PATH] = read_text,
    [SETTING_LIST] = read_list,       [SETTING_CHOICE] = read_choice,   [SETTING_CHOICES] = read_list,
    [SETTING_ADDRESS] = read_address, [SETTING_PORT] = read_port,       [SETTING_BOOL] = read_bool,
    [SETTING_NUMBER] = read_number,   [SETTING_DURATION] = read_duration, [SETTING_SIZE] = read_size,
    [SETTING_URL] = read_url,         [SETTING_NODE] = read_node,
};

/* What is written when nothing is written. */
static int read_standard(struct reading *reading, const struct collector_option *option, struct option_value *to)
{
    const struct yaml_node *const *documents;
    size_t count;
    if (!option->standard)
        return 0;
    if (yaml_parse(slice_text(option->standard), reading->arena, &documents, &count, reading->err) < 0)
        return -1;
    return readers[option->type](reading, option, documents[0], to);
}

/* ---- what every collector has ---- */

enum { COMMON_NAME, COMMON_ENABLED, COMMON_STREAM, COMMON_DATASET, COMMON_ZONE, COMMON_HEARTBEAT, COMMON_CLOCK, COMMON_COUNT };

const struct collector_option collector_common[] = {
    [COMMON_NAME] = {"name", SETTING_TEXT, .summary = "what its events are told by (hinomi.source); without it the kind"},
    [COMMON_ENABLED] = {"enabled", SETTING_BOOL, "true", .summary = "false: nothing is taken in, the entry stays"},
    [COMMON_STREAM] = {"stream", SETTING_TEXT, "main", .summary = "where its events are filed (index in searches)"},
    [COMMON_DATASET] = {"dataset", SETTING_TEXT, .summary = "the decoder; without it each event's is recognised"},
    [COMMON_ZONE] = {"time_zone", SETTING_TEXT, .summary = "of time stamps that name none, such as Asia/Tokyo; without it UTC"},
    [COMMON_HEARTBEAT] = {"heartbeat", SETTING_DURATION, .least = HEARTBEAT_LEAST_S * NS_PER_SECOND, .summary = "a finding when nothing has come for so long, such as 5m; without it its usual rhythm is learned"},
    [COMMON_CLOCK] = {"clock_skew", SETTING_CHOICE, "show", .choices = (const char *const[]){"off", "show", "correct", NULL}, .summary = "how far its senders' clocks are ahead: not measured, shown, or taken off their stamps"},
    {0},
};

static bool is_name(struct slice text)
{
    bool fits = text.len > 0 && text.len <= COLLECTOR_NAME_MAX;
    for (size_t i = 0; fits && i < text.len; i++) {
        char c = text.ptr[i];
        fits = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '.';
    }
    return fits;
}

static int want_name(struct reading *reading, const struct yaml_node *node, const char *what, struct slice text)
{
    if (text.ptr && slice_starts(text, SLICE("hinomi.")))
        return yaml_err(reading->err, node, "%s: names that begin with hinomi. are the program's own", what);
    if (!text.ptr || is_name(text))
        return 0;
    return yaml_err(reading->err, node, "%s: 1 to %d letters, digits, '-', '_' or '.' are needed", what, COLLECTOR_NAME_MAX);
}

static int settle_common(struct reading *reading, const struct yaml_node *node, const struct option_value *common,
                         struct collector_settings *to)
{
    to->name = common[COMMON_NAME].text.ptr ? common[COMMON_NAME].text : slice_text(to->kind->name);
    to->enabled = common[COMMON_ENABLED].number;
    to->stream = common[COMMON_STREAM].text;
    to->dataset = common[COMMON_DATASET].text;
    to->zone = common[COMMON_ZONE].text;
    to->heartbeat_ns = common[COMMON_HEARTBEAT].number;
    to->clock_skew = common[COMMON_CLOCK].text;
    if (to->zone.ptr && !zone_find(to->zone))
        return yaml_err(reading->err, node, "there is no time zone '%.*s'; it is a name such as Asia/Tokyo",
                        SLICE_ARG(to->zone));
    if (want_name(reading, node, "name", to->name) < 0 || want_name(reading, node, "stream", to->stream) < 0)
        return -1;
    return want_name(reading, node, "dataset", to->dataset);
}

/* ---- an entry ---- */

static const struct collector_option *find_option(const struct collector_option *options, size_t count, struct slice key)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(key, options[i].name))
            return &options[i];
    return NULL;
}

static int unknown_key(struct reading *reading, const struct collector_kind *kind, const struct yaml_node *key)
{
    const char *nearest = NULL;
    size_t best = key->text.len / 2 + 1;
    for (size_t i = 0; i < kind->option_count + COMMON_COUNT; i++) {
        const char *name = i < kind->option_count ? kind->options[i].name : collector_common[i - kind->option_count].name;
        size_t distance = slice_distance(key->text, slice_text(name));
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return yaml_err(reading->err, key, "a collector of kind %s has no option '%.*s'%s%s%s; docs/reference/collectors.md lists them",
                    kind->name, SLICE_ARG(key->text), nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static const struct collector_kind *read_kind(struct reading *reading, const struct yaml_node *node)
{
    struct slice name = yaml_text(yaml_get(node, "kind"), SLICE_NONE), all = SLICE("");
    const struct collector_kind *kind = name.ptr ? collector_find(name) : NULL;
    if (kind)
        return kind;
    for (size_t i = 0; collector_kinds[i]; i++)
        all = arena_printf(reading->arena, "%.*s%s%s", SLICE_ARG(all), i ? ", " : "", collector_kinds[i]->name);
    if (name.ptr)
        yaml_err(reading->err, node, "there is no kind of collector '%.*s'; there are %.*s", SLICE_ARG(name), SLICE_ARG(all));
    else
        yaml_err(reading->err, node, "a collector needs its kind: one of %.*s", SLICE_ARG(all));
    return NULL;
}

static int read_given(struct reading *reading, const struct yaml_node *node, const struct collector_kind *kind,
                      struct option_value *common, struct option_value *own)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->entries[i].key, *value = node->entries[i].value;
        const struct collector_option *option = find_option(collector_common, COMMON_COUNT, key->text);
        struct option_value *to = option ? &common[option - collector_common] : NULL;
        if (slice_is(key->text, "kind"))
            continue;
        if (!option && (option = find_option(kind->options, kind->option_count, key->text)))
            to = &own[option - kind->options];
        if (!option)
            return unknown_key(reading, kind, key);
        *to = (struct option_value){0};
        if (readers[option->type](reading, option, value, to) < 0)
            return -1;
    }
    return 0;
}

static int check_required(struct reading *reading, const struct yaml_node *node, const struct collector_kind *kind)
{
    for (size_t i = 0; i < kind->option_count; i++)
        if (kind->options[i].required && yaml_is_null(yaml_get(node, kind->options[i].name)))
            return yaml_err(reading->err, node, "a collector of kind %s needs %s: %s", kind->name,
                            kind->options[i].name, kind->options[i].summary);
    return 0;
}

int collector_settings_read(const struct yaml_node *node, struct arena *arena, struct collector_settings *out,
                            struct err *err)
{
    struct reading reading = {arena, err};
    struct option_value common[COMMON_COUNT] = {0};
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "a collector is a mapping such as {kind: syslog, port: 514}");
    const struct collector_kind *kind = read_kind(&reading, node);
    if (!kind)
        return -1;
    struct option_value *own = arena_array(arena, kind->option_count + 1, sizeof(*own));
    if (!own)
        return err_nomem(err);
    *out = (struct collector_settings){.kind = kind, .line = node->line, .values = own, .node = node};
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if (read_standard(&reading, &collector_common[i], &common[i]) < 0)
            return -1;
    for (size_t i = 0; i < kind->option_count; i++)
        if (read_standard(&reading, &kind->options[i], &own[i]) < 0)
            return -1;
    if (read_given(&reading, node, kind, common, own) < 0 || check_required(&reading, node, kind) < 0 ||
        settle_common(&reading, node, common, out) < 0)
        return -1;
    if (kind->check && kind->check(out, err) < 0)
        return err_within(err, "line %d", node->line);
    return 0;
}

/* ---- asking ---- */

static const struct option_value *value_of(const struct collector_settings *settings, const char *name)
{
    const struct collector_kind *kind = settings->kind;
    const struct collector_option *option = find_option(kind->options, kind->option_count, slice_text(name));
    assert(option);
    return &settings->values[option - kind->options];
}

const char *settings_name(const struct collector_settings *settings)
{
    return settings->name.ptr; /* from keep_text(), or the kind's literal */
}

struct slice settings_text(const struct collector_settings *settings, const char *name)
{
    return value_of(settings, name)->text;
}

const char *settings_string(const struct collector_settings *settings, const char *name)
{
    return value_of(settings, name)->string;
}

int64_t settings_number(const struct collector_settings *settings, const char *name)
{
    return value_of(settings, name)->number;
}

bool settings_bool(const struct collector_settings *settings, const char *name)
{
    return value_of(settings, name)->number != 0;
}

const struct slice *settings_list(const struct collector_settings *settings, const char *name, size_t *count)
{
    const struct option_value *value = value_of(settings, name);
    *count = value->count;
    return value->list;
}

bool settings_has(const struct collector_settings *settings, const char *name, const char *choice)
{
    const struct option_value *value = value_of(settings, name);
    for (size_t i = 0; i < value->count; i++)
        if (slice_is(value->list[i], choice))
            return true;
    return false;
}

const struct yaml_node *settings_node(const struct collector_settings *settings, const char *name)
{
    return value_of(settings, name)->node;
}
