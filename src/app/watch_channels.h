#pragma once
/*
 * app/watch_channels: how `hinomi watch` tells people: the notifiers of a configuration, in their order, and a plain webhook.
 *
 *   the first telling: one after another until one takes it      a reminder and "back again": all that can be reached
 *
 * What nobody takes stays and is tried again, oldest first.
 *
 * Threads  One.
 * Limits   WATCH_MESSAGES_MAX messages that wait; then the oldest goes, which is said.
 */
#include "base/arena.h"
#include "base/err.h"

struct watch_channels;

/* What is told. Texts are borrowed. */
struct watch_news {
    const char *event; /* "down", "recovered", "test" */
    const char *state; /* "gone", "degraded", "ok" */
    struct slice url;  /* of the server */
    struct slice en, ja;
    int64_t since_ns;
    bool all; /* to all, not to the first that takes it */
};

/* config_path and webhook may be NULL. */
MUST_USE int watch_channels_open(const char *config_path, const char *webhook, struct watch_channels **out, struct err *err);
void watch_channels_close(struct watch_channels *channels); /* NULL is fine */
size_t watch_channels_count(const struct watch_channels *channels);
/* It waits until watch_channels_send(). */
void watch_channels_put(struct watch_channels *channels, const struct watch_news *news);
/* Tries what waits; says on standard error who took it or why not. How many still wait. */
size_t watch_channels_send(struct watch_channels *channels);
