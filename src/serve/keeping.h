#pragma once
/*
 * serve/keeping: between the store's retention and state.db: the store is given the holds, and the audit
 * trail what retention took.
 *
 * The store notes every drop in its manifest, in the same replacement that drops it; from there the rows
 * of the trail are written, each once, also after a crash between the two. They are by "hinomi", via
 * "retention", action retention.drop, object STOREID/NUMBER.
 *
 * Until the holds have been read once the store drops nothing (store_config.await_holds).
 *
 * Threads  Any.
 */
#include "base/clock.h"
#include "state/keeps.h"
#include "store/store.h"

struct keeping;

struct keeping_config {
    struct database *database;
    struct store *store;
    const struct hin_clock *clock;
    void (*note)(void *context, const char *text); /* a sentence for people */
    void *context;
};

/* Reads the holds: without them a server does not start. Both outlive it. */
MUST_USE int keeping_open(const struct keeping_config *config, struct keeping **out,
                          struct err *err);
void keeping_close(struct keeping *keeping); /* NULL is fine */

/* The store has the holds of state.db when it returns 0. */
MUST_USE int keeping_apply(struct keeping *keeping, struct err *err);
/* Holds that a command has changed, and drops that are not in the trail; call it every second or so.
 * What fails is noted once and tried again. */
void keeping_tick(struct keeping *keeping);
