#pragma once
/*
 * search/commands/stored: what is stored, asked beside the rows of the search; eventcount, metadata,
 * dbinspect, typeahead.
 */
#include "search/rows.h"

/* Stored parts whose index is one of the patterns (none: all but internal ones, _*). */
MUST_USE int stored_pieces(struct run *run, const struct field_list *indexes,
                           struct search_piece **out, size_t *count, struct err *err);

struct stored_scan {
    const struct slice *columns; /* NULL: all */
    size_t column_count;
    const struct field_list *indexes;
    bool newest_first;
};
/* Rows of the search's time range, batch by batch. visit: 1 enough, -1. */
MUST_USE int stored_rows(struct run *run, const struct stored_scan *scan,
                         int (*visit)(void *context, const struct frame *frame, struct err *err),
                         void *context, struct err *err);
/* All options that stand here; index is one of args, and each of its values (index=a index=b, or index=a,b)
 * goes to indexes. With commas these may stand between options. */
MUST_USE int stored_take_options(struct spl_parser *p, void *args, struct slice *index,
                                 struct field_list *indexes, bool commas);
