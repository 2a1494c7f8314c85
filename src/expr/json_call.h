#pragma once
/*
 * expr/json_call: what functions on JSON texts share.
 */
#include "cut/json_tree.h"
#include "expr/function.h"

/* A text that is being written; finish gives it as the answer and frees it. */
struct json_writer {
    struct buffer text;
    struct json json;
};
void json_call_begin(struct json_writer *w);
int json_call_finish(struct json_writer *w, struct call *call, struct value_list *out);

void json_call_put_node(const struct json_node *node, struct json *json);
/* Numbers as numbers, the rest as text. */
void json_call_put_value(struct value v, struct json *json);
/* An argument as JSON: numbers as numbers, several values as an array, and what another JSON function
 * made as it is. */
int json_call_put_arg(struct call *call, size_t index, struct json *json);
/* The document in argument 0, in the scope's scratch; *root NULL when it is none. */
int json_call_read(struct call *call, const struct json_node **root);
