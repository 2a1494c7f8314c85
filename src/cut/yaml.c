#include "cut/yaml.h"

#include "base/file.h"

#include "base/limits.h"
#include "base/map.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

/* A container under way; entries of containers inside each other share one stack. */
struct open {
    struct yaml_node *node;
    size_t first;                /* of its entries on the stack */
    const struct yaml_node *key; /* read and waiting for its value */
    struct slice anchor;
};

struct yaml_entries {
    struct yaml_entry *list;
    size_t count, size;
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct map anchors;
    struct open open[YAML_DEPTH_MAX];
    unsigned depth;
    struct yaml_entries stack;     /* entries of what is open */
    struct yaml_entries documents; /* only value is used */
    size_t weight;                 /* of all so far, aliases expanded */
    struct err *err;
};

int yaml_err(struct err *err, const struct yaml_node *node, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return node ? err_set(err, ERR_CONFIG, "line %d: %s", node->line, text)
                : err_set(err, ERR_CONFIG, "%s", text);
}

static int fail_at(struct reader *reader, const yaml_mark_t *mark, enum err_code code,
                   const char *what)
{
    return err_set(reader->err, code, "line %zu: %s", mark->line + 1, what);
}

static int push(struct reader *reader, struct yaml_entries *to, struct yaml_entry entry)
{
    if (to->count == to->size) {
        size_t size = to->size ? to->size * 2 : 64;
        void *list =
            arena_grow(reader->arena, to->list, to->count * sizeof(entry), size * sizeof(entry));
        if (!list)
            return err_nomem(reader->err);
        to->list = list;
        to->size = size;
    }
    to->list[to->count++] = entry;
    return 0;
}

static struct slice copy_text(struct reader *reader, const yaml_char_t *text, size_t len)
{
    return arena_copy(reader->arena, slice_of(text, len));
}

static struct yaml_node *new_node(struct reader *reader, const yaml_event_t *event,
                                  enum yaml_kind kind, const yaml_char_t *tag)
{
    struct yaml_node *node = arena_calloc(reader->arena, sizeof(*node));
    if (!node) {
        err_nomem(reader->err);
        return NULL;
    }
    node->kind = kind;
    node->line = (int)event->start_mark.line + 1;
    node->column = (int)event->start_mark.column + 1;
    node->weight = 1;
    node->depth = 1;
    if (tag)
        node->tag = copy_text(reader, tag, strlen((const char *)tag));
    return node;
}

static int remember_anchor(struct reader *reader, struct slice anchor, struct yaml_node *node)
{
    if (!anchor.ptr)
        return 0;
    return map_put(&reader->anchors, anchor, node) < 0 ? err_nomem(reader->err) : 0;
}

static int check_key(struct reader *reader, const struct open *open, const struct yaml_node *key)
{
    if (key->kind != YAML_SCALAR)
        return yaml_err(reader->err, key, "a key must be a plain text");
    for (size_t i = open->first; i < reader->stack.count; i++)
        if (slice_equal(reader->stack.list[i].key->text, key->text))
            return yaml_err(reader->err, key, "the key '%.*s' is there twice",
                            SLICE_ARG(key->text));
    return 0;
}

/* Adds a finished node, or an anchored one once more, to what is open. */
static int place(struct reader *reader, const struct yaml_node *node)
{
    if (reader->depth == 0)
        return push(reader, &reader->documents, (struct yaml_entry){.value = node});
    struct open *open = &reader->open[reader->depth - 1];
    reader->weight += node->weight;
    if (reader->weight > YAML_NODES_MAX)
        return yaml_err(reader->err, node, "the document has more than %d values", YAML_NODES_MAX);
    if (reader->depth + node->depth > YAML_DEPTH_MAX)
        return yaml_err(reader->err, node, "nested deeper than %d", YAML_DEPTH_MAX);
    if (open->node->kind == YAML_MAPPING && !open->key) {
        open->key = node;
        return check_key(reader, open, node);
    }
    struct yaml_entry entry = {open->key, node};
    open->key = NULL;
    return push(reader, &reader->stack, entry);
}

static int begin(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind,
                 const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (reader->depth == YAML_DEPTH_MAX)
        return fail_at(reader, &event->start_mark, ERR_LIMIT, "nested too deeply");
    struct yaml_node *node = new_node(reader, event, kind, tag);
    if (!node)
        return -1;
    struct open *open = &reader->open[reader->depth++];
    *open = (struct open){.node = node, .first = reader->stack.count};
    if (anchor)
        open->anchor = copy_text(reader, anchor, strlen((const char *)anchor));
    return 0;
}

