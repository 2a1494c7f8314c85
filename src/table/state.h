#pragma once
/*
 * table/state: what rules and the gate remember of the events that went by.
 *
 * A table has a row per key (a wallet, an account, an address); a row keeps the
 * latest value of a field, when the key was first and last seen, or counts,
 * sums and means over a sliding window. Defined in content/state/ as YAML
 * (docs/rules.md); read in expressions as state("table", key, "field").
 *
 *   wallet  key NC3B..  balance 523496158.4 | mean_24h [32 buckets] | first_seen ...
 *
 * Sums are exact decimals. A window is kept as STATE_BUCKETS buckets, and the
 * oldest counts whole until it is out: a sum may look up to 1/32 of the window
 * too far back, never too short. An event that comes late is put into the
 * bucket of its own time; latest keeps the value with the newest event time.
 *
 * Ownership  Definitions are immutable and may be shared; a state belongs to one thread.
 * Limits     entries_max keys a table; beyond, the key that was touched longest ago of
 *            a sample is dropped and counted.
 * Snapshots  state_save writes everything; state_load restores it for the same definitions
 *            (columns are matched by name; what is no longer defined is left out).
 */
#include "base/buffer.h"
#include "expr/expr.h"

enum { STATE_BUCKETS = 32, STATE_ENTRIES_MAX = 1000000, STATE_KEY_BYTES_MAX = 512 };

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
/* Takes over what one row says; rows in order. */
MUST_USE int state_observe(struct state *state, struct expr_scope *scope,
                           const struct batch *batch, uint32_t row, int64_t time_ns,
                           const struct state_feed_rows *selected, struct err *err);

/* The hook for expr_scope.state; context is the struct state. */
bool state_read(void *context, struct slice table, struct slice key, struct slice field,
                int64_t now_ns, struct arena *scratch, struct value *out);

void state_save(const struct state *state, struct buffer *to);
MUST_USE int state_load(struct state *state, struct slice bytes, struct err *err);

struct state_stats {
    uint64_t keys, evicted;
};
struct state_stats state_stats(const struct state *state);
/* Visits the keys of a table in no particular order; stops when visit returns false. */
void state_walk(const struct state *state, struct slice table,
                bool (*visit)(void *context, struct slice key), void *context);
