#pragma once
/*
 * app/collecting: the collectors of the configuration at work: opened, counted, changed without touching those that
 * stay as they are, and ended so that everything they took is answered first.
 *
 * Ownership  Settings live in arenas that are handed over with them; each is freed with the last collector that uses it.
 * Threads    collecting_counts() any; the rest one.
 */
#include "collect/collector.h"

struct collecting;

struct collecting_config {
    const struct sink *sink;
    struct collector_host host; /* loop and sink are set for each collector */
};

/* What is known of one input. */
struct collecting_counts {
    struct slice name, kind; /* as long as the collecting; of the settings */
    uint64_t events, bytes;  /* taken by the sink */
    int64_t last_ns;         /* of the last event; 0: none yet */
    struct collector_counts own;
};

/* With none yet. */
MUST_USE int collecting_open(const struct collecting_config *config, struct collecting **out, struct err *err);
/* These, and no others, run from now on: those written as before go on as they are, with their connections. The
 * arena goes with the settings, whatever happens; NULL: they outlive all this. On failure all the others run as they should, err says what was the first that does not. */
MUST_USE int collecting_change(struct collecting *collecting, const struct collector_settings *settings, size_t count,
                               struct arena *arena, struct err *err);
/* Visits each under the lock. */
void collecting_each(struct collecting *collecting, void (*visit)(void *context, const struct collecting_counts *counts),
                     void *context);
/* Lets the books know what was lost on arrival since the last time; call it every second or so. */
void collecting_tick(struct collecting *collecting);
uint16_t collecting_port(struct collecting *collecting, const char *name); /* 0: there is none */
/* Ends all; what they gave the sink has been answered. */
void collecting_close(struct collecting *collecting); /* NULL is fine */
