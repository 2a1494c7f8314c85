#pragma once
/*
 * app/privilege: a server does not run as root. Started as root it gives the data folder to its user
 * and becomes that user, or refuses.
 */
#include "base/err.h"

#include <stdbool.h>

/* As another user than root: does nothing. As root: with allow_root nothing; else becomes the user
 * "hinomi" (or fallback, when that user does not exist and fallback is not NULL) after making dir and
 * giving it to them. ERR_CONFIG with what to do when that cannot be. */
MUST_USE int privilege_check(const char *dir, bool allow_root, const char *fallback, struct err *err);
