#pragma once
/*
 * schedule/search_writes: what a search may change on behalf of a person (outputlookup, collect), with its
 * rows in the audit trail, whatever came of it.
 *
 * Ownership  All that the struct points at outlives it.
 * Threads    One: the search's.
 */
#include "base/clock.h"
#include "search/run.h"
#include "state/database.h"
#include "store/journal.h"

struct search_writes {
    struct database *database;
    const struct hin_clock *clock;
    struct journal *journal;
    const char *lookups;       /* the folder of lookup tables */
    struct slice person, via;  /* of the row in the trail; via: "search" or "schedule" */
    const char *what;          /* which search: "s17" */
    struct slice key;          /* what collect writes under the same key is stored once; none: always */
    uint64_t collected;        /* deliveries so far */
    struct search_writer writer; /* set by search_writes_init */
};

/* Copies from, and sets the writer. to stays where it is while the search runs. */
void search_writes_init(struct search_writes *to, const struct search_writes *from);
