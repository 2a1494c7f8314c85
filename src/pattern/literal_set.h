#pragma once
/*
 * pattern/literal_set: which of many literals are in a text, in one pass over it.
 *
 * Each literal is filed under the four of its bytes (two or one of shorter ones) that fewest literals
 * share. A scan looks at the four bytes at every place of the text (at every fourth, where all literals
 * are long enough to be filed four times): a bit tells whether anything is filed under them, and only then
 * literals are compared. Bytes are bytes: for matches without case
 * both sides are folded by the caller. Why this and not a library: docs/decisions/matching-plan.md.
 *
 * Ownership  Lives in the arena it is built in, as does what its literals point to.
 * Threads    Read-only once built; each thread scans with its own struct literal_scan.
 * Errors     -1 when memory is out.
 */
#include "base/arena.h"

enum literal_anchor { LITERAL_ANYWHERE, LITERAL_AT_START, LITERAL_AT_END };

struct literal {
    struct slice text; /* not empty */
    enum literal_anchor anchor;
};

struct literal_set;

/* Literals are known by their number in the list; the same text may stand there several times. */
MUST_USE int literal_set_build(struct arena *arena, const struct literal *list, uint32_t count,
                               const struct literal_set **out);

/* What a scan needs beside the set and what it finds. One serves sets of up to size literals. */
struct literal_scan {
    uint32_t *found; /* numbers, each once, in no particular order */
    uint32_t count;
    uint32_t size;
    uint32_t *stamps; /* of literals found in this scan */
    uint32_t stamp;
};
MUST_USE int literal_scan_init(struct literal_scan *scan, struct arena *arena, uint32_t size);

void literal_set_scan(const struct literal_set *set, struct slice text, struct literal_scan *scan);
