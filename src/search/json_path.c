#include "search/json_path.h"

#include "cut/json_tree.h"

static struct value leaf_value(const struct json_node *node, struct arena *arena)
{
    switch (node->kind) {
    case JSON_STRING:
        return value_string(node->text);
    case JSON_NUMBER:
        return value_from_number_text(node->text, arena);
    case JSON_TRUE:
        return value_string(SLICE("true"));
    case JSON_FALSE:
        return value_string(SLICE("false"));
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_RAW:
        return value_string(node->text);
    case JSON_NULL:
        break;
    }
    return value_null();
}

struct walk {
    struct frame *frame;
    struct column *to;
    uint32_t row;
};

/* name{}, name{3} or name: cuts the step off the path. */
static struct slice take_step(struct slice *path, bool *array, int64_t *index)
{
    ptrdiff_t dot = slice_find_char(*path, '.');
    struct slice step = dot < 0 ? *path : slice_sub(*path, 0, (size_t)dot);
    *path = dot < 0 ? SLICE("") : slice_from(*path, (size_t)dot + 1);
    ptrdiff_t open = slice_find_char(step, '{');
    *array = open >= 0 && step.len && step.ptr[step.len - 1] == '}';
    *index = -1;
    if (!*array)
        return step;
    struct slice inside = slice_sub(step, (size_t)open + 1, step.len - (size_t)open - 2);
    if (inside.len && !slice_to_i64(inside, index))
        *index = -2;
    return slice_sub(step, 0, (size_t)open);
}

static const struct json_node *member(const struct json_node *node, struct slice key)
{
    if (node->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_node *child = node->first; child; child = child->next)
        if (slice_equal(child->key, key))
            return child;
    return NULL;
}

static int follow(struct walk *walk, const struct json_node *node, struct slice path);

static int follow_array(struct walk *walk, const struct json_node *node, struct slice path,
                        int64_t index)
{
    int64_t at = 0;
    if (node->kind != JSON_ARRAY)
        return 0;
    for (const struct json_node *child = node->first; child; child = child->next, at++)
        if ((index == -1 || index == at) && follow(walk, child, path) < 0)
            return -1;
    return 0;
}

static int follow(struct walk *walk, const struct json_node *node, struct slice path)
{
    if (path.len == 0) {
        struct value v = leaf_value(node, walk->frame->batch->arena);
        return v.type == VALUE_NULL ? 0 : column_add(walk->frame->batch, walk->to, walk->row, v);
    }
    const struct json_node *whole = member(node, path);
    if (whole)
        return follow(walk, whole, SLICE(""));
    bool array;
    int64_t index;
    struct slice step = take_step(&path, &array, &index);
    const struct json_node *next = step.len ? member(node, step) : node;
    if (!next)
        return 0;
    return array ? follow_array(walk, next, path, index) : follow(walk, next, path);
}

int json_path_put(struct slice text, struct slice path, struct frame *frame, struct column *to,
                  uint32_t row)
{
    const struct json_node *root;
    struct walk walk = {frame, to, row};
    if (json_tree_parse(text, frame->batch->arena, &root, NULL) < 0)
        return 0;
    return follow(&walk, root, path);
}

struct leaves {
    struct arena *arena;
    json_leaf put;
    void *context;
};

static int visit(struct leaves *leaves, const struct json_node *node, struct slice path)
{
    for (const struct json_node *child = node->first; child; child = child->next) {
        struct slice name = path;
        if (node->kind == JSON_OBJECT)
            name = arena_printf(leaves->arena, "%.*s%s%.*s", SLICE_ARG(path), path.len ? "." : "",
                                SLICE_ARG(child->key));
        if (child->kind == JSON_ARRAY && name.ptr)
            name = arena_printf(leaves->arena, "%.*s{}", SLICE_ARG(name));
        if (!name.ptr)
            return -1;
        bool leaf = child->kind != JSON_OBJECT && child->kind != JSON_ARRAY;
        struct value v = leaf ? leaf_value(child, leaves->arena) : value_null();
        if (v.type != VALUE_NULL && leaves->put(leaves->context, name, v) < 0)
            return -1;
        if (!leaf && visit(leaves, child, name) < 0)
            return -1;
    }
    return 0;
}

int json_path_leaves(struct slice text, struct arena *arena, json_leaf put, void *context)
{
    const struct json_node *root;
    struct leaves leaves = {arena, put, context};
    if (json_tree_parse(text, arena, &root, NULL) < 0)
        return 0;
    return visit(&leaves, root, root->kind == JSON_ARRAY ? SLICE("{}") : SLICE(""));
}