static bool is_merge(const struct yaml_entry *entry)
{
    return entry->key && entry->key->style == YAML_PLAIN && slice_is(entry->key->text, "<<") &&
           entry->value->kind != YAML_SCALAR;
}

/* Entries that a mapping takes over: those that it, and what was merged before, does not have. */
static int take_over(struct reader *reader, struct yaml_node *node, const struct yaml_node *from)
{
    if (from->kind != YAML_MAPPING)
        return yaml_err(reader->err, from, "<< takes a mapping or a list of mappings");
    struct yaml_entry *entries = arena_array(reader->arena, node->count + from->count + 1, sizeof(*entries));
    if (!entries)
        return err_nomem(reader->err);
    memcpy(entries, node->entries, node->count * sizeof(*entries));
    node->entries = entries;
    for (size_t i = 0; i < from->count; i++)
        if (!yaml_get_slice(node, from->entries[i].key->text))
            entries[node->count++] = from->entries[i];
    return 0;
}

/* The merge key of YAML 1.1, which most tools know. */
static int merge(struct reader *reader, struct yaml_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (!is_merge(&node->entries[i]))
            continue;
        const struct yaml_node *from = node->entries[i].value;
        memmove(node->entries + i, node->entries + i + 1, (--node->count - i) * sizeof(*node->entries));
        size_t count = from->kind == YAML_SEQUENCE ? from->count : 1;
        for (size_t k = 0; k < count; k++)
            if (take_over(reader, node, from->kind == YAML_SEQUENCE ? from->entries[k].value : from) < 0)
                return -1;
        return 0; /* there is one: keys are there once */
    }
    return 0;
}

static int end(struct reader *reader)
{
    struct open *open = &reader->open[--reader->depth];
    struct yaml_node *node = open->node;
    node->count = reader->stack.count - open->first;
    node->entries = arena_array(reader->arena, node->count + 1, sizeof(*node->entries));
    if (!node->entries)
        return err_nomem(reader->err);
    if (node->count)
        memcpy(node->entries, reader->stack.list + open->first,
               node->count * sizeof(*node->entries));
    reader->stack.count = open->first;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->entries[i].value;
        node->weight += value->weight;
        if (value->depth >= node->depth)
            node->depth = value->depth + 1;
    }
    if ((node->kind == YAML_MAPPING && merge(reader, node) < 0) || remember_anchor(reader, open->anchor, node) < 0)
        return -1;
    return place(reader, node);
}

static int scalar(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(reader, event, YAML_SCALAR, event->data.scalar.tag);
    if (!node)
        return -1;
    node->text = copy_text(reader, event->data.scalar.value, event->data.scalar.length);
    yaml_scalar_style_t style = event->data.scalar.style;
    node->style = style == YAML_PLAIN_SCALAR_STYLE ? YAML_PLAIN
                  : style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE
                      ? YAML_BLOCK
                      : YAML_QUOTED;
    if (!node->text.ptr)
        return err_nomem(reader->err);
    const yaml_char_t *anchor = event->data.scalar.anchor;
    struct slice name =
        anchor ? copy_text(reader, anchor, strlen((const char *)anchor)) : SLICE_NONE;
    if (remember_anchor(reader, name, node) < 0)
        return -1;
    return place(reader, node);
}

static int alias(struct reader *reader, const yaml_event_t *event)
{
    const struct yaml_node *node =
        map_find(&reader->anchors, slice_text((const char *)event->data.alias.anchor));
    if (!node)
        return yaml_err(reader->err, &(struct yaml_node){.line = (int)event->start_mark.line + 1},
                        "there is no anchor '%s'", (const char *)event->data.alias.anchor);
    return place(reader, node);
}

