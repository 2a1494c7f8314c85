#pragma once
/*
 * collect/gap: messages that are missing by the numbers their sender or protocol gave them, as an event of its own
 * (event.dataset hinomi.gap): people can search for it, and a rule can be written on it.
 *
 * Threads any.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

/* hinomi.source of these deliveries; no input can have it. */
#define GAP_SOURCE SLICE("hinomi.gap")

struct gap {
    struct slice source;       /* hinomi.source of the input */
    struct slice sender, host; /* each or none; neither: the collector found it */
    struct slice numbers;      /* which: "syslog sequenceId", "winlog Security", or the kind of the collector */
    uint64_t missing;          /* 0: none, they began again */
    uint64_t from, to;         /* the last of them; 0: the protocol says no numbers */
    int64_t time_ns;           /* when it was seen */
};

/* One line, without its end. */
void gap_write(const struct gap *gap, struct buffer *to);
/* What gap_write() wrote; texts live in the arena or the line. time_ns is not read. */
MUST_USE int gap_read(struct slice line, struct arena *arena, struct gap *out, struct err *err);
