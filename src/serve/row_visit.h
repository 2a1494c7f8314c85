#pragma once
/*
 * serve/row_visit: stored events that pass a filter, one after the other and about newest first, until a moment
 * that the caller names: for what the console shows of many events and a worker of the API answers itself.
 *
 * Threads  The caller's alone reads; nothing is kept.
 */
#include "event/batch.h"
#include "expr/expr.h"
#include "serve/server.h"

/* Where and how long is looked. */
struct looking {
    const struct server_parts *parts;
    struct arena *arena;
    int64_t from_ns, to_ns; /* of @timestamp; 0: no bound */
    int64_t until_ns;       /* of the clock that never goes back */
    bool late;              /* it was reached: what was found is not all */
};

/* Seconds from now. */
void looking_init(struct looking *looking, const struct server_parts *parts, struct arena *arena, int64_t seconds);
bool looking_is_late(struct looking *looking);

/* Of a field of the row that is text; SLICE_NONE when it has none. */
struct slice row_text(const struct batch *batch, uint32_t row, struct slice field);
int64_t row_time(const struct batch *batch, uint32_t row, struct slice field); /* 0: none */

/* Of those that pass filter, the events of one source: hinomi.source, log.source.address, log.file.path. An empty
 * text means that the event has none, SLICE_NONE any. NULL when memory is out. */
const struct expr *row_filter_source(struct arena *arena, const struct expr *filter, struct slice source,
                                     struct slice sender, struct slice path);

/* 1: enough, -1. */
typedef int (*row_visit)(void *context, const struct batch *batch, uint32_t row, struct err *err);
/* columns: what visit reads. Streams of the server itself (_*) are left out, as a search without an index does. */
MUST_USE int row_visit_each(struct looking *looking, const struct expr *filter, const struct slice *columns,
                            size_t column_count, row_visit visit, void *context, struct err *err);
