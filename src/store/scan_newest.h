#pragma once
/*
 * store/scan_newest: the times of the newest rows a scan has seen, to leave out what is older than
 * all of them (scan.h, newest_rows).
 *
 * Threads  One.
 */
#include "base/arena.h"

struct scan_newest {
    int64_t *times; /* a heap, the oldest first */
    uint32_t count, most;
};

/* Most is at least 1. -1: memory is out. */
MUST_USE int scan_newest_init(struct scan_newest *newest, uint32_t most, struct arena *arena);
void scan_newest_add(struct scan_newest *newest, int64_t time_ns);
/* Rows before it cannot be among the newest; INT64_MIN as long as there are too few. */
int64_t scan_newest_bound(const struct scan_newest *newest);
