#pragma once
/*
 * cut/json_tree: a JSON text (RFC 8259) as a tree, for API bodies, configuration
 * and tests. Events go through cut/json.h instead.
 *
 * Ownership  Nodes live in the arena; texts without escapes borrow from the text.
 * Threads    A tree is read-only.
 * Limits     JSON_DEPTH_MAX (ERR_LIMIT), JSON_NODES_MAX.
 * Errors     -1; err->start is the byte.
 *
 * Getters take NULL for a node that is not there, so that they can be nested:
 *   json_text_of(json_get(json_get(body, "user"), "name"), SLICE("nobody"))
 */
#include "cut/json_scan.h"

enum { JSON_NODES_MAX = 4 * 1024 * 1024 };

struct json_node {
    enum json_kind kind;     /* never JSON_RAW */
    struct slice key;        /* SLICE_NONE outside of objects */
    struct slice text;       /* STRING: unescaped; others: as written */
    struct json_node *first; /* members, in order */
    struct json_node *next;  /* sibling */
    uint32_t count;          /* members */
};

MUST_USE int json_tree_parse(struct slice text, struct arena *arena, const struct json_node **out,
                             struct err *err);

/* The first member of that name; NULL when missing or when the node is no object. */
const struct json_node *json_get(const struct json_node *node, const char *key);
/* The same along "a.b.c". */
const struct json_node *json_at(const struct json_node *node, const char *path);

/* The value, or the fallback when it is missing or of another type. */
struct slice json_text_of(const struct json_node *node, struct slice fallback);
bool json_bool_of(const struct json_node *node, bool fallback);
int64_t json_i64_of(const struct json_node *node, int64_t fallback);
double json_f64_of(const struct json_node *node, double fallback);

/* Strictly: -1 with a sentence that names the key when it is missing or of another type. */
MUST_USE int json_want_text(const struct json_node *node, const char *key, struct slice *out,
                            struct err *err);
MUST_USE int json_want_i64(const struct json_node *node, const char *key, int64_t *out,
                           struct err *err);
