#pragma once
/*
 * store/segment_pack: segments as one file, each stream compressed once more at a higher level. Nothing is
 * decoded: what the streams say stays byte for byte, and so does every row.
 *
 * Streams name columns by number, so files are joined as long as their lists of columns agree as far as
 * both go; the first that does not ends it.
 *
 * Threads  One.
 * Errors   -1; ERR_CORRUPT names the damaged file, *taken its number in paths.
 */
#include "store/segment.h"

/* At least the first; *taken says how many. facts: of the first, its stream in arena. */
MUST_USE int segment_pack(struct segment_writer *writer, const char *const *paths, size_t count,
                          size_t *taken, struct segment_facts *facts, struct arena *arena,
                          struct err *err);
