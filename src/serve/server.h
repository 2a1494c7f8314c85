#pragma once
/*
 * serve/server: the API under /v1 and the console's files, on one port.
 *
 * The loop's thread only hands requests to a queue; a few workers answer them,
 * so that nothing slow stops the listener. Every route declares its method,
 * path and role in routes.def; what is not declared does not exist.
 * Threads    start makes the workers; stop ends them before the loop may stop.
 */
#include "base/clock.h"
#include "detect/rule.h"
#include "flow/pipeline.h"
#include "gate/gate.h"
#include "net/http.h"
#include "respond/respond.h"
#include "schedule/asker.h"
#include "schedule/scheduler.h"
#include "serve/keeping.h"
#include "serve/knowing.h"
#include "state/tokens.h"
#include "state/users.h"
#include "store/store.h"

struct server;
struct zone;

/* What the routes speak about; all outlive the server. */
struct decoders; /* decode/registry.h */
struct redecoder;
struct search_files;

struct health;
struct act; /* respond/act/act.h */
struct cosigner; /* serve/cosigner.h */
struct gate_webhooks; /* serve/gate_webhook.h */

struct server_parts {
    struct database *database;
    struct journal *journal;
    struct store *store;
    struct pipeline *pipeline;
    struct respond *respond;
    struct act *act;
    struct gate *gate;
    const struct cosigner *cosigner; /* NULL: none is configured */
    const struct gate_webhooks *webhooks;
    struct keeping *keeping;
    struct knowing *knowing;
    struct scheduler *scheduler;
    struct asker *asker;
    struct sources *sources; /* NULL: nothing is learned of who sends */
    const char *lookups; /* folder of lookup tables */
    const struct hin_clock *clock;
    const struct zone *zone; /* of searches that name none; NULL: UTC */
    const struct search_files *files; /* beside the events; NULL: none */
    const struct redecoder *redecoder; /* for searches; NULL: none */
    const struct decoders *decoders;
    struct health *health;
    const char *setup_code; /* while there is no user; NULL when there is one */
};

struct server_config {
    struct server_parts parts;
    const char *address;
    uint16_t port;
    struct tls_context *tls;
    const char *const *hosts; /* names people use for this server, NULL-terminated; may be NULL */
};

MUST_USE int server_start(struct net_loop *loop, const struct server_config *config,
                          struct server **out, struct err *err);
uint16_t server_port(const struct server *server);
/* Answers nothing any more. Call before net_loop_stop(), then server_free(). */
void server_stop(struct server *server);
void server_free(struct server *server);
