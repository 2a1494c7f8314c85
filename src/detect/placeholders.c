#include "detect/placeholders.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "cut/csv.h"

struct values {
    struct slice *list;
    size_t count, size;
};

struct placeholders {
    struct arena *arena;
    struct map by_name; /* struct values */
    const char *lookups;
    const char *files[PLACEHOLDER_LOOKUPS_MAX]; /* that were looked for */
    size_t file_count;
};

struct placeholders *placeholders_new(struct arena *arena, const char *lookups)
{
    struct placeholders *placeholders = arena_calloc(arena, sizeof(*placeholders));
    if (placeholders) {
        placeholders->arena = arena;
        placeholders->lookups = lookups ? arena_copy(arena, slice_of(lookups, strlen(lookups) + 1)).ptr : NULL;
        map_init(&placeholders->by_name, arena);
    }
    return placeholders;
}

/* ---- reading ---- */

static int add_text(struct placeholders *placeholders, struct values *values, struct slice text, struct err *err)
{
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

static int add_value(struct placeholders *placeholders, struct values *values, const struct yaml_node *node,
                     struct err *err)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return yaml_err(err, node, "a placeholder stands for a text or a list of texts");
    return add_text(placeholders, values, text, err);
}

/* The next line of a CSV text: one whose quotes are closed. */
static bool next_row(struct slice *rest, struct slice *row)
{
    bool quoted = false;
    size_t end = 0;
    if (!rest->len)
        return false;
    for (; end < rest->len && (quoted || rest->ptr[end] != '\n'); end++)
        quoted ^= rest->ptr[end] == '"';
    *row = slice_sub(*rest, 0, end && rest->ptr[end - 1] == '\r' ? end - 1 : end);
    *rest = slice_from(*rest, end < rest->len ? end + 1 : end);
    return true;
}

/* The cell of a row at a place; none when it has fewer. */
static struct slice cell_at(struct slice row, size_t place, struct arena *arena)
{
    struct csv csv = {.rest = row, .separator = ',', .more = true};
    struct csv_cell cell;
    for (size_t i = 0; csv_next(&csv, &cell); i++)
        if (i == place)
            return cell.escaped ? csv_unescape(cell.text, arena) : cell.text;
    return SLICE_NONE;
}

static int add_column(struct placeholders *placeholders, struct values *values, struct slice text, struct slice column,
                      struct err *err)
{
    struct slice row, cell;
    size_t place = 0;
    if (!next_row(&text, &row))
        return 0;
    while ((cell = cell_at(row, place, placeholders->arena)).ptr && !slice_equal(cell, column))
        place++;
    while (cell.ptr && next_row(&text, &row)) {
        struct slice value = cell_at(row, place, placeholders->arena);
        if (value.len && add_text(placeholders, values, value, err) < 0)
            return -1;
    }
    return 0;
}

/* {lookup: FILE, column: NAME}. What is not there, or not yet, has no values: rules that need it say so. */
static int add_lookup(struct placeholders *placeholders, struct values *values, const struct yaml_node *node,
                      struct err *err)
{
    struct slice file = yaml_text(yaml_get(node, "lookup"), SLICE("")), text;
    struct slice column = yaml_text(yaml_get(node, "column"), SLICE_NONE);
    if (!slice_ends(file, SLICE(".csv")) || slice_find_char(file, '/') >= 0 || !column.ptr)
        return yaml_err(err, node, "a placeholder out of a lookup is {lookup: NAME.csv, column: NAME}");
    if (!placeholders->lookups)
        return 0;
    if (placeholders->file_count == PLACEHOLDER_LOOKUPS_MAX)
        return yaml_err(err, node, "placeholders stand for at most %d lookups", PLACEHOLDER_LOOKUPS_MAX);
    const char *path = arena_printf(placeholders->arena, "%s/%.*s%c", placeholders->lookups, SLICE_ARG(file), 0).ptr;
    if (!path)
        return err_nomem(err);
    placeholders->files[placeholders->file_count++] = path;
    if (!file_stamp(path))
        return 0;
    return file_read(path, YAML_BYTES_MAX, placeholders->arena, &text, err) < 0
               ? -1
               : add_column(placeholders, values, text, column, err);
}

uint64_t placeholders_stamp(const struct placeholders *placeholders)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < placeholders->file_count; i++)
        sum += file_stamp(placeholders->files[i]);
    return sum;
}

static int add_name(struct placeholders *placeholders, const struct yaml_entry *entry, struct err *err)
{
    void **slot = map_slot(&placeholders->by_name, entry->key->text);
    if (slot && !*slot)
        *slot = arena_calloc(placeholders->arena, sizeof(struct values));
    if (!slot || !*slot)
        return err_nomem(err);
    if (entry->value->kind == YAML_MAPPING)
        return add_lookup(placeholders, *slot, entry->value, err);
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
