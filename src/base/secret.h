#pragma once
/*
 * base/secret: a secret as it is written in the configuration: the text itself, "file:PATH" or "env:NAME".
 *
 * Ownership  The result lives in the arena; a zero follows.
 * Limits     SECRET_BYTES_MAX of a file.
 * Errors     ERR_CONFIG, or what the file's reading said. The secret itself is never in a sentence.
 */
#include "base/arena.h"
#include "base/err.h"

/* White space around what a file or variable has is taken off. */
MUST_USE int secret_read(struct slice written, struct arena *arena, struct slice *out, struct err *err);
