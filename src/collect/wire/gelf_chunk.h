#pragma once
/*
 * collect/gelf_chunk: GELF datagrams into messages.
 *
 *   1e 0f | message id (8) | number (1) | count (1) | bytes      a chunk; anything else is a message by itself
 *
 * Chunks of one sender and id are put together in the order of their numbers, whatever order they come in; a chunk that
 * comes twice counts once. A message is then unpacked (gzip, zlib, zstd, told by its first bytes); one that cannot be
 * is given as it came.
 *
 * Source     Graylog, "GELF via UDP": at most 128 chunks, 5 seconds for all of a message.
 * Ownership  A message given is valid until the next call.
 * Threads    One at a time.
 * Limits     GELF_WAIT_MS, GELF_WAITING_MAX messages and GELF_WAITING_BYTES_MAX bytes that wait for chunks: the oldest
 *            are given up first. GELF_UNPACKED_BYTES_MAX of a message.
 */
#include "base/buffer.h"

struct gelf_chunks;

enum { GELF_CHUNKS_MAX = 128 };

MUST_USE struct gelf_chunks *gelf_chunks_new(void); /* NULL when memory is out */
void gelf_chunks_free(struct gelf_chunks *chunks);  /* NULL is fine */

enum gelf_datagram {
    GELF_MESSAGE, /* *message is whole */
    GELF_WAITS,   /* a chunk; others are missing */
    GELF_BROKEN,  /* a chunk that is none: a number beyond its count, too many, too short */
};
enum gelf_datagram gelf_chunks_take(struct gelf_chunks *chunks, struct slice datagram, struct slice peer, int64_t now_ns,
                                    struct slice *message);
/* Gives up what waits too long. */
void gelf_chunks_expire(struct gelf_chunks *chunks, int64_t now_ns);
/* Messages given up, so far. */
uint64_t gelf_chunks_lost(const struct gelf_chunks *chunks);
uint32_t gelf_chunks_waiting(const struct gelf_chunks *chunks);
