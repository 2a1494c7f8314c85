#pragma once
/*
 * schedule/own_search: a search that the program runs by itself, over the store and the lookup tables, with one thread.
 *
 * Ownership  What the struct points at outlives it; own_search_close() frees what begin made.
 * Threads    One; *stop may be set from any.
 */
#include "know/know.h"
#include "search/run.h"
#include "search/store_backend.h"
#include "store/store.h"

#include <stdatomic.h>

struct redecoder;
struct search_files;
struct table_backend;

struct own_search {
    /* set before own_search_begin() */
    struct store *store;
    const char *lookups;               /* folder of lookup tables */
    const struct search_files *files;  /* that commands read; NULL: none */
    const struct redecoder *redecoder; /* NULL: none */
    const struct knowledge *knowledge;
    const struct hin_clock *clock;     /* of the search: now() and its limit of time */
    const atomic_bool *stop;
    /* set by it */
    struct arena *query;
    struct table_backend *tables;
    struct store_backend backend;
    struct search *search;
};

/* Of options the text's person, bounds, zone, writer and limits count; backend, tables, clock and knowledge are set here. */
MUST_USE int own_search_begin(struct own_search *own, struct slice text, const struct search_options *options, struct err *err);
/* To the end; ERR_CANCELLED when *stop came before. */
MUST_USE int own_search_all(struct own_search *own, struct err *err);
void own_search_close(struct own_search *own);
