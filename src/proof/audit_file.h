#pragma once
/*
 * proof/audit_file: the audit trail as a file that can be checked elsewhere (docs/format/audit.md):
 * a line of JSON each, the first says what it is, then the rows from the first to the last.
 *
 * Threads  Any.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "state/audit_chain.h"

#define AUDIT_FILE_HEAD "{\"hinomi_audit\":1}\n"

/* One line. */
void audit_file_put(const struct audit_row *row, struct buffer *to);

/* Checks the chain in the file, from its first row; walk->wanted may name a hash noted earlier. */
MUST_USE int audit_file_check(const char *path, struct audit_walk *walk, struct err *err);
/* The same of a text; the arena is reset for every line. */
MUST_USE int audit_file_check_text(struct slice text, struct arena *arena, struct audit_walk *walk,
                                   struct err *err);
