#pragma once
/*
 * store/journal_cursors: how far each source has read each of its paths, as its newest durable delivery says.
 *
 * Readers come and go: collectors are renamed, logs carry the day in their names. So there is a bound, and beyond it those that
 * were longest neither written nor asked for are forgotten; a reader that is at work asks when it starts, and writes.
 *
 * Ownership  Names and cursors are copied. Threads  One at a time (the journal's lock).
 * Limits     bytes_max for all of them, CURSOR_OVERHEAD for each included.
 * Errors     -1 only when memory is out: being full is none.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/map.h"

enum { CURSOR_OVERHEAD = 128 };

struct journal_cursors {
    struct arena *arena; /* of the map's table alone */
    struct map map;      /* "source\0path" -> entry */
    size_t bytes, bytes_max;
    uint64_t uses;       /* counted: who was used last has the highest number */
    uint64_t forgotten;
};

MUST_USE int journal_cursors_init(struct journal_cursors *cursors, size_t bytes_max);
void journal_cursors_close(struct journal_cursors *cursors); /* all zero is fine */

MUST_USE int journal_cursors_put(struct journal_cursors *cursors, struct slice source, struct slice path,
                                 struct slice cursor, struct err *err);
/* SLICE_NONE: none, or memory is out. Lives until the next put. */
struct slice journal_cursors_find(struct journal_cursors *cursors, struct slice source, struct slice path);

/* count 8, then each: varint length and bytes of the name, varint length and bytes of the cursor; longest unused first. */
void journal_cursors_save(const struct journal_cursors *cursors, struct buffer *to);
MUST_USE int journal_cursors_load(struct journal_cursors *cursors, struct slice *from, struct err *err);
