#include "collect/collector_help.h"

#include "collect/collector.h"

static const char *const type_words[] = {
    [SETTING_TEXT] = "text",         [SETTING_SECRET] = "secret",   [SETTING_PATH] = "path",         [SETTING_LIST] = "list of texts",
    [SETTING_CHOICE] = "one of",     [SETTING_CHOICES] = "some of", [SETTING_ADDRESS] = "IP address", [SETTING_PORT] = "port",
    [SETTING_BOOL] = "true or false", [SETTING_NUMBER] = "number",  [SETTING_DURATION] = "duration", [SETTING_SIZE] = "size",
    [SETTING_URL] = "URL",           [SETTING_NODE] = "mapping",
};

/* "one of udp, tcp" */
static void put_type(const struct collector_option *option, struct buffer *to)
{
    buffer_put_text(to, type_words[option->type]);
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        buffer_printf(to, "%s%s", i ? ", " : " ", option->choices[i]);
}

static void put_option(const struct collector_option *option, struct buffer *to)
{
    buffer_printf(to, "  %-20s ", option->name);
    put_type(option, to);
    if (option->standard)
        buffer_printf(to, " (%s)", option->standard);
    else if (option->required)
        buffer_put_text(to, " (needed)");
    buffer_printf(to, "\n      %s\n", option->summary);
}

void collector_help_list(struct buffer *to)
{
    buffer_put_text(to, "What takes events in, entries of collect: in the configuration (hinomi help collect KIND):\n");
    for (size_t i = 0; collector_kinds[i]; i++)
        buffer_printf(to, "  %-12s %s\n", collector_kinds[i]->name, collector_kinds[i]->summary);
    buffer_put_text(to, "\nWhat the HTTP port speaks:\n");
    for (size_t i = 0; dialects[i]; i++)
        buffer_printf(to, "  %-14s %s\n", dialects[i]->name, dialects[i]->summary);
}

bool collector_help_kind(struct slice name, struct buffer *to)
{
    const struct collector_kind *kind = collector_find(name);
    if (!kind)
        return false;
    buffer_printf(to, "kind: %s\n  %s\n\n", kind->name, kind->summary);
    if (kind->details)
        buffer_printf(to, "%s\n\n", kind->details);
    for (size_t i = 0; i < kind->option_count; i++)
        put_option(&kind->options[i], to);
    buffer_put_text(to, "\nAs every collector:\n");
    for (size_t i = 0; collector_common[i].name; i++)
        put_option(&collector_common[i], to);
    return true;
}

static void option_json(const struct collector_option *option, struct json *json)
{
    struct buffer type;
    buffer_init(&type, 64 * 1024);
    put_type(option, &type);
    json_open(json, '{');
    json_put_text(json, "name", slice_text(option->name));
    json_put_text(json, "type", buffer_slice(&type));
    json_put_text_or_null(json, "default", option->standard ? slice_text(option->standard) : SLICE_NONE);
    json_put_bool(json, "required", option->required);
    json_put_text(json, "summary", slice_text(option->summary));
    json_close(json, '}');
    buffer_close(&type);
}

static void kind_json(const struct collector_kind *kind, struct json *json)
{
    json_open(json, '{');
    json_put_text(json, "name", slice_text(kind->name));
    json_put_text(json, "summary", slice_text(kind->summary));
    json_put_text_or_null(json, "details", slice_text(kind->details));
    json_key(json, "options");
    json_open(json, '[');
    for (size_t i = 0; i < kind->option_count; i++)
        option_json(&kind->options[i], json);
    json_close(json, ']');
    json_close(json, '}');
}

static void dialect_json(const struct dialect *dialect, struct json *json)
{
    json_open(json, '{');
    json_put_text(json, "name", slice_text(dialect->name));
    json_put_text(json, "summary", slice_text(dialect->summary));
    json_key(json, "routes");
    json_open(json, '[');
    for (size_t i = 0; i < dialect->route_count; i++) {
        const struct dialect_route *route = &dialect->routes[i];
        json_open(json, '{');
        json_put_text(json, "method", slice_text(route->method == HTTP_OTHER_METHOD ? "any" : http_method_name(route->method)));
        json_put_text(json, "path", slice_text(route->path));
        json_put_bool(json, "token", !route->open);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

void collector_help_json(struct json *json)
{
    json_open(json, '{');
    json_key(json, "common");
    json_open(json, '[');
    for (size_t i = 0; collector_common[i].name; i++)
        option_json(&collector_common[i], json);
    json_close(json, ']');
    json_key(json, "kinds");
    json_open(json, '[');
    for (size_t i = 0; collector_kinds[i]; i++)
        kind_json(collector_kinds[i], json);
    json_close(json, ']');
    json_key(json, "dialects");
    json_open(json, '[');
    for (size_t i = 0; dialects[i]; i++)
        dialect_json(dialects[i], json);
    json_close(json, ']');
    json_close(json, '}');
}
