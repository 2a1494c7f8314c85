#pragma once
/*
 * app/rule_files: rules with the log sources and state tables they need, from a path or the content
 * folder.
 */
#include "detect/rule.h"
#include "table/state.h"

struct rule_files {
    struct rule_set *rules;
    const struct state_definitions *state;
    struct arena *arena; /* of state */
};

/* path NULL: the content folder's own rules. */
MUST_USE int rule_files_load(const char *path, bool ignore_logsource, struct rule_files *out,
                             struct err *err);
void rule_files_free(struct rule_files *files);

/* A sentence on standard error when some rules are not active. */
void rule_files_say_inactive(const struct rule_files *files);
