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
/* Of a mapping: the text of a key, SLICE_NONE when it is not there and not needed. */
MUST_USE int know_read_text(const struct yaml_node *document, const char *key, bool needed,
                            struct slice *out, struct err *err);
/* As they are when the key is not there. */
MUST_USE int know_read_bool(const struct yaml_node *document, const char *key, bool *out,
                            struct err *err);
MUST_USE int know_read_span(const struct yaml_node *document, const char *key, int64_t *out,
                            struct err *err);
/* know_dashboard.c */
MUST_USE int know_read_dashboard(const struct yaml_node *document, struct arena *arena,
                                 struct know_object *out, struct err *err);
/* saved->schedule from the key schedule, NULL without one. */
MUST_USE int know_read_schedule(const struct yaml_node *document, struct arena *arena,
                                struct know_saved_search *saved, struct err *err);
