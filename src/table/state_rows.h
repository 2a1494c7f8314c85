#pragma once
/*
 * table/state_rows: the rows of one state table, by key; for table/state only.
 *
 *   slots [hash 32 | name 32] ...    ->    slab: touched | sizes | key | cells
 *   cells: (field's index, 1 byte | varint length | bytes) ... by ascending index
 *
 * Ownership  rows_close() frees everything; a row stays where it is until it is put again or another is put.
 * Threads    One at a time.
 * Limits     entries_max of the call; beyond, the row that was touched longest ago of a sample goes, counted.
 */
#include "base/buffer.h"
#include "table/slab.h"

struct slot {
    uint32_t hash;
    uint32_t name; /* in the slab; 0: free */
};

struct row {
    int64_t touched_ns;
    uint32_t cells_len;
    uint16_t key_len;
    char bytes[]; /* the key, then the cells */
};

struct rows {
    struct slab slab;
    struct slot *slots; /* open addressing */
    size_t size, count;
    size_t sample; /* walks on, for eviction */
    uint64_t evicted;
    uint64_t saved_bytes; /* that rows_save() writes */
};

static inline struct slice row_key(const struct row *row)
{
    return (struct slice){row->bytes, row->key_len};
}

static inline struct slice row_cells(const struct row *row)
{
    return (struct slice){row->bytes + row->key_len, row->cells_len};
}

/* Zeroed rows are empty. */
void rows_close(struct rows *rows);
/* Room for so many, before many are put. */
MUST_USE int rows_reserve(struct rows *rows, size_t count);

uint64_t rows_hash(struct slice key);
/* Asks the processor for what rows_find() will look at. */
void rows_prefetch(const struct rows *rows, uint64_t hash);
/* NULL: none. */
const struct row *rows_find(const struct rows *rows, struct slice key, uint64_t hash);
/* Makes the row or replaces its cells; the time it was touched only grows. cells lie elsewhere. */
MUST_USE int rows_put(struct rows *rows, struct slice key, uint64_t hash, int64_t touched_ns, struct slice cells,
                      uint64_t entries_max);
/* In no particular order: start with *at = 0; NULL at the end. */
const struct row *rows_next(const struct rows *rows, size_t *at);

/* Every row: when it was touched, 8 bytes, its key and its cells. */
void rows_save(const struct rows *rows, struct buffer *to);

/* The next cell of a row's; false at the end, or where the bytes are no cells. */
bool cells_next(struct slice *cells, uint32_t *field, struct slice *cell);
