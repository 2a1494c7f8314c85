#pragma once
/*
 * app/approve_policy: the owner of a policy signs its file, after seeing what changes. On standard error; needs no server.
 */
#include "gate/policy_owner.h"

struct approve_policy {
    const char *path;    /* that is signed */
    const char *against; /* the policy in force, or NULL */
    const unsigned char *seed;
    struct arena *arena;
};

/* Reads both and says what is in the file, and what is other than before. */
MUST_USE int approve_policy_show(const struct approve_policy *order, const struct policy **out, struct err *err);
/* Writes PATH.sig. */
MUST_USE int approve_policy_sign(const struct approve_policy *order, const struct policy *policy, struct err *err);
