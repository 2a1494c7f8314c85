#pragma once
/*
 * serve/tails: live searches. Each has a thread that asks the rows that were stored since it asked last,
 * and sends those that pass as lines of JSON (docs/api.md). The pipeline knows nothing of them, and
 * nobody waits for a reader: what a slow one cannot take is counted and said.
 *
 * Ownership  tails_new to tails_free, behind tails_stop().
 * Threads    Any.
 * Limits     TAILS_MAX at once (ERR_LIMIT), TAIL_BYTES_MAX wait for each reader.
 */
#include "net/http_stream.h"
#include "serve/server.h"

struct tails;
struct tail;
struct zone;

MUST_USE struct tails *tails_new(const struct server_parts *parts);
/* Ends all of them; none begins any more. Before the loop of their readers stops. */
void tails_stop(struct tails *tails); /* NULL is fine */
void tails_free(struct tails *tails); /* NULL is fine */

/* Slices are copied. */
struct tail_request {
    struct slice query, owner;
    const struct zone *zone;      /* NULL: UTC */
    struct slice session, token;  /* what the reader signed in with: asked again now and then */
    struct slice peer;
};

/* Planned, from now on: what is stored is kept for it. ERR_CONFIG with start, end and suggestion for a
 * query that cannot run live. It is tails_run or tails_forget next. */
MUST_USE int tails_plan(struct tails *tails, const struct tail_request *request, struct tail **out,
                        struct err *err);
void tails_forget(struct tail *tail);
/* Takes the tail and the stream, which it ends. */
void tails_run(struct tail *tail, struct http_stream *stream);
