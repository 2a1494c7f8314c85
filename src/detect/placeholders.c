#include "detect/placeholders.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"

struct values {
    struct slice *list;
    size_t count, size;
};

struct placeholders {
    struct arena *arena;
    struct map by_name; /* struct values */
};

struct placeholders *placeholders_new(struct arena *arena)
{
    struct placeholders *placeholders = arena_calloc(arena, sizeof(*placeholders));
    if (placeholders) {
        placeholders->arena = arena;
        map_init(&placeholders->by_name, arena);
    }
    return placeholders;
}

/* ---- reading ---- */

static int add_value(struct placeholders *placeholders, struct values *values, const struct yaml_node *node,
                     struct err *err)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return yaml_err(err, node, "a placeholder stands for a text or a list of texts");
    if (values->count == values->size) {
        size_t size = values->size ? 2 * values->size : 8;
        values->list = arena_grow(placeholders->arena, values->list, values->count * sizeof(text),
                                  size * sizeof(text));
        values->size = size;
        if (!values->list)
            return err_nomem(err);
    }
    values->list[values->count++] = text;
    return 0;
}

static int add_name(struct placeholders *placeholders, const struct yaml_entry *entry, struct err *err)
{
    void **slot = map_slot(&placeholders->by_name, entry->key->text);
    if (slot && !*slot)
        *slot = arena_calloc(placeholders->arena, sizeof(struct values));
    if (!slot || !*slot)
        return err_nomem(err);
    if (entry->value->kind != YAML_SEQUENCE)
        return add_value(placeholders, *slot, entry->value, err);
    for (size_t i = 0; i < entry->value->count; i++)
        if (add_value(placeholders, *slot, entry->value->entries[i].value, err) < 0)
            return -1;
    return 0;
}

static int add_document(void *context, const struct yaml_node *document, struct err *err)
{
    struct placeholders *placeholders = context;
    if (document->kind != YAML_MAPPING)
        return yaml_err(err, document, "placeholders are a mapping of names to lists of values");
    for (size_t i = 0; i < document->count; i++) {
        if (!document->entries[i].key->text.ptr)
            return yaml_err(err, document, "the name of a placeholder is a text");
        if (add_name(placeholders, &document->entries[i], err) < 0)
            return -1;
    }
    return 0;
}

int placeholders_read(struct placeholders *placeholders, const char *path, struct err *err)
{
    const struct yaml_node *const *documents;
    size_t count;
    struct slice text;
    if (file_read(path, YAML_BYTES_MAX, placeholders->arena, &text, err) < 0)
        return -1;
    if (yaml_parse(text, placeholders->arena, &documents, &count, err) < 0)
        return err_within(err, "%s", path);
    for (size_t i = 0; i < count; i++)
        if (add_document(placeholders, documents[i], err) < 0)
            return err_within(err, "%s", path);
    return 0;
}

int placeholders_load(struct placeholders *placeholders, const char *folder, struct err *err)
{
    if (!file_is_dir(folder))
        return 0;
    return yaml_walk(folder, placeholders->arena, add_document, placeholders, err);
}

/* ---- expanding ---- */

/* The first %name% of a text whose percent sign is not escaped: what is before, its name, what is behind. */
static bool next_name(struct slice text, struct slice *before, struct slice *name, struct slice *behind)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len) {
            i++;
            continue;
        }
        if (text.ptr[i] != '%')
            continue;
        ptrdiff_t end = slice_find_char(slice_from(text, i + 1), '%');
        if (end <= 0)
            return false;
        *before = slice_sub(text, 0, i);
        *name = slice_sub(text, i + 1, (size_t)end);
        *behind = slice_from(text, i + 1 + (size_t)end + 1);
        return true;
    }
    return false;
}

/* \% is a plain percent sign; other escapes are for who reads the value. */
static struct slice plain_percents(struct slice text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == '%')
            i++;
        else if (text.ptr[i] == '\\' && i + 1 < text.len)
            to[len++] = text.ptr[i++];
        to[len++] = text.ptr[i];
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

/* Every text so far with every value behind it. */
static bool multiply(const struct values *values, struct slice before, struct arena *arena, struct values *all)
{
    struct slice *next = arena_array(arena, all->count * values->count + 1, sizeof(*next));
    before = plain_percents(before, arena);
    if (!next || !before.ptr)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < values->count; k++) {
            next[count] = arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(all->list[i]), SLICE_ARG(before),
                                       SLICE_ARG(values->list[k]));
            if (!next[count++].ptr)
                return false;
        }
    *all = (struct values){next, count, count};
    return true;
}

size_t placeholders_expand(const struct placeholders *placeholders, struct slice value, struct arena *arena,
                           const struct slice **out, struct slice *missing)
{
    struct slice empty = SLICE(""), before, name, behind;
    struct values all = {&empty, 1, 1};
    struct values rest = {&behind, 1, 1};
    *missing = SLICE_NONE;
    while (next_name(value, &before, &name, &behind)) {
        const struct values *values = map_find(&placeholders->by_name, name);
        *missing = values && values->count ? SLICE_NONE : name;
        if (missing->ptr)
            return 0;
        if (all.count * values->count > PLACEHOLDER_TEXTS_MAX) {
            *missing = SLICE("");
            return 0;
        }
        if (!multiply(values, before, arena, &all))
            return 0;
        value = behind;
    }
    behind = plain_percents(value, arena);
    if (!behind.ptr || !multiply(&rest, SLICE(""), arena, &all))
        return 0;
    *out = all.list;
    return all.count;
}
