#pragma once
/*
 * store/manifest_tail: what was added to the manifest behind the content of version 1: where segments
 * lie and what was done to them, further folders, and what retention took (docs/format/manifest.md).
 *
 * Threads  One.
 */
#include "store/manifest.h"

void manifest_tail_put(struct buffer *to, const struct manifest *manifest);
/* from: all that is left of the content; empty in a manifest of an older program. */
MUST_USE int manifest_tail_take(struct slice from, struct arena *arena, struct manifest *out,
                                struct err *err);
