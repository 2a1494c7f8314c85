#pragma once
/*
 * collect/watched_start: where the files stood when a collector that starts at their end ran for the very first time
 * (DIR/collect/NAME.start): what is written behind that counts, also while the program does not run, and files that
 * came later are read from their beginning.
 *
 *   "HINSTRT1" | crc of the rest 4 | path (block) | cursor (block) | ...
 *
 * Threads  One.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/map.h"

struct watched_start {
    struct arena *arena;
    struct map cursors;
    char path[4400];
    bool there; /* it was written before */
};

MUST_USE int watched_start_open(struct watched_start *start, const char *data_dir, const char *name, struct err *err);
void watched_start_close(struct watched_start *start);
/* SLICE_NONE: none. */
struct slice watched_start_find(const struct watched_start *start, struct slice path);

void watched_start_put(struct buffer *to, struct slice path, struct slice cursor);
MUST_USE int watched_start_write(struct watched_start *start, struct slice entries, struct err *err);
