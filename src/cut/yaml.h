#pragma once
/*
 * cut/yaml: YAML documents as trees, for decoders, rules, policies and
 * configuration. Scalars keep their text; what they mean is the reader's
 * business, except for the helpers below (YAML 1.2 core schema).
 *
 * Ownership  Nodes live in the arena; they do not borrow from the text.
 * Threads    A tree is read-only.
 * Limits     YAML_BYTES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX. An alias is the anchored node itself,
 *            not a copy, but counts as if it were, so expansion is bounded too.
 * Errors     -1; the sentence begins with the line ("line 3: ...").
 *
 * Getters take NULL for a node that is not there.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

enum yaml_style { YAML_PLAIN, YAML_QUOTED, YAML_BLOCK };

struct yaml_node;

/* One entry of a sequence (key NULL) or a mapping. */
struct yaml_entry {
    const struct yaml_node *key;
    const struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style; /* of scalars */
    struct slice text;     /* of scalars */
    struct slice tag;      /* as written ("!x", or resolved "tag:yaml.org,2002:str"), or none */
    int line, column;      /* from 1 */
    struct yaml_entry *entries; /* in order */
    size_t count;
    size_t weight;  /* nodes below and including this one, aliases expanded */
    unsigned depth; /* levels below and including this one */
};

/* All documents of the stream, in order. Equal keys in one mapping are an error. "<<: *anchor" takes over what the
 * mapping does not have itself (YAML 1.1, "Merge Key"). */
MUST_USE int yaml_parse(struct slice text, struct arena *arena,
                        const struct yaml_node *const **documents, size_t *count, struct err *err);

/* Every document of every file below path that ends in .yaml, in name order; path may be one file.
 * Trees live in the arena. Errors begin with the file. */
typedef int (*yaml_visit)(void *context, const struct yaml_node *document, struct err *err);
MUST_USE int yaml_walk(const char *path, struct arena *arena, yaml_visit visit, void *context,
                       struct err *err);

/* The value of a key of a mapping; NULL when missing. */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);
const struct yaml_node *yaml_get_slice(const struct yaml_node *node, struct slice key);

/* Plain and empty, "~" or "null" (quoted text never is). A missing node is null as well. */
bool yaml_is_null(const struct yaml_node *node);
/* The text of a scalar that is not null, else the fallback. */
struct slice yaml_text(const struct yaml_node *node, struct slice fallback);
/* Plain true/false, caseless; yes/no/on/off are texts. False when it is neither. */
bool yaml_to_bool(const struct yaml_node *node, bool *out);
/* Plain decimal, 0x and 0o integers. */
bool yaml_to_i64(const struct yaml_node *node, int64_t *out);

/* "line 3: format..." and returns -1. node may be NULL. */
PRINTF_LIKE(3, 4)
int yaml_err(struct err *err, const struct yaml_node *node, const char *format, ...);
