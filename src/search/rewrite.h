#pragma once
/*
 * search/rewrite: commands that change a field's values one by one, without looking at the rest
 * of the row.
 */
#include "search/stage.h"

/* v is the old value; *out the new one (VALUE_NULL takes it away), in arena. */
typedef int (*rewrite_value)(const void *context, struct run *run, struct value v,
                             struct arena *arena, struct value *out);

/* The field as becomes what change makes of the field from. */
MUST_USE int frame_rewrite(struct run *run, struct frame *frame, struct slice from, struct slice as,
                           rewrite_value change, const void *context, struct err *err);
/* Sets v in rows that have no value. */
MUST_USE int frame_fill(struct run *run, struct frame *frame, struct slice name, struct value v,
                        struct err *err);