/* 1 at the end of the stream. */
static int handle(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        return 1;
    case YAML_DOCUMENT_START_EVENT:
        map_init(&reader->anchors, reader->arena);
        return 0;
    case YAML_SCALAR_EVENT:
        return scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return alias(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return begin(reader, event, YAML_SEQUENCE, event->data.sequence_start.anchor,
                     event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return begin(reader, event, YAML_MAPPING, event->data.mapping_start.anchor,
                     event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return end(reader);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}

static int parser_error(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return err_nomem(reader->err);
    size_t line =
        parser->error == YAML_READER_ERROR ? parser->mark.line : parser->problem_mark.line;
    return err_set(reader->err, ERR_CONFIG, "line %zu: %s%s%s", line + 1,
                   parser->problem ? parser->problem : "not YAML", parser->context ? " " : "",
                   parser->context ? parser->context : "");
}

static int read_all(struct reader *reader)
{
    for (int done = 0; done == 0;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event))
            return parser_error(reader);
        done = handle(reader, &event);
        yaml_event_delete(&event);
        if (done < 0)
            return -1;
    }
    return 0;
}

static int give_documents(struct reader *reader, const struct yaml_node *const **documents,
                          size_t *count)
{
    size_t n = reader->documents.count;
    const struct yaml_node **list = arena_array(reader->arena, n + 1, sizeof(*list));
    if (!list)
        return err_nomem(reader->err);
    for (size_t i = 0; i < n; i++)
        list[i] = reader->documents.list[i].value;
    *documents = list;
    *count = n;
    return 0;
}

int yaml_parse(struct slice text, struct arena *arena, const struct yaml_node *const **documents,
               size_t *count, struct err *err)
{
    *documents = NULL;
    *count = 0;
    if (text.len > YAML_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%zu bytes of YAML are more than %zu", text.len,
                       YAML_BYTES_MAX);
    struct reader reader = {.arena = arena, .err = err};
    if (!yaml_parser_initialize(&reader.parser))
        return err_nomem(err);
    map_init(&reader.anchors, arena);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.ptr ? text.ptr : ""),
                                 text.len);
    int result = read_all(&reader);
    yaml_parser_delete(&reader.parser);
    return result < 0 ? -1 : give_documents(&reader, documents, count);
}

const struct yaml_node *yaml_get_slice(const struct yaml_node *node, struct slice key)
{
    if (!node || node->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (slice_equal(node->entries[i].key->text, key))
            return node->entries[i].value;
    return NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
    return yaml_get_slice(node, slice_text(key));
}

bool yaml_is_null(const struct yaml_node *node)
{
    if (!node)
        return true;
    return node->kind == YAML_SCALAR && node->style == YAML_PLAIN &&
           (node->text.len == 0 || slice_is(node->text, "~") ||
            slice_is_nocase(node->text, "null"));
}

struct slice yaml_text(const struct yaml_node *node, struct slice fallback)
{
    return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text : fallback;
}

bool yaml_to_bool(const struct yaml_node *node, bool *out)
{
    if (!node || node->kind != YAML_SCALAR || node->style != YAML_PLAIN)
        return false;
    *out = slice_is_nocase(node->text, "true");
    return *out || slice_is_nocase(node->text, "false");
}

static bool digits_to_i64(struct slice text, int bits, int64_t *out)
{
    uint64_t n = 0;
    if (text.len == 0 || text.len > (size_t)(63 / bits))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : 99;
        if (digit >= 1 << bits)
            return false;
        n = n << bits | (uint64_t)digit;
    }
    *out = (int64_t)n;
    return true;
}

bool yaml_to_i64(const struct yaml_node *node, int64_t *out)
{
    if (!node || node->kind != YAML_SCALAR || node->style != YAML_PLAIN)
        return false;
    if (slice_starts(node->text, SLICE("0x")))
        return digits_to_i64(slice_from(node->text, 2), 4, out);
    if (slice_starts(node->text, SLICE("0o")))
        return digits_to_i64(slice_from(node->text, 2), 3, out);
    return slice_to_i64(node->text, out);
}

struct walking {
    struct arena *arena;
    yaml_visit visit;
    void *context;
};

static int walk_file(void *context, const char *path, struct err *err)
{
    struct walking *walking = context;
    const struct yaml_node *const *documents;
    struct slice text;
    size_t count;
    if (file_read(path, YAML_BYTES_MAX, walking->arena, &text, err) < 0)
        return -1;
    if (yaml_parse(text, walking->arena, &documents, &count, err) < 0)
        return err_within(err, "%s", path);
    for (size_t i = 0; i < count; i++)
        if (walking->visit(walking->context, documents[i], err) < 0)
            return err_within(err, "%s", path);
    return 0;
}

int yaml_walk(const char *path, struct arena *arena, yaml_visit visit, void *context,
              struct err *err)
{
    struct walking walking = {arena, visit, context};
    return file_walk(path, ".yaml", walk_file, &walking, err);
}
