#pragma once
/*
 * table/sequence: messages that their sender numbers one after another, and which of them never came.
 *
 *   ... 41 42 43 [44 45] 46 47 ...     a hole; 44 may still be on its way, so the hole is a gap only after SEQUENCE_SETTLE_S
 *   ... 98 99 1 2                      begun again: the sender was restarted, or its log is another one
 *   ... 2147483647 1 2                 where numbers end: no gap
 *
 * Numbers that were there already are counted, and nothing else is made of them: senders that get no answer send again. While
 * more than a quarter is out of order (two programs number under one name; everything is sent again) nothing is judged.
 *
 * Threads  One at a time. Limits  Fixed size; of SEQUENCE_HOLES that are open the oldest is a gap at once.
 */
#include "base/buffer.h"

enum { SEQUENCE_HOLES = 8, SEQUENCE_SETTLE_S = 30 };

/* How a protocol numbers: from first to last, then from first again; last 0: without an end. */
struct sequence_kind {
    uint64_t first, last;
};

struct sequence_hole {
    uint64_t from, to;
    int64_t seen_ns;
    uint64_t before; /* messages in order before it */
};

struct sequence {
    uint64_t newest; /* number */
    bool begun;
    uint64_t in_order; /* since the last hole */
    uint64_t behind;   /* numbers one after another that were there already */
    uint64_t last_behind;
    uint32_t recent, recent_wrong; /* to see that several number at once */
    bool mixed;
    struct sequence_hole holes[SEQUENCE_HOLES + 2]; /* oldest first */
    uint32_t hole_count;
    uint64_t gaps, missing, again, restarts; /* again: there already, or too late */
    uint64_t gap_from, gap_to;               /* the last gap */
    int64_t gap_ns, restart_ns;              /* when it was seen; 0: never */
};

/* Numbers are at most INT64_MAX. True when it has begun again: *before messages were in order until then. Call sequence_settle() behind it. */
bool sequence_take(struct sequence *sequence, const struct sequence_kind *kind, uint64_t number, int64_t now_ns,
                   uint64_t *before);
/* True for each hole that is a gap by now: call it until it is false. */
bool sequence_settle(struct sequence *sequence, int64_t now_ns, struct sequence_hole *gap);
/* How many are missing in it. */
uint64_t sequence_missing(const struct sequence_hole *gap);

void sequence_save(const struct sequence *sequence, struct buffer *to);
/* False when it is too short, or says what cannot be. */
MUST_USE bool sequence_load(struct sequence *sequence, struct slice *from);
