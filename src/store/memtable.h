#pragma once
/*
 * store/memtable: rows of one partition that are not in a segment yet. A batch becomes one
 * part; values are interned into one dictionary per column as they come, which is also the
 * dictionary the segment will have.
 *
 *   memtable ── column "event.action" ── dict  a b c d ...   (only grows)
 *            └─ part ── part ── part                         (never change once added)
 *                         └─ codes 0 3 1 ... / values
 *
 * Ownership  The table owns everything in its arena.
 * Threads    One writer. Readers may use parts that were published to them (under the store's
 *            lock): a part and what it points to never changes; dictionaries only grow behind
 *            what a part can name.
 * Limits     MEMTABLE_ARENA_MAX; -1 when memory is out, and the table is as before.
 */
#include "event/batch.h"

#define MEMTABLE_ARENA_MAX (768 * MIB)

struct mem_entry {
    uint32_t hash;
    uint32_t code; /* + 1; 0: free */
};

/* What only the writer touches. */
struct mem_column {
    struct slice name;
    uint32_t index;
    bool plain;               /* too many different values: kept as they are */
    struct value *dict;       /* grown by copying: parts keep the place they were made with */
    uint32_t dict_count, dict_size;
    struct mem_entry *table;  /* open addressing */
    uint32_t table_size;
    uint64_t values_seen;
    uint64_t epoch;           /* names this dictionary in the process */
    uint64_t remap_epoch;     /* codes of the batches' dictionary to ours */
    uint32_t *remap;
    uint32_t remap_size;
};

struct mem_part_column {
    struct slice name;
    uint32_t index;            /* of the column in the table */
    uint32_t count;
    const uint32_t *rows;      /* NULL: one value for every row */
    const uint32_t *codes;     /* or NULL */
    const struct value *dict;
    uint32_t dict_count;
    uint64_t epoch;
    const struct value *values; /* when codes is NULL */
    uint16_t types_seen;
    bool multi;
};

struct mem_part {
    struct mem_part *next;
    uint32_t row_count;
    const int64_t *time_ns;
    const uint64_t *seq;
    int64_t time_min, time_max;
    struct mem_part_column *columns;
    uint32_t column_count;
};

struct memtable {
    struct arena *arena;
    struct slice stream;
    int64_t day;
    struct map by_name;
    struct mem_column **columns;
    uint32_t column_count, column_size;
    struct mem_part *first, *last;
    uint32_t part_count;
    uint64_t row_count;
    struct memtable *next; /* the list it is in */
};

/* Which rows of a batch, with their keys; row[i] ascending. */
struct mem_rows {
    const uint32_t *row;  /* batch rows; NULL: all of them */
    const int64_t *time_ns;
    const uint64_t *seq;  /* both parallel to row */
    uint32_t count;
};

/* A name for a dictionary, unique in the process. */
uint64_t memtable_next_epoch(void);

MUST_USE struct memtable *memtable_new(int64_t day, struct slice stream);
void memtable_free(struct memtable *table); /* NULL is fine */

/* The columns @timestamp and hinomi.seq are made from rows; those of the batch are not read. The
 * part is in the table but not yet visible to readers: NULL when memory is out. */
MUST_USE struct mem_part *memtable_append(struct memtable *table, const struct batch *batch,
                                          const struct mem_rows *rows);
