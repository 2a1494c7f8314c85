#pragma once
/* know/read: one YAML document to one definition. */
#include "cut/yaml.h"
#include "know/know.h"

/* Fills kind, name, description and spec; all in arena. -1: the sentence begins with the line. */
MUST_USE int know_read(const struct yaml_node *document, struct arena *arena,
                       struct know_object *out, struct err *err);
/* A data model's nodes. */
MUST_USE int know_read_model(const struct yaml_node *document, struct arena *arena,
                             struct know_model *out, struct err *err);
/* Whether all keys of a mapping are in the list (NULL-ended). */
MUST_USE int know_check_keys(const struct yaml_node *node, const char *const *keys,
                             struct err *err);
/* A list of texts, or one text. */
MUST_USE int know_read_texts(const struct yaml_node *node, struct arena *arena,
                             const struct slice **out, size_t *count, struct err *err);
