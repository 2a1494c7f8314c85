/*
 * JSON texts as values. The reader is cut/json_tree.h: a second one here would be a second set of
 * mistakes, and cut/ does not include expr/ (docs/decisions/json-functions.md).
 */
#include "expr/json_call.h"

void json_call_put_node(const struct json_node *node, struct json *json)
{
    if (node->kind == JSON_OBJECT || node->kind == JSON_ARRAY) {
        bool object = node->kind == JSON_OBJECT;
        json_open(json, object ? '{' : '[');
        for (const struct json_node *child = node->first; child; child = child->next) {
            if (object)
                json_key_slice(json, child->key);
            json_call_put_node(child, json);
        }
        json_close(json, object ? '}' : ']');
    } else if (node->kind == JSON_STRING) {
        json_text(json, node->text);
    } else {
        json_raw(json, node->text);
    }
}

void json_call_begin(struct json_writer *w)
{
    buffer_init(&w->text, 16 * MIB);
    json_init(&w->json, &w->text);
}

int json_call_finish(struct json_writer *w, struct call *call, struct value_list *out)
{
    int result = buffer_failed(&w->text) ? err_nomem(call->err)
                                         : call_return_text(call, buffer_slice(&w->text), out);
    buffer_close(&w->text);
    return result;
}

static void put_value(struct value v, bool raw, struct json *json)
{
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, small);
    if (v.type == VALUE_NULL)
        json_null(json);
    else if (v.type == VALUE_BOOL)
        json_bool(json, v.boolean);
    else if (raw || v.type == VALUE_I64 || v.type == VALUE_DECIMAL)
        json_raw(json, text);
    else if (v.type == VALUE_F64)
        json_f64(json, v.f64);
    else
        json_text(json, text);
}

/* What another JSON function made is put in as it is, not as a text. */
static bool is_json(const struct expr *arg)
{
    static const char *const others[] = {"json", "toarray", "toobject", "mv_to_json_array"};
    struct slice name = arg->kind == EXPR_CALL ? slice_text(arg->function->name) : SLICE("");
    bool json = slice_starts(name, SLICE("json_"));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        json |= slice_is(name, others[i]);
    return json;
}

void json_call_put_value(struct value v, struct json *json)
{
    put_value(v, false, json);
}

int json_call_put_arg(struct call *call, size_t index, struct json *json)
{
    struct value_list list;
    bool raw = is_json(call->node->args[index]);
    if (call_arg(call, index, &list) < 0)
        return -1;
    if (list.count > 1)
        json_open(json, '[');
    for (uint32_t i = 0; i < list.count; i++)
        put_value(list.values[i], raw, json);
    if (list.count > 1)
        json_close(json, ']');
    if (list.count == 0)
        json_null(json);
    return 0;
}

static int call_object(struct call *call, struct value_list *out)
{
    struct json_writer w;
    int result = 0;
    json_call_begin(&w);
    json_open(&w.json, '{');
    for (size_t i = 0; i + 1 < call->node->arg_count && result == 0; i += 2) {
        struct slice key;
        result = call_text(call, i, &key);
        if (result < 0 || !key.ptr)
            continue;
        json_key_slice(&w.json, key);
        result = json_call_put_arg(call, i + 1, &w.json);
    }
    json_close(&w.json, '}');
    if (result < 0)
        buffer_close(&w.text);
    return result < 0 ? -1 : json_call_finish(&w, call, out);
}

static int call_array(struct call *call, struct value_list *out)
{
    struct json_writer w;
    int result = 0;
    json_call_begin(&w);
    json_open(&w.json, '[');
    for (size_t i = 0; i < call->node->arg_count && result == 0; i++)
        result = json_call_put_arg(call, i, &w.json);
    json_close(&w.json, ']');
    if (result < 0)
        buffer_close(&w.text);
    return result < 0 ? -1 : json_call_finish(&w, call, out);
}

static int call_mv_to_array(struct call *call, struct value_list *out)
{
    struct json_writer w;
    struct value_list list;
    if (call_arg(call, 0, &list) < 0)
        return -1;
    json_call_begin(&w);
    json_open(&w.json, '[');
    for (uint32_t i = 0; i < list.count; i++)
        put_value(list.values[i], false, &w.json);
    json_close(&w.json, ']');
    return json_call_finish(&w, call, out);
}

