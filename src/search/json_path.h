#pragma once
/*
 * search/json_path: values of a JSON text by a path: a.b, items{}.sku, items{0}.sku, a key with
 * dots first as it stands. Used by spath.
 */
#include "search/stage.h"

/* Adds what the path finds in text as values of row; bad JSON finds nothing. */
MUST_USE int json_path_put(struct slice text, struct slice path, struct frame *frame,
                           struct column *to, uint32_t row);
/* Every leaf of the document; put is called with its path, in order. -1 stops. */
typedef int (*json_leaf)(void *context, struct slice path, struct value v);
MUST_USE int json_path_leaves(struct slice text, struct arena *arena, json_leaf put, void *context);
