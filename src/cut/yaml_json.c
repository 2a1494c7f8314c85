#include "cut/yaml_json.h"

/* How many digits it begins with; they are taken from it. */
static size_t take_digits(struct slice *text)
{
    size_t count = 0;
    while (count < text->len && text->ptr[count] >= '0' && text->ptr[count] <= '9')
        count++;
    *text = slice_from(*text, count);
    return count;
}

static bool take_one_of(struct slice *text, const char *set)
{
    bool found = text->len && text->ptr[0] && strchr(set, text->ptr[0]);
    if (found)
        *text = slice_from(*text, 1);
    return found;
}

/* RFC 8259: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_json_number(struct slice text)
{
    take_one_of(&text, "-");
    bool zero = text.len && text.ptr[0] == '0';
    size_t digits = take_digits(&text);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (take_one_of(&text, ".") && take_digits(&text) == 0)
        return false;
    if (take_one_of(&text, "eE")) {
        take_one_of(&text, "+-");
        if (take_digits(&text) == 0)
            return false;
    }
    return text.len == 0;
}

static void scalar_to_json(const struct yaml_node *node, struct json *json)
{
    bool yes;
    if (yaml_is_null(node))
        json_null(json);
    else if (yaml_to_bool(node, &yes))
        json_bool(json, yes);
    else if (node->style == YAML_PLAIN && is_json_number(node->text))
        json_raw(json, node->text);
    else
        json_text(json, node->text);
}

void yaml_to_json(const struct yaml_node *node, struct json *json)
{
    if (node->kind == YAML_SCALAR) {
        scalar_to_json(node, json);
        return;
    }
    bool map = node->kind == YAML_MAPPING;
    json_open(json, map ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        if (map)
            json_key_slice(json, node->entries[i].key->text);
        yaml_to_json(node->entries[i].value, json);
    }
    json_close(json, map ? '}' : ']');
}
