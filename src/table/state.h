#pragma once
/*
 * table/state: what rules and the gate remember of the events that went by.
 *
 * A table has a row per key (a wallet, an account, an address); a row keeps what
 * content/state/ says as YAML (docs/rules.md): the latest or the earliest value of a
 * field, when the key was first and last seen, and over a sliding window counts,
 * sums, means, the least and the most, different values. Read in expressions as
 * state("table", key, "field").
 *
 *   wallet  key NC3B..  balance 523496158.4 | mean_24h [buckets] | first_seen ...
 *
 * Sums are exact decimals. A window of counts, sums, means and extremes is kept as
 * buckets of 1/31 of it, and the oldest counts whole until it is out: it may look up to
 * 1/31 of the window too far back, never too short. Different values are kept with the time
 * of their latest coming, exactly. An event that comes late is put where its own time is.
 *
 * All that an event feeds is computed before any of it is taken over.
 *
 * Ownership  Definitions are immutable and may be shared; a state belongs to one thread.
 * Limits     entries_max keys a table (STATE_ENTRIES_MAX); beyond, the key that was touched longest ago of
 *            a sample is dropped and counted. What a key keeps: STATE_* in base/limits.h.
 * Snapshots  state_save writes everything; state_load restores it for the same definitions
 *            (tables and fields are matched by name; what is no longer defined, or of another kind, is left out).
 */
#include "base/buffer.h"
#include "base/limits.h"
#include "expr/expr.h"

enum { STATE_BUCKETS = 32 }; /* of a window that are in it at a time, at most */

struct state_definitions;
struct state;

/* Reads every .yaml below path. */
MUST_USE int state_definitions_load(const char *path, struct arena *arena,
                                    const struct state_definitions **out, struct err *err);

/* Which tables there are, and their fields; SLICE_NONE behind the last. */
struct slice state_table_name(const struct state_definitions *definitions, size_t table);
struct slice state_field_name(const struct state_definitions *definitions, size_t table,
                              size_t field);
/* Only the table of that name, for a copy that nothing feeds; sharing the rest. NULL: memory is out. */
MUST_USE const struct state_definitions *
state_definitions_only(const struct state_definitions *definitions, struct slice table,
                       struct arena *arena);

/* The rows that any table takes something of, as one condition; *out NULL when there is no feed. -1: memory
 * is out. */
MUST_USE int state_wanted(const struct state_definitions *definitions, struct arena *arena,
                          const struct expr **out);

/* Every column that the feeds read; *all: every column there is. */
void state_columns(const struct state_definitions *definitions, expr_field_visit visit, void *context, bool *all);
/* The same without what only state_select() reads: for who keeps its answer with a copy of the rows. */
void state_observe_columns(const struct state_definitions *definitions, expr_field_visit visit, void *context,
                           bool *all);

MUST_USE struct state *state_new(const struct state_definitions *definitions);
void state_free(struct state *state);

/* For each feed of the definitions, the rows of the batch that it wants: a bitmap per feed in
 * scope->scratch. */
struct state_feed_rows {
    uint64_t **rows; /* by feed */
    uint64_t *any;
};
MUST_USE int state_select(const struct state_definitions *definitions, struct expr_scope *scope,
                          const struct batch *batch, struct state_feed_rows *out,
                          struct err *err);
/* Takes over what one row says; rows in order. "if", keys and values read scope->state, as it was before the row. */
MUST_USE int state_observe(struct state *state, struct expr_scope *scope,
                           const struct batch *batch, uint32_t row, int64_t time_ns,
                           const struct state_feed_rows *selected, struct err *err);

/* The same where it is no event that says it: every field of the feed's table takes the value. */
MUST_USE int state_put(struct state *state, uint32_t feed, struct slice key, struct value value, int64_t time_ns,
                       struct arena *scratch, struct err *err);

/* The hook for expr_scope.state; context is the struct state. */
bool state_read(void *context, struct slice table, struct slice key, struct slice field,
                int64_t now_ns, struct arena *scratch, struct value_list *out);

void state_save(const struct state *state, struct buffer *to);
/* How many bytes it writes; 0: memory is out. */
uint64_t state_saved_bytes(const struct state *state);
MUST_USE int state_load(struct state *state, struct slice bytes, struct err *err);

struct state_stats {
    uint64_t keys;
    uint64_t evicted; /* keys, and members of totals, that went because there were too many */
    uint64_t bytes;   /* of memory */
};
struct state_stats state_stats(const struct state *state);
/* The table that let most keys go, and how many; SLICE_NONE: none did. */
struct slice state_fullest(const struct state *state, uint64_t *evicted);
/* Visits the keys of a table in no particular order; stops when visit returns false. */
void state_walk(const struct state *state, struct slice table,
                bool (*visit)(void *context, struct slice key), void *context);
