#pragma once
/*
 * search/store_backend: the store as a search's backend. Each open takes a snapshot, so a search
 * sees the same events from its first to its last batch.
 *
 * Threads  Any number of searches at once.
 */
#include "search/source.h"
#include "store/scan.h"

struct store_backend {
    struct search_backend backend;
    struct store *store;
    const struct hin_clock *clock;
    const atomic_bool *cancel; /* of one search; NULL when the backend serves several */
    uint32_t threads;          /* that read for one search; store_backend_init: one a processor */
    bool damaged; /* a source that was closed had rows that cannot be read; a search tells how many */
    size_t memory_max; /* for reading blocks; 0: as the search says */
};

/* What a search asks, as the store is asked; what it needs beyond the request lives in the arena. */
MUST_USE int store_backend_scan(const struct store_backend *backend,
                                const struct search_request *request, struct arena *arena,
                                struct scan_request *out, struct err *err);
void store_backend_init(struct store_backend *backend, struct store *store,
                        const struct hin_clock *clock, const atomic_bool *cancel);
