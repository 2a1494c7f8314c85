#pragma once
/*
 * respond/notify/notifier_row: an entry of `notifiers:` in the configuration, read by its kind's table of options.
 *
 * Ownership  Texts live in the arena, or in that of the node.
 * Errors     ERR_CONFIG, with the line.
 */
#include "respond/notify/notifier.h"

struct yaml_node;
struct json;

MUST_USE int notifier_row_read(const struct yaml_node *node, struct arena *arena, struct respond_notifier *out, struct err *err);

/* For `hinomi help notify`: a list, one kind, all as JSON (docs/reference/notifiers.md is made from it). */
void notifier_help_list(struct buffer *to);
bool notifier_help_kind(struct slice name, struct buffer *to); /* false: there is none */
void notifier_help_json(struct json *json);
