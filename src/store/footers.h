#pragma once
/*
 * store/footers: the footers of a store's segments that were read last stay in memory, so that a
 * search reads of a file only what it asks for.
 *
 * Threads  Any.
 * Limits   STORE_FOOTERS_BYTES; the one used longest ago goes first.
 */
#include "base/err.h"

#include <pthread.h>
#include <stddef.h>

struct segment;
struct store_segment;

struct footers {
    pthread_mutex_t lock;
    struct store_segment *newest, *oldest; /* those that have one, in order of use */
    size_t bytes;
};

void footers_init(struct footers *footers);
void footers_close(struct footers *footers); /* when no segment is left */

/* segment_open() of a segment of the store; the caller holds it. */
MUST_USE int footers_open(struct store_segment *from, struct segment **out, struct err *err);
/* The segment goes. */
void footers_forget(struct store_segment *segment);
