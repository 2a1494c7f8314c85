#include "collect/remote/preset.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"
#include "cut/yaml.h"

struct preset {
    struct arena *arena;
    struct err *err;
    const struct yaml_node *entry;                /* of the user */
    const struct yaml_node *needs, *may, *options; /* of the file */
};

static int read_file(struct preset *preset, const char *folder, struct slice name)
{
    const struct yaml_node *const *documents;
    struct slice text;
    size_t count;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[0] == '.')
            return yaml_err(preset->err, preset->entry, "preset: a name is needed, such as okta");
    struct slice path = arena_printf(preset->arena, "%s/%.*s.yaml", folder, SLICE_ARG(name));
    if (!path.ptr)
        return err_nomem(preset->err);
    if (file_read(path.ptr, YAML_BYTES_MAX, preset->arena, &text, preset->err) < 0)
        return err_within(preset->err, "line %d: there is no preset %.*s", preset->entry->line, SLICE_ARG(name));
    if (yaml_parse(text, preset->arena, &documents, &count, preset->err) < 0)
        return err_within(preset->err, "%s", path.ptr);
    const struct yaml_node *options = count == 1 ? yaml_get(documents[0], "options") : NULL;
    if (!options || options->kind != YAML_MAPPING)
        return err_set(preset->err, ERR_CONFIG, "%s: one document with options is needed", path.ptr);
    preset->options = options;
    preset->needs = yaml_get(documents[0], "needs");
    preset->may = yaml_get(documents[0], "may");
    return 0;
}

static bool is_parameter(const struct preset *preset, struct slice name)
{
    return yaml_get_slice(preset->needs, name) || yaml_get_slice(preset->may, name);
}

static int check_needs(const struct preset *preset, struct slice name)
{
    for (size_t i = 0; preset->needs && i < preset->needs->count; i++) {
        const struct yaml_entry *need = &preset->needs->entries[i];
        if (!yaml_text(yaml_get_slice(preset->entry, need->key->text), SLICE_NONE).ptr)
            return yaml_err(preset->err, preset->entry, "preset %.*s needs %.*s: %.*s", SLICE_ARG(name), SLICE_ARG(need->key->text),
                            SLICE_ARG(yaml_text(need->value, SLICE(""))));
    }
    return 0;
}

enum { FILL_DEPTH_MAX = 3 }; /* what is usual may name other parameters */

/* ${name} of parameters; other places are the collector's. */
static struct slice fill(const struct preset *preset, struct slice text, int depth);

static struct slice value_of(const struct preset *preset, struct slice name, int depth)
{
    struct slice given = yaml_text(yaml_get_slice(preset->entry, name), SLICE_NONE);
    return given.ptr ? given : fill(preset, yaml_text(yaml_get_slice(preset->may, name), SLICE("")), depth + 1);
}

static struct slice fill(const struct preset *preset, struct slice text, int depth)
{
    struct buffer to;
    struct slice result = SLICE_NONE;
    ptrdiff_t at;
    buffer_init(&to, YAML_BYTES_MAX);
    while ((at = slice_find(text, SLICE("${"))) >= 0) {
        ptrdiff_t end = slice_find_char(slice_from(text, (size_t)at), '}');
        struct slice name = end < 0 ? SLICE("") : slice_sub(text, (size_t)at + 2, (size_t)end - 2);
        size_t len = end < 0 ? 2 : (size_t)end + 1;
        buffer_put(&to, slice_sub(text, 0, (size_t)at));
        if (is_parameter(preset, name) && depth < FILL_DEPTH_MAX)
            buffer_put(&to, value_of(preset, name, depth));
        else
            buffer_put(&to, slice_sub(text, (size_t)at, len));
        text = slice_from(text, (size_t)at + len);
    }
    buffer_put(&to, text);
    if (!buffer_failed(&to))
        result = arena_copy(preset->arena, buffer_slice(&to));
    buffer_close(&to);
    return result;
}

/* A copy whose texts are filled in, levels as deep as a list in an option. A parameter that is a list stands for itself. */
static const struct yaml_node *fill_node(const struct preset *preset, const struct yaml_node *node)
{
    struct slice name = slice_sub(node->text, 2, node->text.len > 3 ? node->text.len - 3 : 0);
    bool alone = node->kind == YAML_SCALAR && slice_starts(node->text, SLICE("${")) && slice_ends(node->text, SLICE("}"));
    const struct yaml_node *given = alone && is_parameter(preset, name) ? yaml_get_slice(preset->entry, name) : NULL;
    if (!given && alone)
        given = yaml_get_slice(preset->may, name);
    if (given && given->kind == YAML_SEQUENCE)
        return given;
    struct yaml_node *copy = arena_alloc(preset->arena, sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *node;
    if (node->kind == YAML_SCALAR) {
        copy->text = fill(preset, node->text, 0);
        return copy->text.ptr ? copy : NULL;
    }
    copy->entries = arena_array(preset->arena, node->count + 1, sizeof(*copy->entries));
    for (size_t i = 0; copy->entries && i < node->count; i++) {
        struct yaml_entry *to = &copy->entries[i];
        const struct yaml_entry *from = &node->entries[i];
        to->key = from->key;
        to->value = from->value->kind == YAML_SCALAR ? fill_node(preset, from->value) : from->value;
        if (!to->value)
            return NULL;
    }
    return copy->entries ? copy : NULL;
}

static int merge(const struct preset *preset, const struct yaml_node **out)
{
    const struct yaml_node *entry = preset->entry, *options = preset->options;
    struct yaml_node *merged = arena_alloc(preset->arena, sizeof(*merged));
    struct yaml_entry *to = arena_array(preset->arena, entry->count + options->count + 1, sizeof(*to));
    if (!merged || !to)
        return err_nomem(preset->err);
    *merged = *entry;
    merged->entries = to;
    merged->count = 0;
    for (size_t i = 0; i < entry->count; i++)
        if (!is_parameter(preset, entry->entries[i].key->text))
            to[merged->count++] = entry->entries[i];
    for (size_t i = 0; i < options->count; i++) {
        const struct yaml_entry *option = &options->entries[i];
        if (yaml_get_slice(merged, option->key->text))
            continue;
        const struct yaml_node *value = fill_node(preset, option->value);
        if (!value)
            return err_nomem(preset->err);
        to[merged->count++] = (struct yaml_entry){option->key, value};
    }
    *out = merged;
    return 0;
}

int preset_apply(const char *folder, const struct yaml_node *node, struct arena *arena, const struct yaml_node **out,
                 struct err *err)
{
    struct slice name = yaml_text(node->kind == YAML_MAPPING ? yaml_get(node, "preset") : NULL, SLICE_NONE);
    struct preset preset = {.arena = arena, .err = err, .entry = node};
    *out = node;
    if (!name.ptr)
        return 0;
    if (read_file(&preset, folder, name) < 0 || check_needs(&preset, name) < 0)
        return -1;
    return merge(&preset, out);
}
