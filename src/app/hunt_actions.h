#pragma once
/*
 * app/hunt_actions: what hinomi replay would have held: a line of JSON for each scope and target, once, at the time of the
 * finding that asks for it. They stand among the findings, or in a file of their own.
 *
 *   {"@timestamp":"…","hinomi":{"action":"hold","scope":"asset","target":"XEM","finding":"…"},"rule":{…}}
 *
 * scope is account, asset, wallet, address, partner, or global (with the target "all"). Nothing is released: people do that.
 *
 * Threads  One. Errors  ERR_IO for the file, ERR_CLOSED when nobody reads the output any more.
 */
#include "base/map.h"
#include "detect/rule.h"

#include <stdio.h>

struct hunt_actions {
    FILE *file; /* NULL: standard output */
    struct arena *arena;
    struct map held;
    struct buffer line;
};

/* path NULL: among the findings. */
MUST_USE int hunt_actions_open(struct hunt_actions *actions, const char *path, struct err *err);
MUST_USE int hunt_actions_put(struct hunt_actions *actions, const struct finding *finding, const struct rule *rule,
                              struct err *err);
/* -1 when the file could not be written to its end. */
MUST_USE int hunt_actions_close(struct hunt_actions *actions, struct err *err);
