/* searchmatch and lookup: what only a search can answer. The search room prepares the one
 * (expr_bind_searches) and answers the other (expr_scope.lookup); elsewhere both are errors. */
#include "expr/json_call.h"

static int not_here(struct call *call)
{
    return err_set_at(call->err, ERR_CONFIG, call->node->start, call->node->end,
                      "%s() works in searches only", call->node->function->name);
}

static int call_searchmatch(struct call *call, struct value_list *out)
{
    const struct expr *search = call->node->prepared;
    struct value_list list;
    if (!search)
        return not_here(call);
    if (expr_eval(search, call->scope, call->batch, call->row, &list, call->err) < 0)
        return -1;
    return call_return(call, value_bool(value_truth(&list) == TRUTH_TRUE), out);
}

static int want_text(struct expr *node, struct arena *arena, struct err *err)
{
    (void)arena;
    const struct expr *text = node->args[0];
    if (text->kind == EXPR_CONST && text->constant.type == VALUE_STRING)
        return 0;
    return err_set_at(err, ERR_CONFIG, text->start, text->end,
                      "searchmatch() wants its search as a quoted text");
}

/* The named fields of rows whose keys are equal, as an object; several rows give arrays. */
static int call_lookup(struct call *call, struct value_list *out)
{
    const struct json_node *keys = NULL, *wanted = NULL;
    struct slice table, texts[2];
    struct json_writer w;
    if (!call->scope->lookup)
        return not_here(call);
    if (call_text(call, 0, &table) < 0 || call_text(call, 1, &texts[0]) < 0 ||
        call_text(call, 2, &texts[1]) < 0)
        return -1;
    if (!table.ptr || !texts[0].ptr || !texts[1].ptr ||
        json_tree_parse(texts[0], call->scope->scratch, &keys, NULL) < 0 ||
        json_tree_parse(texts[1], call->scope->scratch, &wanted, NULL) < 0 ||
        keys->kind != JSON_OBJECT || wanted->kind != JSON_ARRAY)
        return 0;
    size_t key_count = 0, name_count = 0;
    struct expr_lookup ask = {.table = table};
    struct arena *arena = call->scope->scratch;
    ask.names = arena_array(arena, keys->count + 1U, sizeof(*ask.names));
    ask.values = arena_array(arena, keys->count + 1U, sizeof(*ask.values));
    ask.wanted = arena_array(arena, wanted->count + 1U, sizeof(*ask.wanted));
    ask.found = arena_array(arena, wanted->count + 1U, sizeof(*ask.found));
    if (!ask.names || !ask.values || !ask.wanted || !ask.found)
        return err_nomem(call->err);
    for (const struct json_node *key = keys->first; key; key = key->next) {
        ask.names[key_count] = key->key;
        ask.values[key_count++] = key->kind == JSON_NULL ? SLICE_NONE : key->text;
    }
    for (const struct json_node *name = wanted->first; name; name = name->next)
        ask.wanted[name_count++] = name->text;
    ask.key_count = key_count;
    ask.wanted_count = name_count;
    if (call->scope->lookup(call->scope->lookup_context, &ask, arena, call->err) < 0)
        return -1;
    if (!ask.matched)
        return 0;
    json_call_begin(&w);
    json_open(&w.json, '{');
    for (size_t i = 0; i < name_count; i++) {
        if (!ask.found[i].count)
            continue;
        json_key_slice(&w.json, ask.wanted[i]);
        if (ask.found[i].count > 1)
            json_open(&w.json, '[');
        for (uint32_t k = 0; k < ask.found[i].count; k++)
            json_call_put_value(ask.found[i].values[k], &w.json);
        if (ask.found[i].count > 1)
            json_close(&w.json, ']');
    }
    json_close(&w.json, '}');
    return json_call_finish(&w, call, out);
}

/* The text up to the next | that is not in quotes, brackets or a macro; pipe: there was one. */
static struct slice take_command(struct slice *text, bool *pipe)
{
    int depth = 0;
    char quote = 0;
    size_t at = 0;
    for (; at < text->len; at++) {
        char c = text->ptr[at];
        if (quote) {
            at += c == '\\';
            quote = c == quote ? 0 : quote;
        } else if (c == '"' || c == '`') {
            quote = c;
        } else if (c == '[' || c == ']') {
            depth += c == '[' ? 1 : -1;
        } else if (c == '|' && depth <= 0) {
            break;
        }
    }
    at = at < text->len ? at : text->len;
    struct slice command = slice_sub(*text, 0, at);
    *pipe = at < text->len;
    *text = slice_from(*text, at + *pipe);
    return slice_trim(command);
}

static struct slice first_word(struct slice text)
{
    size_t len = 0;
    while (len < text.len && !strchr(" \t\r\n[(\"", text.ptr[len]))
        len++;
    return slice_sub(text, 0, len);
}

/* A search that does not begin with a pipe begins with search, written or not. */
static int call_commands(struct call *call, struct value_list *out)
{
    struct slice text;
    bool pipe = true;
    if (call_text(call, 0, &text) < 0)
        return -1;
    if (!text.ptr)
        return 0;
    struct value *names = arena_array(call->scope->scratch, text.len / 2 + 2, sizeof(*names));
    uint32_t count = 0;
    if (!names)
        return err_nomem(call->err);
    for (bool first = true; pipe; first = false) {
        struct slice command = take_command(&text, &pipe);
        if (command.len)
            names[count++] = value_string(first ? SLICE("search") : first_word(command));
    }
    *out = (struct value_list){names, count};
    return 0;
}

static const struct expr_function functions[] = {
    {"commands", 1, 1, "commands(\"search\"): the commands that a search has", call_commands, 0},
    {"searchmatch", 1, 1, "searchmatch(\"terms\"): whether the row matches a search",
     call_searchmatch, want_text},
    {"lookup", 3, 3,
     "lookup(\"table\", json_object(key, value, ...), json_array(field, ...)): fields of the rows of "
     "a table that have these keys, as an object",
     call_lookup, 0},
};
const struct expr_family functions_search = {functions, ARRAY_COUNT(functions)};
