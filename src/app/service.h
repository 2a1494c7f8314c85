#pragma once
/*
 * app/service: the whole server: engine, state, collectors, respond, gate, API. `serve` runs it until
 * a signal; `demo` runs it beside a generator.
 */
#include "app/config.h"
#include "app/engine.h"
#include "app/state_copy.h"
#include "collect/collector_http.h"
#include "collect/collector_syslog.h"
#include "schedule/scheduler.h"
#include "search/search_files.h"
#include "serve/server.h"

struct service {
    struct config config; /* filled by the caller */
    /* set by service_start */
    struct engine engine;
    struct database *database;
    struct net_loop *ingest_loop, *api_loop;
    struct tls_context *tls;
    struct collector_http *hec;
    struct collector_syslog *syslog, *syslog_tls;
    struct respond *respond;
    struct gate *gate;
    struct keeping *keeping;
    struct knowing *knowing;
    struct scheduler *scheduler;
    char lookups[ENGINE_PATH_MAX]; /* the folder of lookup tables */
    struct search_files files;
    struct search_states states;
    struct arena *file_names; /* texts of files */
    struct server *server;
    struct sink sink;
    char setup_code[32]; /* "" when there is a user already */
    bool gate_told_healthy;
};

MUST_USE int service_start(struct service *service, struct err *err);
/* Looks after the gate's health; call every second or so. */
void service_tick(struct service *service);
/* Reads the gate's policy again (SIGHUP). */
void service_reload(struct service *service);
/* Everything acknowledged is durable and sealed when it returns. */
void service_stop(struct service *service);
/* Says on the terminal where it listens, the fingerprint and the setup code. */
void service_print(const struct service *service);
