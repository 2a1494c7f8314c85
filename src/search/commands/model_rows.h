#pragma once
/* search/commands/model_rows: the events of a data model's node, for from and datamodel. */
#include "search/commands/model_fields.h"

struct model_rows {
    struct slice name;   /* M or M.NODE */
    bool prefixed;       /* fields are called Processes.dest, not dest */
    bool keep_all;       /* events' other fields stay */
};

/* Searches that follow are asked of the source as well. */
MUST_USE int model_rows_expand(struct run *run, const struct spl_command *command,
                               const struct model_rows *rows, struct spl_expansion *out,
                               struct err *err);
