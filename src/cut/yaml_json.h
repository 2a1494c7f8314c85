#pragma once
/* cut/yaml_json: a YAML tree as JSON, by the core schema: plain null, true, false and numbers are what they look
 * like, everything else is a text. Threads: any. */
#include "base/json.h"
#include "cut/yaml.h"

void yaml_to_json(const struct yaml_node *node, struct json *json);
