#pragma once
/*
 * event/batch: the one data shape. Some thousands of events in one arena, as
 * columns. Every station adds to it; nothing is re-encoded on the way.
 *
 *   column "source.ip"      rows    0   0   3   7        ascending; a row that stands
 *                           values  a   b   c   d        twice has two values
 *                           codes   4   9   4   1        dictionary codes, if interned
 *
 * A column holds only what is there: presence is the rows array, so wide and
 * mixed streams cost what they contain (docs/decisions/sparse-columns.md).
 * A column may hold several types. Fields with several values keep their order.
 *
 * Ownership  The batch owns its arena; slices put into columns must live in it
 *            (or longer, as constants and dictionaries do).
 * Threads    One owner at a time; pushing a batch to a queue gives it away.
 * Limits     BATCH_ROWS_MAX rows from collectors (search blocks may be larger),
 *            BATCH_COLUMNS_MAX columns, BATCH_ARENA_MAX bytes.
 * Errors     -1 when memory or a bound is out; the batch stays consistent.
 */
#include "base/arena.h"
#include "base/bits.h"
#include "base/limits.h"
#include "base/map.h"
#include "event/value.h"

#include <assert.h>

struct origin;

struct column {
    /* What adding a value touches, in one line of the cache. */
    struct slice name;
    uint32_t *rows;       /* ascending */
    struct value *values; /* parallel to rows; VALUE_NULL only as a gap inside arrays */
    struct column *next;  /* the column that followed in the last event: a guess for decoders */
    uint32_t count;
    uint32_t size;
    uint32_t newest_row; /* the last that column_add() was given, even if its values are dropped again */
    uint32_t index;      /* position in batch->columns */
    uint16_t types_seen; /* bit per value_type */
    bool multi;          /* some row has several values */

    uint32_t *codes;       /* parallel, or NULL; codes of STRING values in the dictionary */
    uint64_t dict_epoch;   /* which dictionary the codes belong to */
    const struct value *dict; /* columns from the store, or NULL: codes[i] names dict[codes[i]] for
                               * every entry, of any type; equal values have equal codes. Then
                               * values may be NULL when the reader asked for that (scan.h,
                               * codes_only); column_value() works either way */
    uint32_t dict_count;
};

/* What is known of an event before and beside its fields. */
struct event_row {
    struct slice raw;            /* event.original, byte for byte */
    int64_t time_ns;             /* @timestamp: corrected event time */
    int64_t received_ns;         /* event.ingested */
    uint64_t seq;                /* hinomi.seq: arrival order, total, never reused */
    const struct origin *origin; /* who delivered; lives as long as the batch */
    uint32_t flags;              /* EVENT_* */
};

enum {
    EVENT_NOT_UNDERSTOOD = 1 << 0, /* no decoder took it: raw only */
    EVENT_DECODE_ERROR = 1 << 1,   /* a decoder stopped half way: error.message is set */
    EVENT_TIME_GUESSED = 1 << 2,   /* @timestamp is the receive time */
    EVENT_TIME_CLAMPED = 1 << 3,   /* outside the window of TIME_*_MAX: partition by receipt */
    EVENT_QUARANTINED = 1 << 4,
    EVENT_CUT = 1 << 5,            /* over EVENT_BYTES_MAX: one of several linked parts */
    EVENT_FIELDS_LEFT = 1 << 6,    /* more than EVENT_FIELDS_MAX: the rest is in event.original */
};

struct batch {
    struct arena *arena;
    struct event_row *rows; /* NULL in batches that search reads back from the store */
    uint32_t row_count;
    uint32_t row_size;
    struct column **columns; /* in order of first appearance */
    uint32_t column_count;
    uint32_t column_size;
    struct map by_name;
    uint64_t journal_end; /* the journal position after the last record in this batch */
    uint64_t life;        /* another one after each reset, and of no other batch: for who remembers its columns */
};

MUST_USE struct batch *batch_new(size_t bytes_max);
void batch_free(struct batch *batch); /* NULL is fine */
void batch_reset(struct batch *batch); /* empty again, keeps memory for the next round */

/* A new event with an empty set of fields; NULL when memory or rows are out. */
MUST_USE struct event_row *batch_add_row(struct batch *batch);

/* Finds or makes. NULL when memory or BATCH_COLUMNS_MAX is out. The name is copied. */
MUST_USE struct column *batch_column(struct batch *batch, struct slice name);
/* NULL when no event of the batch has the field. */
struct column *batch_find(const struct batch *batch, struct slice name);

/* Room for one more value, at least; -1 when memory is out. For column_add(). */
MUST_USE int column_grow(struct batch *batch, struct column *column);

/* Appends a value. row must not be smaller than the column's last. Inlined: every field of every event
 * comes by here. */
MUST_USE static inline int column_add(struct batch *batch, struct column *column, uint32_t row,
                                      struct value v)
{
    uint32_t count = column->count;
    if (UNLIKELY(count == column->size) && column_grow(batch, column) < 0)
        return -1;
    if (count) {
        uint32_t last = column->rows[count - 1];
        assert(row >= last);
        column->multi |= row == last;
    }
    column->rows[count] = row;
    column->values[count] = v;
    column->count = count + 1;
    column->newest_row = row;
    column->types_seen |= (uint16_t)(1U << v.type);
    return 0;
}
/* As column_add, but replaces what the column's last row holds when that is row. */
MUST_USE int column_set(struct batch *batch, struct column *column, uint32_t row, struct value v);
/* Drops the values of row, which must be the column's last row or absent. */
void column_drop_last(struct column *column, uint32_t row);

/* By name, for code off the hottest path. */
MUST_USE int batch_put(struct batch *batch, uint32_t row, struct slice name, struct value v);
MUST_USE int batch_put_text(struct batch *batch, uint32_t row, const char *name, struct slice text);

/* The values of one row: *first is the position, the count is returned. Binary search. */
uint32_t column_range(const struct column *column, uint32_t row, uint32_t *first);
/* The first value, or VALUE_NULL. */
struct value column_first(const struct column *column, uint32_t row);
/* The same where rows are asked for in their order: *at is where to go on, 0 at first. No search. */
struct value column_next(const struct column *column, uint32_t row, uint32_t *at);
struct value batch_first(const struct batch *batch, uint32_t row, struct slice name);

/* Entry i, whether values are filled or only codes. */
static inline struct value column_value(const struct column *column, uint32_t i)
{
    return column->values ? column->values[i] : column->dict[column->codes[i]];
}

/* Bits of the rows that have the column at all are or-ed into present. */
void column_present(const struct column *column, uint64_t *present);

/* One event as JSON with dotted names, several values as an array, columns in name order. */
void batch_row_to_json(const struct batch *batch, uint32_t row, struct json *json);

/* Fills the columns that every event has from rows: @timestamp, event.ingested, hinomi.seq,
 * event.original, and what the origin says (hinomi.source, hinomi.stream, hinomi.identity, log.file.path) where
 * the event itself does not. Called once, after decoding. */
MUST_USE int batch_finish(struct batch *batch);
