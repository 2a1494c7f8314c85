#pragma once
/*
 * schedule/schedule_owner: with whose rights a scheduled search runs, and whether they are enough now.
 *
 * Of a person's own definition it is that person. Of a shared one it is whom the definition names, else who
 * made it; of one in a folder, whom it names. The role analyst is needed, as for making one.
 */
#include "know/know.h"
#include "state/users.h"

enum schedule_right { SCHEDULE_MAY, SCHEDULE_MAY_NOT };

struct slice schedule_owner(const struct know_object *object);
/* SCHEDULE_MAY_NOT with a sentence in reason, which lives in the arena; -1: the database cannot be read. */
MUST_USE int schedule_owner_may(struct database *database, struct slice owner, struct arena *arena,
                                enum schedule_right *out, struct slice *reason, struct err *err);
