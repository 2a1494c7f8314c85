#pragma once
/*
 * respond/act/action_block_list: a list of what is to be blocked, one entry a line, ordered. It is made anew from the
 * deeds at each change, so it can never be out of step with them.
 */
#include "respond/act/action.h"

/* Of all that are in effect by now, or are being put into effect. */
MUST_USE int block_list_write(struct database *database, struct slice name, struct arena *arena, struct buffer *to,
                              struct err *err);
