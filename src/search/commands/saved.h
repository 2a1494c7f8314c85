#pragma once
/* search/commands/saved: a saved search in the place of a command; savedsearch and from savedsearch:. */
#include "search/expand.h"

struct saved_value {
    struct slice name, value; /* $name$ in the text becomes value */
};

MUST_USE int saved_expand(struct run *run, const struct spl_command *command, struct slice name,
                          const struct saved_value *values, size_t count,
                          struct spl_expansion *out, struct err *err);