/* The document in argument 0; *root NULL when it is none. */
int json_call_read(struct call *call, const struct json_node **root)
{
    struct slice text;
    *root = NULL;
    if (call_text(call, 0, &text) < 0)
        return -1;
    if (text.ptr && json_tree_parse(text, call->scope->scratch, root, NULL) < 0)
        *root = NULL;
    return 0;
}

static int call_valid(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    if (json_call_read(call, &root) < 0)
        return -1;
    return call_return(call, value_bool(root != NULL), out);
}

static const struct json_node *member(const struct json_node *node, struct slice key)
{
    if (node->kind == JSON_OBJECT)
        for (const struct json_node *child = node->first; child; child = child->next)
            if (slice_equal(child->key, key))
                return child;
    return NULL;
}

struct found {
    const struct json_node *nodes[FIELD_VALUES_MAX];
    size_t count;
};

static void follow(const struct json_node *node, struct slice path, struct found *found);

static void follow_array(const struct json_node *node, struct slice index, struct slice path,
                         struct found *found)
{
    int64_t wanted = -1, at = 0;
    if (node->kind != JSON_ARRAY || (index.len && !slice_to_i64(index, &wanted)))
        return;
    if (wanted < 0 && index.len)
        wanted += node->count;
    for (const struct json_node *child = node->first; child; child = child->next, at++)
        if (!index.len || at == wanted)
            follow(child, path, found);
}

/* a.b{0}.c; {} is every member. */
static void follow(const struct json_node *node, struct slice path, struct found *found)
{
    if (path.len && path.ptr[0] == '.')
        path = slice_from(path, 1);
    if (path.len == 0) {
        if (found->count < ARRAY_COUNT(found->nodes))
            found->nodes[found->count++] = node;
        return;
    }
    if (path.ptr[0] == '{') {
        ptrdiff_t close = slice_find_char(path, '}');
        if (close > 0)
            follow_array(node, slice_sub(path, 1, (size_t)close - 1),
                         slice_from(path, (size_t)close + 1), found);
        return;
    }
    size_t end = 0;
    while (end < path.len && path.ptr[end] != '.' && path.ptr[end] != '{')
        end++;
    const struct json_node *next = member(node, slice_sub(path, 0, end));
    if (next)
        follow(next, slice_from(path, end), found);
}

static int return_node(struct call *call, const struct json_node *node, struct value_list *out)
{
    struct json_writer w;
    if (node->kind == JSON_NULL)
        return 0;
    if (node->kind == JSON_STRING)
        return call_return(call, value_string(node->text), out);
    if (node->kind == JSON_NUMBER)
        return call_return(call, value_from_number_text(node->text, call->scope->scratch), out);
    json_call_begin(&w);
    json_call_put_node(node, &w.json);
    return json_call_finish(&w, call, out);
}

static int return_found(struct call *call, const struct found *found, bool always_array,
                        struct value_list *out)
{
    struct json_writer w;
    if (found->count == 0 && !always_array)
        return 0;
    if (found->count == 1 && !always_array)
        return return_node(call, found->nodes[0], out);
    json_call_begin(&w);
    json_open(&w.json, '[');
    for (size_t i = 0; i < found->count; i++)
        json_call_put_node(found->nodes[i], &w.json);
    json_close(&w.json, ']');
    return json_call_finish(&w, call, out);
}

static int extract(struct call *call, bool exact, struct value_list *out)
{
    const struct json_node *root;
    struct found *found = arena_calloc(call->scope->scratch, sizeof(*found));
    if (!found)
        return err_nomem(call->err);
    if (json_call_read(call, &root) < 0)
        return -1;
    if (!root)
        return 0;
    if (call->node->arg_count == 1)
        return return_node(call, root, out);
    for (size_t i = 1; i < call->node->arg_count; i++) {
        struct slice path;
        if (call_text(call, i, &path) < 0)
            return -1;
        const struct json_node *direct = path.ptr && exact ? member(root, path) : NULL;
        if (direct && found->count < ARRAY_COUNT(found->nodes))
            found->nodes[found->count++] = direct;
        else if (path.ptr && !exact)
            follow(root, path, found);
    }
    return return_found(call, found, call->node->arg_count > 2, out);
}

