/* JSON texts that are changed: json_set, json_append, json_extend, json_delete and their kin. The
 * document is read into a tree of its own for each call, so it can be changed in place. */
#include "expr/json_call.h"

/* What is done at the place that a path leads to. */
enum edit { EDIT_SET, EDIT_APPEND, EDIT_EXTEND, EDIT_DELETE };

struct editing {
    struct call *call;
    enum edit edit;
    struct json_node *value; /* what is put there; NULL: EDIT_DELETE */
};

static struct json_node *changeable(const struct json_node *node)
{
    return (struct json_node *)(uintptr_t)node; /* ours: it lives in the scratch arena */
}

static struct json_node *new_node(struct editing *e, enum json_kind kind)
{
    struct json_node *node = arena_calloc(e->call->scope->scratch, sizeof(*node));
    if (node)
        *node = (struct json_node){.kind = kind, .text = SLICE("")};
    return node;
}

/* A node of its own with the same content, called key. */
static struct json_node *copy_of(struct editing *e, const struct json_node *from, struct slice key)
{
    struct json_node *node = new_node(e, from->kind);
    if (node) {
        *node = *from;
        node->key = key;
        node->next = NULL;
    }
    return node;
}

static void add_member(struct json_node *to, struct json_node *member)
{
    struct json_node **at = (struct json_node **)(uintptr_t)&to->first;
    while (*at)
        at = (struct json_node **)(uintptr_t) & (*at)->next;
    *at = member;
    to->count++;
}

static void remove_member(struct json_node *from, const struct json_node *member)
{
    struct json_node **at = (struct json_node **)(uintptr_t)&from->first;
    while (*at && *at != member)
        at = (struct json_node **)(uintptr_t) & (*at)->next;
    if (*at) {
        *at = changeable((*at)->next);
        from->count--;
    }
}

static struct json_node *member_of(const struct json_node *node, struct slice key)
{
    if (node->kind == JSON_OBJECT)
        for (const struct json_node *child = node->first; child; child = child->next)
            if (slice_equal(child->key, key))
                return changeable(child);
    return NULL;
}

/* The value's members when it is an array, else the value itself. */
static int append_to(struct editing *e, struct json_node *array)
{
    bool spread = e->edit == EDIT_EXTEND && e->value->kind == JSON_ARRAY;
    const struct json_node *one = spread ? e->value->first : e->value;
    while (one) {
        struct json_node *copy = copy_of(e, one, SLICE_NONE);
        if (!copy)
            return -1;
        add_member(array, copy);
        one = spread ? one->next : NULL;
    }
    return 0;
}

/* The end of a path: node is what it leads to, a member of parent, or NULL when there is none yet. */
static int apply(struct editing *e, struct json_node *parent, struct json_node *node,
                 struct slice key)
{
    if (e->edit == EDIT_DELETE) {
        if (node && parent)
            remove_member(parent, node);
        return 0;
    }
    if (e->edit == EDIT_SET && node) {
        struct json_node *next = changeable(node->next);
        struct slice own = node->key;
        *node = *e->value;
        node->key = own;
        node->next = next;
        return 0;
    }
    if (e->edit == EDIT_SET) {
        struct json_node *copy = copy_of(e, e->value, key);
        if (copy)
            add_member(parent, copy);
        return copy ? 0 : -1;
    }
    if (!node) {
        node = new_node(e, JSON_ARRAY);
        if (!node)
            return -1;
        node->key = key;
        add_member(parent, node);
    }
    return node->kind == JSON_ARRAY ? append_to(e, node) : 0; /* others stay as they are */
}

static int walk(struct editing *e, struct json_node *parent, struct json_node *node,
                struct slice key, struct slice path);

/* {3}..., {}... of an array; one place behind the last is a new one. */
static int walk_index(struct editing *e, struct json_node *node, struct slice index,
                      struct slice path)
{
    int64_t wanted = -1, at = 0;
    if (node->kind != JSON_ARRAY || (index.len && !slice_to_i64(index, &wanted)))
        return 0;
    if (wanted < 0 && index.len)
        wanted += node->count;
    for (const struct json_node *child = node->first, *next; child; child = next, at++) {
        next = child->next;
        if ((!index.len || at == wanted) &&
            walk(e, node, changeable(child), SLICE_NONE, path) < 0)
            return -1;
    }
    bool behind = index.len && wanted == at && path.len == 0 && e->edit != EDIT_DELETE;
    return behind ? apply(e, node, NULL, SLICE_NONE) : 0;
}

/* node is NULL for a member that is not there: an object is made on the way when something is put
 * below it. */
