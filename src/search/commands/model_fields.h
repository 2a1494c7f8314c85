#pragma once
/*
 * search/commands/model_fields: columns under the names of a data model, for tstats, from and datamodel.
 *
 *   host.name ──────────────────────────► Processes.dest       the same values, dictionary codes too
 *   user.name, user.id ──(the first)────► Processes.user
 *   eval or cases ──(computed)──────────► Processes.action
 *   event.original "component=A x" ─────► component=           PREFIX(component=)
 *
 * It is no command that people write: expansions (search/expand.h) put it behind the filter.
 */
#include "search/expand.h"
#include "search/model.h"

struct model_output {
    struct slice name;              /* of the column that is made */
    const struct know_field *field; /* NULL: prefix, or another name of a field of events */
    struct slice native;
    struct slice prefix;
    const struct expr *eval;
    const struct expr **cases; /* by case */
};

struct model_fields {
    struct model_output *outputs;
    size_t count;
    bool only; /* other columns go, except what every event has */
};

/* name is made too, once. Names of events' own fields need nothing. */
MUST_USE int model_fields_add(struct model_view *view, struct model_fields *fields,
                              struct slice name, struct err *err);
MUST_USE int model_fields_add_prefix(struct run *run, struct model_fields *fields,
                                     struct slice prefix, struct err *err);
/* All of the node's fields, inherited ones too, as view calls them. */
MUST_USE int model_fields_add_all(struct model_view *view, struct model_fields *fields,
                                  struct err *err);

extern const struct command command_model_fields;
