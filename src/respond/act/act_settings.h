#pragma once
/*
 * respond/act/act_settings: one row of `actions:` in the configuration (docs/actions.md).
 *
 * Ownership  Texts and lists live in the arena that it was read into, or in the YAML tree.
 */
#include "base/arena.h"
#include "base/err.h"
#include "cut/yaml.h"
#include "event/ip.h"
#include "state/users.h"

struct action_kind;

struct act_settings {
    const struct action_kind *kind;
    struct slice name;
    const struct slice *takes; /* types of entities */
    size_t take_count;
    const struct slice *never; /* values that it is never done to; addresses also as networks */
    size_t never_count;
    uint32_t at_once, per_hour; /* the caps: entities that it may be in effect on, and that may be asked for in an hour */
    int64_t lasts_ns;   /* then it is undone; 0: until somebody undoes it */
    uint32_t approvals; /* distinct people, not counting who asks */
    enum role role, approver_role;
    /* webhook, disable_user */
    struct slice url, undo_url, verify_url, verify_contains, secret;
    struct slice body, undo_body; /* JSON with {names} (act_body.h); none: the usual one */
    bool allow_private;
    struct slice file;   /* block_list: written at each change; none: only served */
    struct slice socket; /* script: of the helper */
    struct slice script; /* script: its name there */
};

/* A list of rows, checked. ERR_CONFIG names the line. */
MUST_USE int act_settings_read(const struct yaml_node *node, struct arena *arena, const struct act_settings **out,
                               size_t *count, struct err *err);
