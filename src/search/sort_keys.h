#pragma once
/*
 * search/sort_keys: the order of sort, dedup's sortby and the newest-first order of events.
 * Stable; missing values come last whatever the direction.
 */
#include "search/stage.h"

enum sort_kind { SORT_AUTO, SORT_NUMBER, SORT_TEXT, SORT_IP };

struct sort_key {
    struct slice field;
    enum sort_kind kind;
    bool descending;
};

struct sort_keys {
    const struct sort_key *keys;
    size_t count;
};

/* [+|-]field, num(field), str(field) ... up to the end or a stop word. */
MUST_USE int spl_take_sort_keys(struct spl_parser *p, const char *const *stops,
                                struct sort_keys *out);
/* The order of all rows of batch, in arena. */
MUST_USE int sort_rows(const struct sort_keys *keys, const struct batch *batch, struct arena *arena,
                       uint32_t **order);

/* Bytes that it needs for so many rows. */
size_t sort_rows_bytes(const struct sort_keys *keys, uint64_t rows);

/* The same in steps, for rows of several batches: what the keys of each row say, in arena, borrowing
 * the batch's values. */
struct sort_cell;
MUST_USE const struct sort_cell *sort_cells(const struct sort_keys *keys, const struct batch *batch,
                                            struct arena *arena);
const struct sort_cell *sort_cell_at(const struct sort_keys *keys, const struct sort_cell *cells,
                                     uint32_t row);
/* Of two rows' cells; 0: the order they came in decides. */
int sort_compare(const struct sort_keys *keys, const struct sort_cell *a,
                 const struct sort_cell *b);
