#pragma once
/*
 * store/ledger: received = stored + quarantined + dropped, per source and minute of receipt. Minutes of
 * the last LEDGER_MINUTES_MAX stay; older ones are summed per day.
 *
 * Ownership  Entries live in the ledger's arena.
 * Threads    One at a time (the store's lock).
 * Limits     LEDGER_ARENA_MAX; entries beyond it are summed under the source "(other)".
 */
#include "base/buffer.h"
#include "base/err.h"
#include "base/map.h"

enum { LEDGER_MINUTES_MAX = 26 * 60 };
#define LEDGER_ARENA_MAX ((size_t)64 * 1024 * 1024)

enum { LEDGER_PLACES = 3 }; /* where events are lost on arrival (collect/drop.h) */

struct ledger_counts {
    uint64_t received;    /* by journal records, and what is known to have been lost on arrival */
    uint64_t stored;      /* rows in segments or memory */
    uint64_t quarantined; /* of these: kept raw, not understood */
    uint64_t dropped[LEDGER_PLACES];
};

void ledger_counts_add(struct ledger_counts *to, const struct ledger_counts *counts);
uint64_t ledger_dropped(const struct ledger_counts *counts); /* at all places */
/* received less all the others: 0 when the books balance. */
int64_t ledger_difference(const struct ledger_counts *counts);

struct ledger_entry {
    struct slice source;
    int64_t minute;       /* since 1970; of a day's sum: its first minute */
    bool is_day;
    struct ledger_counts counts;
};

struct ledger {
    struct arena *arena;
    struct map entries;   /* is_day 1, minute 8, source -> struct ledger_entry */
    int64_t newest_minute;
};

MUST_USE int ledger_init(struct ledger *ledger, struct err *err);
void ledger_close(struct ledger *ledger);

/* False when memory is out. */
MUST_USE bool ledger_add(struct ledger *ledger, struct slice source, int64_t minute,
                         struct ledger_counts counts);
/* As ledger_add, with the entry's own minute or day. */
MUST_USE bool ledger_add_entry(struct ledger *ledger, const struct ledger_entry *entry);
MUST_USE bool ledger_merge(struct ledger *to, const struct ledger *from);

typedef void (*ledger_visit)(void *context, const struct ledger_entry *entry);
void ledger_each(const struct ledger *ledger, ledger_visit visit, void *context);

/* Minutes that are too old are written as days. */
void ledger_save(const struct ledger *ledger, struct buffer *to);
MUST_USE int ledger_load(struct ledger *ledger, struct slice *from, struct err *err);
