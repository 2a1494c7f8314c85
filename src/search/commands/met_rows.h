#pragma once
/*
 * search/commands/met_rows: rows met by rows of a table or a subsearch, by equal fields; lookup
 * and join.
 */
#include "search/group.h"
#include "search/hold.h"

struct field_pair {
    struct slice theirs, ours;
};

/* The other side: its rows by key. */
struct met {
    struct batch *rows;
    struct grouper groups;
    uint32_t *first;    /* by group: row, or GROUP_NONE */
    uint32_t *next;     /* by row */
    struct slice *ours; /* names of the keys on our side */
};

/* Sorts met->rows by their names of the keys. */
int met_index(struct run *run, struct met *met, const struct field_pair *keys, size_t count,
              struct err *err);
/* first[row]: the first of their rows that each of ours meets, GROUP_NONE for none; the next is
 * met->next[it]. */
int met_rows(struct stage *op, struct met *met, const struct frame *frame, uint32_t *first,
             struct err *err);
bool met_is_key(const struct field_pair *keys, size_t count, struct slice theirs);
