#pragma once
/*
 * app/demo_world: a synthetic exchange, minute by minute. The same seed gives the same world.
 *
 * Background: customers sign in, trade, deposit and withdraw (request, approval, signature, broadcast,
 * chain, confirmation), wallets report balances, hosts send heartbeats, staff use the network. Then one
 * night: a key host talks to the internet, its collector falls silent, and the hot wallet of one
 * asset is emptied by transfers that nobody signed. Shaped like January 2018; names, addresses and
 * amounts are invented.
 * Threads  One.
 */
#include "base/buffer.h"
#include "base/rand.h"
#include "event/decimal.h"

#include <stdint.h>

enum demo_story { DEMO_QUIET, DEMO_NIGHT };

struct demo_world;

/* A withdrawal that the exchange asks the gate about. */
struct demo_withdrawal {
    char id[24], account[16], asset[8], address[48];
    char amount[DECIMAL_TEXT_SIZE];
    int64_t at_ns;
};

struct demo_callbacks {
    /* One event, in time order: a JSON object. */
    void (*event)(void *context, int64_t time_ns, struct slice json);
    /* Whether the exchange may go on with a withdrawal; false: it stops here. */
    bool (*may_withdraw)(void *context, const struct demo_withdrawal *withdrawal);
    /* Something the audience should know. */
    void (*told)(void *context, int64_t time_ns, const char *en, const char *ja);
    void *context;
};

struct demo_world *demo_world_new(uint64_t seed, int64_t start_ns, const struct demo_callbacks *callbacks);
void demo_world_free(struct demo_world *world);
/* The night begins at this time of the world. */
void demo_world_set_night(struct demo_world *world, int64_t night_ns);
/* One more minute: gives its events. False when memory is out. */
bool demo_world_minute(struct demo_world *world);
int64_t demo_world_now(const struct demo_world *world);