static int walk(struct editing *e, struct json_node *parent, struct json_node *node,
                struct slice key, struct slice path)
{
    if (path.len && path.ptr[0] == '.')
        path = slice_from(path, 1);
    if (path.len == 0)
        return apply(e, parent, node, key);
    if (path.ptr[0] == '{') {
        ptrdiff_t close = slice_find_char(path, '}');
        return close > 0 && node ? walk_index(e, node, slice_sub(path, 1, (size_t)close - 1),
                                              slice_from(path, (size_t)close + 1))
                                 : 0;
    }
    if (!node && e->edit != EDIT_DELETE && (node = new_node(e, JSON_OBJECT))) {
        node->key = key;
        add_member(parent, node);
    }
    if (!node)
        return e->edit == EDIT_DELETE ? 0 : -1;
    size_t end = 0;
    while (end < path.len && path.ptr[end] != '.' && path.ptr[end] != '{')
        end++;
    struct slice name = slice_sub(path, 0, end);
    if (node->kind != JSON_OBJECT)
        return 0;
    return walk(e, node, member_of(node, name), name, slice_from(path, end));
}

/* An argument as a tree. */
static int value_node(struct editing *e, size_t index)
{
    struct call *call = e->call;
    struct json_writer w;
    const struct json_node *root = NULL;
    json_call_begin(&w);
    int result = json_call_put_arg(call, index, &w.json);
    struct slice text = result < 0 || buffer_failed(&w.text)
                            ? SLICE_NONE
                            : arena_copy(call->scope->scratch, buffer_slice(&w.text));
    buffer_close(&w.text);
    if (!text.ptr)
        return err_nomem(call->err);
    if (json_tree_parse(text, call->scope->scratch, &root, NULL) < 0) /* a text that only began so */
        return err_set(call->err, ERR_INPUT, "%s(): a value is no JSON", call->node->function->name);
    e->value = changeable(root);
    return 0;
}

/* Pairs of path and value, or paths alone; exact: a path is one key as it stands. */
static int edit(struct call *call, enum edit kind, bool exact, struct value_list *out)
{
    const struct json_node *read;
    struct editing e = {.call = call, .edit = kind};
    struct json_writer w;
    size_t width = kind == EDIT_DELETE ? 1 : 2;
    if (json_call_read(call, &read) < 0)
        return -1;
    if (!read)
        return 0;
    struct json_node *root = changeable(read);
    for (size_t i = 1; i + width <= call->node->arg_count; i += width) {
        struct slice path;
        if (call_text(call, i, &path) < 0 || (width == 2 && value_node(&e, i + 1) < 0))
            return -1;
        if (!path.ptr)
            continue;
        int result = exact ? (root->kind == JSON_OBJECT ? apply(&e, root, member_of(root, path), path)
                                                        : 0)
                           : walk(&e, NULL, root, SLICE_NONE, path);
        if (result < 0)
            return err_nomem(call->err);
    }
    json_call_begin(&w);
    json_call_put_node(root, &w.json);
    return json_call_finish(&w, call, out);
}

static int call_set(struct call *call, struct value_list *out)
{
    return edit(call, EDIT_SET, false, out);
}

static int call_set_exact(struct call *call, struct value_list *out)
{
    return edit(call, EDIT_SET, true, out);
}

static int call_append(struct call *call, struct value_list *out)
{
    return edit(call, EDIT_APPEND, false, out);
}

static int call_extend(struct call *call, struct value_list *out)
{
    return edit(call, EDIT_EXTEND, false, out);
}

static int call_delete(struct call *call, struct value_list *out)
{
    return edit(call, EDIT_DELETE, false, out);
}

static int call_json(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct slice text;
    if (json_call_read(call, &root) < 0 || call_text(call, 0, &text) < 0)
        return -1;
    return root ? call_return_text(call, text, out) : 0;
}

static int whole_pairs(struct expr *node, struct arena *arena, struct err *err)
{
    (void)arena;
    if (node->arg_count % 2 == 1)
        return 0;
    return err_set_at(err, ERR_CONFIG, node->start, node->end,
                      "%s() wants a path and a value, again and again: its last path has no value",
                      node->function->name);
}

static const struct expr_function functions[] = {
    {"json_set", 3, FUNCTION_ARGS_ANY,
     "json_set(json, path, value, ...): with the value at a path such as a.b{0}", call_set,
     whole_pairs},
    {"json_set_exact", 3, FUNCTION_ARGS_ANY,
     "json_set_exact(json, key, value, ...): with the value under a key as it stands",
     call_set_exact, whole_pairs},
    {"json_append", 3, FUNCTION_ARGS_ANY,
     "json_append(json, path, value, ...): with one more member in the array at the path",
     call_append, whole_pairs},
    {"json_extend", 3, FUNCTION_ARGS_ANY,
     "json_extend(json, path, values, ...): with all members of an array behind those at the path",
     call_extend, whole_pairs},
    {"json_delete", 2, FUNCTION_ARGS_ANY, "json_delete(json, path, ...): without what is there",
     call_delete, 0},
    {"json", 1, 1, "json(text): the text when it is JSON, else null", call_json, 0},
};
const struct expr_family functions_json_edit = {functions, ARRAY_COUNT(functions)};
