#pragma once
/*
 * event/redecode: events that older decoders took are decoded again when they are read, so that a
 * corrected decoder holds for the past, too. What the search asks of the decoders, so that neither
 * room knows the other: flow/redecode.h answers, search/redecoded.h asks.
 *
 * Ownership  A redecoder outlives the redecodings that it begins.
 * Threads    A redecoder is shared and read-only; a redecoding belongs to one thread.
 */
#include "event/batch.h"

#include "base/err.h"

/* Events to decode again, told by hinomi.decoder (name@version). */
struct redecode_group {
    struct slice prefix;  /* "sshd@"; SLICE_NONE: nobody took them */
    struct slice current; /* "sshd@3" is as it should be; SLICE_NONE: no version is */
};

struct redecoding;

struct redecode_request {
    const struct batch *from;  /* with the columns of needs, as stored */
    const uint64_t *selected;  /* its rows that belong to a group */
    const struct slice *names; /* columns that are wanted, or NULL: all of the events' */
    size_t name_count;
};

struct redecoder {
    const struct redecode_group *groups;
    size_t group_count; /* 0: every stored event is as the decoders would have it */
    const char *const *needs; /* columns that next() reads */
    size_t need_count;
    /* NULL when memory is out. */
    struct redecoding *(*begin)(const struct redecoder *redecoder);
    void (*end)(struct redecoding *redecoding); /* NULL is fine */
    /* The next events of the request from *row on; *row moves behind them. What the decoders take now
     * has their fields instead, what they do not is as stored; the time that it is filed under stays.
     * *out has no rows when there are no more. It lives until the next call, and borrows from the
     * request's batch. */
    int (*next)(struct redecoding *redecoding, const struct redecode_request *request, uint32_t *row,
                const struct batch **out, struct err *err);
};
