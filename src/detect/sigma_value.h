#pragma once
/*
 * detect/sigma_value: one field (or keyword) item of a Sigma detection, with its
 * modifiers, as an expression over the columns it may be in.
 *
 * Source  Sigma specification 2.1, "Modifiers" appendix.
 */
#include "cut/yaml.h"
#include "detect/logsource.h"
#include "detect/placeholders.h"

enum sigma_outcome {
    SIGMA_OK,
    SIGMA_ERROR,    /* the rule is wrong: err says where */
    SIGMA_INACTIVE, /* right, but cannot be active: err says what is missing */
};

struct sigma_context {
    struct arena *arena;
    const struct logsource_variant *variant; /* NULL: fields are columns */
    const struct placeholders *placeholders;
    struct err *err;
    /* of the item that is being read, for errors */
    struct slice key;
    const struct yaml_node *node;
};

/* key is "field|modifier|..."; "" or "|all" are keywords. */
enum sigma_outcome sigma_item(struct sigma_context *context, struct slice key,
                              const struct yaml_node *value, const struct expr **out);
/* A bare keyword. */
enum sigma_outcome sigma_keyword(struct sigma_context *context, const struct yaml_node *value,
                                 const struct expr **out);
