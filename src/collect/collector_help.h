#pragma once
/*
 * collect/collector_help: what collectors and dialects there are, and their options, from their descriptors: for
 * `hinomi help collect` and docs/reference/collectors.md.
 *
 * Threads any.
 */
#include "base/json.h"

void collector_help_list(struct buffer *to);
/* False when there is no such kind. */
bool collector_help_kind(struct slice name, struct buffer *to);
/* {"common": [options], "kinds": [{name, summary, details, options}], "dialects": [{name, summary, routes}]} */
void collector_help_json(struct json *json);
