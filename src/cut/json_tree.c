#include "cut/json_tree.h"

#include "base/limits.h"

static int fill_node(const struct json_token *token, struct arena *arena, struct json_node *node,
                     struct err *err)
{
    node->kind = (enum json_kind)token->kind;
    node->key = json_token_key(token);
    node->text = json_token_text(token);
    if (token->kind == JSON_RAW)
        return err_set(err, ERR_LIMIT, "the JSON text is nested deeper than %d", JSON_DEPTH_MAX);
    if (token->key_escaped)
        node->key = json_unescape(node->key, arena);
    if (token->text_escaped)
        node->text = json_unescape(node->text, arena);
    bool lost = (token->key && !node->key.ptr) || !node->text.ptr;
    return lost ? err_nomem(err) : 0;
}

/* Node i belongs to token i; children are linked from the tokens' order. */
static void link_children(const struct json_tokens *tokens, struct json_node *nodes, uint32_t at)
{
    struct json_node **to = &nodes[at].first;
    for (uint32_t i = at + 1; i < tokens->list[at].next; i = tokens->list[i].next) {
        *to = &nodes[i];
        to = &nodes[i].next;
        nodes[at].count++;
    }
}

static int build(const struct json_tokens *tokens, struct arena *arena,
                 const struct json_node **out, struct err *err)
{
    if (tokens->count > JSON_NODES_MAX)
        return err_set(err, ERR_LIMIT, "the JSON text has more than %d values", JSON_NODES_MAX);
    struct json_node *nodes = arena_array(arena, tokens->count, sizeof(*nodes));
    if (!nodes)
        return err_nomem(err);
    for (uint32_t i = 0; i < tokens->count; i++) {
        if (fill_node(&tokens->list[i], arena, &nodes[i], err) < 0)
            return -1;
        link_children(tokens, nodes, i);
    }
    *out = nodes;
    return 0;
}

int json_tree_parse(struct slice text, struct arena *arena, const struct json_node **out,
                    struct err *err)
{
    *out = NULL;
    struct json_tokens tokens;
    struct json_scanner *scanner = json_scanner_new();
    if (!scanner)
        return err_nomem(err);
    int result = json_scan(scanner, text, JSON_DEPTH_MAX, NULL, &tokens, err);
    if (result == 0)
        result = build(&tokens, arena, out, err);
    json_scanner_free(scanner);
    return result;
}

static const struct json_node *member(const struct json_node *node, struct slice key)
{
    if (!node || node->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_node *child = node->first; child; child = child->next)
        if (slice_equal(child->key, key))
            return child;
    return NULL;
}

const struct json_node *json_get(const struct json_node *node, const char *key)
{
    return member(node, slice_text(key));
}

const struct json_node *json_at(const struct json_node *node, const char *path)
{
    struct slice rest = slice_text(path), part;
    while (node && slice_next_part(&rest, '.', &part))
        node = member(node, part);
    return node;
}

struct slice json_text_of(const struct json_node *node, struct slice fallback)
{
    return node && node->kind == JSON_STRING ? node->text : fallback;
}

bool json_bool_of(const struct json_node *node, bool fallback)
{
    return node && (node->kind == JSON_TRUE || node->kind == JSON_FALSE) ? node->kind == JSON_TRUE
                                                                         : fallback;
}

int64_t json_i64_of(const struct json_node *node, int64_t fallback)
{
    int64_t n;
    return node && node->kind == JSON_NUMBER && slice_to_i64(node->text, &n) ? n : fallback;
}

double json_f64_of(const struct json_node *node, double fallback)
{
    double n;
    return node && node->kind == JSON_NUMBER && slice_to_f64(node->text, &n) ? n : fallback;
}

int json_want_text(const struct json_node *node, const char *key, struct slice *out,
                   struct err *err)
{
    const struct json_node *found = json_get(node, key);
    *out = json_text_of(found, SLICE_NONE);
    if (!found)
        return err_set(err, ERR_INPUT, "\"%s\" is missing", key);
    return out->ptr ? 0 : err_set(err, ERR_INPUT, "\"%s\" must be a text", key);
}

int json_want_i64(const struct json_node *node, const char *key, int64_t *out, struct err *err)
{
    const struct json_node *found = json_get(node, key);
    if (!found)
        return err_set(err, ERR_INPUT, "\"%s\" is missing", key);
    if (found->kind != JSON_NUMBER || !slice_to_i64(found->text, out))
        return err_set(err, ERR_INPUT, "\"%s\" must be a whole number", key);
    return 0;
}
