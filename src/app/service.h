#pragma once
/*
 * app/service: the whole server: engine, state, collectors, respond, gate, API. `serve` runs it until
 * a signal; `demo` runs it beside a generator.
 */
#include "app/collecting.h"
#include "app/config.h"
#include "app/engine.h"
#include "app/health_look.h"
#include "app/state_copy.h"
#include "flow/intake.h"
#include "respond/act/playbook.h"
#include "schedule/asker.h"
#include "schedule/scheduler.h"
#include "search/search_files.h"
#include "serve/server.h"

enum { SERVICE_LINK_SIZE = 512 };

struct service {
    struct config config;    /* filled by the caller */
    const struct hin_net *net; /* of notifiers; NULL: the machine's */
    const char *config_path; /* that it was read from; NULL: none */
    /* set by service_start */
    struct engine engine;
    struct database *database;
    struct net_loop *api_loop;
    struct tls_context *tls;
    struct intake *intake;
    struct collecting *collecting;
    struct respond *respond;
    struct mailbox *mailbox; /* NULL: none */
    struct arena *book_texts; /* of the playbooks */
    struct playbooks playbooks;
    struct act *act;
    struct gate *gate;
    struct gate_teller *gate_teller;
    struct keeping *keeping;
    struct knowing *knowing;
    struct scheduler *scheduler;
    struct asker *asker;
    struct arena *question_texts;
    struct questions questions;
    char lookups[ENGINE_PATH_MAX]; /* the folder of lookup tables */
    struct search_files files;
    struct search_states states;
    struct arena *calendars;  /* of the engine's week and the waking plan */
    const struct calendars *calendar_list;
    char link[SERVICE_LINK_SIZE]; /* where people open the console */
    struct arena *file_names; /* texts of files */
    struct cosigner *cosigner; /* NULL: none */
    struct server *server;
    struct gate_socket *gate_socket; /* NULL: off */
    struct sink sink;
    struct health health;
    struct health_look look;
    char cert[ENGINE_PATH_MAX], key[ENGINE_PATH_MAX]; /* PEM files */
    char setup_code[32]; /* "" when there is a user already */
    bool gate_told_healthy;
};

MUST_USE int service_start(struct service *service, struct err *err);
/* Looks after the gate's health; call every second or so. */
void service_tick(struct service *service);
/* Reads the gate's policy, the rules and the collectors of the configuration again (SIGHUP). */
void service_reload(struct service *service);
/* Everything acknowledged is durable and sealed when it returns. */
void service_stop(struct service *service);
/* Says on the terminal where it listens, the fingerprint and the setup code. */
void service_print(const struct service *service);