static int call_extract(struct call *call, struct value_list *out)
{
    return extract(call, false, out);
}

static int call_extract_exact(struct call *call, struct value_list *out)
{
    return extract(call, true, out);
}

static int call_keys(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct json_writer w;
    if (json_call_read(call, &root) < 0)
        return -1;
    if (!root || root->kind != JSON_OBJECT)
        return 0;
    json_call_begin(&w);
    json_open(&w.json, '[');
    for (const struct json_node *child = root->first; child; child = child->next)
        json_text(&w.json, child->key);
    json_close(&w.json, ']');
    return json_call_finish(&w, call, out);
}

static int call_has_key(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct slice key;
    if (json_call_read(call, &root) < 0 || call_text(call, 1, &key) < 0)
        return -1;
    return call_return(call, value_bool(root && key.ptr && member(root, key)), out);
}

static int call_array_to_mv(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    if (json_call_read(call, &root) < 0)
        return -1;
    if (!root || root->kind != JSON_ARRAY)
        return 0;
    struct value *values = arena_array(call->scope->scratch, root->count + 1U, sizeof(*values));
    uint32_t count = 0;
    for (const struct json_node *child = root->first; values && child; child = child->next) {
        struct value_list one = {0};
        if (return_node(call, child, &one) < 0)
            return -1;
        if (one.count)
            values[count++] = one.values[0];
    }
    if (!values)
        return err_nomem(call->err);
    *out = (struct value_list){values, count};
    return 0;
}

/* [{"key":k,"value":v}, ...] */
static int call_entries(struct call *call, struct value_list *out)
{
    const struct json_node *root;
    struct json_writer w;
    if (json_call_read(call, &root) < 0)
        return -1;
    if (!root || root->kind != JSON_OBJECT)
        return 0;
    json_call_begin(&w);
    json_open(&w.json, '[');
    for (const struct json_node *child = root->first; child; child = child->next) {
        json_open(&w.json, '{');
        json_put_text(&w.json, "key", child->key);
        json_key(&w.json, "value");
        json_call_put_node(child, &w.json);
        json_close(&w.json, '}');
    }
    json_close(&w.json, ']');
    return json_call_finish(&w, call, out);
}

static const struct expr_function functions[] = {
    {"json_object", 0, FUNCTION_ARGS_ANY,
     "json_object(key, value, ...): an object of these members", call_object, 0},
    {"json_array", 0, FUNCTION_ARGS_ANY, "json_array(value, ...): an array of these values",
     call_array, 0},
    {"json_extract", 1, FUNCTION_ARGS_ANY,
     "json_extract(json[, \"a.b{0}\" ...]): what stands at the path", call_extract, 0},
    {"json_extract_exact", 1, FUNCTION_ARGS_ANY,
     "json_extract_exact(json, key ...): what stands under these keys, dots and all",
     call_extract_exact, 0},
    {"json_keys", 1, 1, "json_keys(json): the keys as a JSON array", call_keys, 0},
    {"json_valid", 1, 1, "json_valid(text): whether it is JSON", call_valid, 0},
    {"json_has_key_exact", 2, 2,
     "json_has_key_exact(json, key): whether the object has the key, dots and all", call_has_key,
     0},
    {"json_entries", 1, 1, "json_entries(json): an array of key and value for each member",
     call_entries, 0},
    {"json_array_to_mv", 1, 2, "json_array_to_mv(json): its elements as several values",
     call_array_to_mv, 0},
    {"mv_to_json_array", 1, 2, "mv_to_json_array(mv): several values as a JSON array",
     call_mv_to_array, 0},
    {"spath", 2, 2, "spath(json, path): what stands at the path, several matches as several values",
     call_extract, 0},
};
const struct expr_family functions_json = {functions, ARRAY_COUNT(functions)};
