#pragma once
/*
 * search/model: fields of a data model (know/know.h) as fields of events.
 *
 *   Processes.process_name=cmd.exe    process.name=cmd.exe                       a field of its own
 *   Processes.user=bob                user.name=bob OR (no user.name, user.id=bob)   the first of several
 *   Processes.action=allowed          what the case "allowed" asks for           cases
 *   anything over an eval             tested behind the column that it makes
 *
 * Ownership  All that is made lives in run->arena.
 */
#include "search/stage.h"

struct model_view {
    struct run *run;
    const struct know_object *object; /* NULL: no data model, fields are those of events */
    const struct know_model *model;
    const struct know_node *node; /* NULL: any root of the model */
    bool bare;                    /* names are without their node (from datamodel) */
};

/* name is M or M.NODE. ERR_NOT_FOUND with the nearest name. */
MUST_USE int model_open(struct run *run, struct slice name, struct model_view *out,
                        struct err *err);
/* Another node of the model that is open: its path or last name. */
MUST_USE int model_choose(struct model_view *view, struct slice name, struct err *err);

enum model_name { MODEL_NATIVE, MODEL_FIELD, MODEL_MISSING };
/* MODEL_NATIVE: a field of events; *native is its name there, which differs for Processes.host.
 * MODEL_MISSING: the node has no such field; a message says so. */
enum model_name model_resolve(struct model_view *view, struct slice name,
                              const struct know_field **field, struct slice *native);

/* What all events of the node fulfil; with node NULL of any root. *out NULL: no data model. */
MUST_USE int model_constraint(struct model_view *view, const struct know_node *node,
                              const struct expr **out, struct err *err);
/* filter as one over fields of events: *pushed, and *rest with some of the model's names left in it,
 * which must be tested where their columns are. Either may be NULL. */
MUST_USE int model_split(struct model_view *view, const struct expr *filter,
                         const struct expr **pushed, const struct expr **rest, struct err *err);
/* The case's own search without those of the cases before it. */
MUST_USE int model_case(struct model_view *view, const struct know_field *field, size_t index,
                        const struct expr **out, struct err *err);
