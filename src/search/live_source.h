#pragma once
/*
 * search/live_source: what is stored from now on as a source of rows without an end, each row once, in
 * order of hinomi.seq (store/store_tail.h). When nothing new comes, next() gives an empty batch after
 * TAIL_POLL_MS, so that who runs the search can look after other things.
 *
 * Ownership  open to close; its one search is freed before.
 * Threads    One.
 * Limits     MEMORY_QUERY_MAX for reading, as any search.
 */
#include "search/store_backend.h"

struct live_source {
    struct store_backend from;
    struct search_backend backend; /* can be opened once */
    uint64_t rows_seen;    /* that the search has looked at */
    uint64_t rows_skipped; /* that it came too late for */
};

void live_source_init(struct live_source *live, struct store *store, const struct hin_clock *clock);
