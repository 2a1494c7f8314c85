#pragma once
/* search/know_check: whether a definition means what its kind asks for: searches and macros can be read. */
#include "know/know.h"

/* The sentence says what in it is wrong; macros of set may stand in it. */
MUST_USE int know_check_object(const struct know_object *object, const struct knowledge *set,
                               struct err *err);
