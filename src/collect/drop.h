#pragma once
/*
 * collect/drop: events that were sent to an input and could not be kept, as an event of its own: it goes through the
 * journal, so the books know of it after a crash too, and people can search for it (event.dataset hinomi.drop).
 *
 * Threads any.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "event/delivery.h"

/* hinomi.source of these deliveries; no input can have it. */
#define DROP_SOURCE SLICE("hinomi.drop")

enum drop_place {
    DROP_KERNEL, /* the socket's buffer was full */
    DROP_QUEUE,  /* the journal had no room */
    DROP_PARSE,  /* it was no message: damaged, or only a part came */
    DROP_PLACES
};
const char *drop_place_name(enum drop_place place); /* "kernel", ... */

struct drop {
    struct slice source; /* hinomi.source of the input */
    enum drop_place place;
    uint64_t events;
};

/* One line, without its end. */
void drop_write(const struct drop *drop, int64_t time_ns, struct buffer *to);
/* What drop_write() wrote; the source lives in the arena or the line. */
MUST_USE int drop_read(struct slice line, struct arena *arena, struct drop *out, struct err *err);
