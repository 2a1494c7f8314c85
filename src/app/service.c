#include "app/service.h"

#include "base/io.h"

#include "app/gate_events.h"
#include "app/gate_teller.h"
#include "app/stop_cap.h"
#include "app/waking_events.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/zone.h"
#include "decode/line_rule.h"
#include "net/http_client.h"
#include "respond/act/act.h"
#include "state/audit.h"
#include "net/tls.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_ROOM = 4400, SETTLE_STILL_S = 30, SETTLE_BRIEFLY_MS = 1000 };
#define LAG_HEALTHY_NS (5 * NS_PER_SECOND)

static const char *data_path(const struct service *service, const char *name, char *to)
{
    snprintf(to, PATH_ROOM, "%.4000s/%s", service->config.dir, name);
    return to;
}

/* ---- what collectors ask ---- */

static int take_delivery(void *context, const struct delivery *delivery, sink_done done,
                         void *done_context, struct err *err)
{
    struct service *service = context;
    return intake_take(service->intake, delivery, done, done_context, err);
}

static enum authorise_result authorise(void *context, struct slice token, struct slice peer,
                                       struct arena *arena, struct ingest_grant *out)
{
    struct service *service = context;
    struct token found;
    if (tokens_find(service->database, clock_real(), token, peer, arena, &found, NULL) < 0 ||
        !slice_is(found.kind, "hec"))
        return AUTHORISE_UNKNOWN;
    *out = (struct ingest_grant){.id = found.id, .stream = found.stream, .dataset = found.dataset,
                                 .zone = found.zone, .events_per_second = (uint64_t)found.events_per_second};
    return AUTHORISE_OK;
}

/* ---- what passes on from the pipeline ---- */

/* The rule has stopped as many accounts as it may. */
static void tell_of_cap(struct service *service, const struct finding *finding, struct slice by, int64_t now_ns)
{
    static const struct respond_texts none = {0};
    struct finding told;
    struct arena *arena = arena_new(MIB);
    if (arena && stop_cap_finding(finding, by, now_ns, arena, &told))
        respond_finding(service->respond, &told, &none);
    else
        engine_note(service, "a rule may stop no further account, and memory is out to say which");
    arena_free(arena);
}

/* What a rule wants held is stopped at once, before anybody is told. */
static void stop_for(struct service *service, const struct finding *finding, const struct entity *hold)
{
    struct err err;
    char text[ERR_TEXT_SIZE + 128];
    struct gate_stop_order order = {.scope = hold->type, .target = hold->value, .cause = slice_text(finding->id),
                                    .by = finding->catalogue.len ? finding->catalogue : SLICE("a rule"),
                                    .reason = finding->explanation_en};
    int64_t now_ns = clock_wall_ns(clock_real());
    if (slice_is(hold->type, "account") && !stop_cap_has_room(service->gate, order.by, now_ns)) {
        tell_of_cap(service, finding, order.by, now_ns);
        return;
    }
    if (gate_stop_set(service->gate, &order, NULL, NULL, &err) == 0)
        return;
    snprintf(text, sizeof(text), "%.*s could not be stopped: %s", SLICE_ARG(hold->type), err.text);
    engine_note(service, text);
}

static void on_found(void *context, const struct finding *finding, const struct rule *rule)
{
    struct service *service = context;
    struct respond_texts texts = {rule->why_en,   rule->why_ja, rule->check_en,
                                  rule->check_ja, rule->do_en,  rule->do_ja};
    for (size_t i = 0; i < finding->hold_count; i++)
        stop_for(service, finding, &finding->holds[i]);
    respond_finding(service->respond, finding, &texts);
}

static void on_passed(void *context, const struct batch *batch)
{
    struct service *service = context;
    gate_observe(service->gate, batch);
}

static void on_incident(void *context, struct slice incident_id, enum severity severity, bool open,
                        const struct entity *entities, size_t entity_count)
{
    struct service *service = context;
    if (service->gate)
        gate_incident(service->gate, incident_id, severity, open, entities, entity_count);
    asker_wake(service->asker);
}

/* ---- starting ---- */

static int open_tls(struct service *service, struct err *err)
{
    char dir[PATH_ROOM], host[256] = "localhost";
    bool own = service->config.cert && service->config.key;
    snprintf(service->cert, sizeof(service->cert), "%s", own ? service->config.cert : data_path(service, "tls/cert.pem", dir));
    snprintf(service->key, sizeof(service->key), "%s", own ? service->config.key : data_path(service, "tls/key.pem", dir));
    gethostname(host, sizeof(host) - 1);
    if (!own && (io_make_dirs(io_real(), data_path(service, "tls", dir), err) < 0 ||
                 tls_make_self_signed(service->cert, service->key, host, err) < 0))
        return -1;
    return tls_server_new(service->cert, service->key, NULL, &service->tls, err);
}

static int open_state(struct service *service, struct err *err)
{
    char path[PATH_ROOM];
    int64_t users;
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium cannot start");
    if (database_open(data_path(service, "state.db", path), &service->database, err) < 0 ||
        users_count(service->database, &users, err) < 0)
        return -1;
    if (users == 0) { /* 8 letters without those that look alike; only on this terminal */
        static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        for (int i = 0; i < 9; i++)
            service->setup_code[i] =
                i == 4 ? '-' : letters[rand_below(rand_real(), sizeof(letters) - 1)];
    }
    return 0;
}

static int open_keeping(struct service *service, struct err *err)
{
    struct keeping_config config = {.database = service->database, .store = service->engine.store,
                                    .clock = clock_real(), .note = engine_note};
    return keeping_open(&config, &service->keeping, err);
}

static int open_knowing(struct service *service, struct err *err)
{
    char shipped[PATH_ROOM], folder[PATH_ROOM];
    snprintf(shipped, sizeof(shipped), "%s", cli_content("search"));
    struct knowing_config config = {.database = service->database,
                                    .shipped = shipped,
                                    .folder = data_path(service, "content/search", folder),
                                    .note = engine_note};
    return knowing_open(&config, &service->knowing, err);
}

/* Where people open the console: as the configuration says, else by the first of its names. */
static struct slice link_of(const struct config *config, char to[SERVICE_LINK_SIZE])
{
    bool plain = config_is_loopback(config->api.address) || config->api.plaintext;
    if (config->link)
        snprintf(to, SERVICE_LINK_SIZE, "%s", config->link);
    else
        snprintf(to, SERVICE_LINK_SIZE, "%s://%s:%u", plain ? "http" : "https",
                 config->hosts[0] ? config->hosts[0] : config->api.address, config->api.port);
    return slice_text(to);
}

static int start_mailbox(struct service *service, struct err *err)
{
    struct mailbox_config *config = &service->config.mailbox; /* the mailbox borrows it */
    if (!config->url.len)
        return 0;
    config->reply = waking_reply;
    config->note = engine_note;
    config->context = service;
    return mailbox_start(config, &service->mailbox, err);
}

static int start_actions(struct service *service, struct err *err)
{
    char own[PATH_ROOM];
    service->book_texts = arena_new(16 * MIB);
    if (!service->book_texts)
        return err_nomem(err);
    if (playbooks_load(cli_content("playbooks"), data_path(service, "content/playbooks", own), service->book_texts, &service->playbooks,
                       err) < 0)
        return -1;
    const struct act_config act = {.database = service->database, .clock = clock_real(), .actions = service->config.actions,
                                   .count = service->config.action_count, .playbooks = &service->playbooks, .note = engine_note};
    return act_start(&act, &service->act, err);
}

static void on_committed(void *context, uint64_t number)
{
    struct service *service = context;
    gate_teller_committed(service->gate_teller, number);
}

/* That the configuration overrides what the policy's file says of enforcing is in the trail of each start. */
static int audit_gate_mode(struct service *service, struct err *err)
{
    const struct audit_row row = {.actor = SLICE("configuration"), .via = SLICE("start"), .peer = SLICE(""),
                                  .action = SLICE("gate.mode"), .object = slice_text(gate_mode_name(service->config.gate_mode)),
                                  .detail = SLICE("gate_mode is stronger than the policy's file"), .result = SLICE("ok")};
    return service->config.gate_mode == GATE_MODE_POLICY ? 0 : audit_add(service->database, clock_real(), &row, err);
}

static int start_respond_and_gate(struct service *service, struct err *err)
{
    char dir[PATH_ROOM], policy[PATH_ROOM], assets[PATH_ROOM];
    snprintf(policy, sizeof(policy), "%s",
             service->config.policy ? service->config.policy : cli_content("policy/default.yaml"));
    struct gate_config gate = {.dir = data_path(service, "gate", dir),
                               .policy_path = policy,
                               .policy_owner = service->config.has_policy_owner ? service->config.policy_owner : NULL,
                               .mode = service->config.gate_mode,
                               .state = service->engine.book->state,
                               .state_snapshot = engine_state(&service->engine),
                               .clock = clock_real(),
                               .committed = on_committed,
                               .approved = gate_events_approved,
                               .policy_read = gate_events_policy,
                               .stopped = gate_events_stopped,
                               .note = engine_note,
                               .context = service};
    struct respond_config respond = {.database = service->database,
                                     .clock = clock_real(),
                                     .notifiers = service->config.notifiers,
                                     .notifier_count = service->config.notifier_count,
                                     .calendars = service->calendar_list,
                                     .link = link_of(&service->config, service->link),
                                     .plan_from_file = service->config.waking != NULL,
                                     .assets = slice_text(data_path(service, "lookups/assets.csv", assets)),
                                     .net = service->net,
                                     .changed = on_incident,
                                     .tighten = waking_tighten,
                                     .begin_playbook = waking_begin_playbook,
                                     .event = waking_events_add,
                                     .note = engine_note,
                                     .context = service};
    service->asker = asker_open();
    if (!service->asker)
        return err_nomem(err);
    if (audit_gate_mode(service, err) < 0)
        return -1;
    return gate_teller_new(service, &service->gate_teller, err) < 0 || gate_start(&gate, &service->gate, err) < 0 ||
                   respond_start(&respond, &service->respond, err) < 0
               ? -1
           : waking_read_plan(service, err) < 0 || start_mailbox(service, err) < 0 ? -1
                                                                                   : start_actions(service, err);
}

static struct slice cursor_of(void *context, struct slice source, struct slice path, struct arena *arena)
{
    struct service *service = context;
    return journal_cursor(service->engine.journal, source, path, arena);
}

static bool line_rule(void *context, struct slice dataset, struct slice head, struct line_join *out)
{
    struct service *service = context;
    return decoders_line_rule(service->engine.decoders, dataset, head, out);
}

static int open_collectors(struct service *service, struct err *err)
{
    const struct config *config = &service->config;
    struct intake_config intake = {service->engine.journal, service->engine.pipeline, service->engine.caught_up_at,
                                   clock_real()};
    service->sink = (struct sink){take_delivery, service, clock_real()};
    struct collecting_config collecting = {
        .sink = &service->sink,
        .host = {.net = net_real(), .data_dir = config->dir, .cert = service->cert, .key = service->key,
                 .cursor = cursor_of, .authorise = authorise, .line_rule = line_rule, .note = engine_note,
                 .context = service}};
    return intake_start(&intake, &service->intake, err) < 0 || collecting_open(&collecting, &service->collecting, err) < 0
               ? -1
               : collecting_change(service->collecting, config->collect, config->collect_count, NULL, err);
}

/* Who must be heard, and what is done about clocks. */
static int tell_sources(struct service *service, const struct config *config, struct arena *arena, struct err *err)
{
    struct source_clock *clocks = arena_array(arena, config->collect_count + 1, sizeof(*clocks));
    if (!clocks)
        return err_nomem(err);
    for (size_t i = 0; i < config->collect_count; i++)
        clocks[i] = (struct source_clock){config->collect[i].name,
                                          slice_is(config->collect[i].clock_skew, "correct") ? CLOCK_CORRECTED
                                          : slice_is(config->collect[i].clock_skew, "off")   ? CLOCK_IGNORED
                                                                                             : CLOCK_SHOWN};
    return sources_heartbeats(service->engine.sources, config->heartbeats, config->heartbeat_count, err) < 0
               ? -1
               : sources_clocks(service->engine.sources, clocks, config->collect_count, err);
}

/* Of the configuration only the collectors can change while it runs. */
static int reload_collectors(struct service *service, struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    struct config *again = arena ? arena_alloc(arena, sizeof(*again)) : NULL;
    if (again)
        config_defaults(again);
    if (again && config_read(service->config_path, arena, again, err) == 0 &&
        tell_sources(service, again, arena, err) == 0)
        return collecting_change(service->collecting, again->collect, again->collect_count, arena, err);
    arena_free(arena);
    return again ? -1 : err_nomem(err);
}

/* What searches find beside the store: CSV files, and the places of addresses. */
static int find_files(struct service *service, struct err *err)
{
    const struct config *config = &service->config;
    service->file_names = arena_new(MIB);
    if (!service->file_names)
        return err_nomem(err);
    if (search_files_find(config->dir, service->file_names, &service->files, err) < 0)
        return -1;
    if (state_copy_init(&service->states, service->engine.book->state, service->file_names, err) < 0)
        return -1;
    service->files.states = &service->states;
    if (config->geoip)
        service->files.geoip = config->geoip;
    if (config->geoip && access(config->geoip, R_OK) != 0)
        return err_set(err, ERR_CONFIG, "geoip: %s cannot be read", config->geoip);
    return 0;
}

/* ---- searches that run by themselves ---- */

static struct knowledge *hold_knowledge(void *context)
{
    struct service *service = context;
    return knowing_hold(service->knowing);
}

/* The pipeline has what the journal has; as long as it comes nearer there is a reason to wait. */
static bool settle(void *context, const atomic_bool *stop)
{
    struct service *service = context;
    struct journal_stats stats;
    uint64_t before = 0;
    journal_stats(service->engine.journal, &stats);
    for (int still = 0; still < SETTLE_STILL_S * 10 && !atomic_load(stop); still++) {
        if (pipeline_wait(service->engine.pipeline, stats.position, 100))
            return true;
        uint64_t position = pipeline_counts(service->engine.pipeline).position;
        still = position > before ? 0 : still;
        before = position;
    }
    return false;
}

static bool file_findings(void *context, const struct finding *findings, size_t count,
                          const atomic_bool *stop)
{
    struct service *service = context;
    static const struct respond_texts none = {0};
    for (size_t i = 0; i < count; i++)
        respond_finding(service->respond, &findings[i], &none);
    uint64_t mark = respond_mark(service->respond);
    while (!respond_reached(service->respond, mark, 100))
        if (atomic_load(stop))
            return false;
    return true;
}

static int start_scheduler(struct service *service, struct err *err)
{
    struct scheduler_config config = {
        .parts = {.store = service->engine.store, .journal = service->engine.journal,
                  .database = service->database,
                  .lookups = data_path(service, "lookups", service->lookups),
                  .files = &service->files, .redecoder = redecode_get(service->engine.redecode),
                  .clock = clock_real()},
        .knowledge = hold_knowledge, .settle = settle, .file = file_findings, .note = engine_note,
        .context = service};
    return find_files(service, err) < 0 ? -1 : scheduler_start(&config, &service->scheduler, err);
}

/* ---- what incidents are asked ---- */

static void settle_briefly(void *context)
{
    struct service *service = context;
    struct journal_stats stats;
    journal_stats(service->engine.journal, &stats);
    (void)pipeline_wait(service->engine.pipeline, stats.position, SETTLE_BRIEFLY_MS); /* what is not there yet is not counted */
}

/* The scheduler has found the files. */
static int start_asker(struct service *service, struct err *err)
{
    char own[PATH_ROOM];
    service->question_texts = arena_new(64 * MIB);
    if (!service->question_texts)
        return err_nomem(err);
    if (questions_load(cli_content("questions"), data_path(service, "content/questions", own), service->question_texts,
                       &service->questions, err) < 0)
        return -1;
    struct asker_config config = {
        .parts = {.store = service->engine.store, .journal = service->engine.journal, .database = service->database,
                  .lookups = service->lookups, .files = &service->files, .redecoder = redecode_get(service->engine.redecode),
                  .clock = clock_real()},
        .questions = &service->questions, .knowledge = hold_knowledge, .settle = settle_briefly, .note = engine_note,
        .context = service};
    return asker_start(service->asker, &config, err);
}

static int open_server(struct service *service, struct err *err)
{
    const struct config *config = &service->config;
    bool plain = config_is_loopback(config->api.address) || config->api.plaintext;
    if (config->cosigner.key_count && cosigner_open(&config->cosigner, &service->cosigner, err) < 0)
        return -1;
    struct server_config server = {
        .parts = {.database = service->database,
                  .journal = service->engine.journal,
                  .store = service->engine.store,
                  .pipeline = service->engine.pipeline,
                  .respond = service->respond,
                  .act = service->act,
                  .gate = service->gate,
                  .cosigner = service->cosigner,
                  .webhooks = &config->webhooks,
                  .keeping = service->keeping,
                  .knowing = service->knowing,
                  .scheduler = service->scheduler,
                  .asker = service->asker,
                  .sources = service->engine.sources,
                  .lookups = service->lookups,
                  .files = &service->files,
                  .redecoder = redecode_get(service->engine.redecode),
                  .decoders = service->engine.decoders,
                  .clock = clock_real(),
                  .health = &service->health,
                  .zone = config->time_zone ? zone_find(slice_text(config->time_zone)) : NULL,
                  .setup_code = service->setup_code[0] ? service->setup_code : NULL},
        .address = config->api.address,
        .port = config->api.port,
        .tls = plain ? NULL : service->tls,
        .hosts = config->hosts,
    };
    if (net_loop_start("api-loop", &service->api_loop, err) < 0)
        return -1;
    return server_start(service->api_loop, &server, &service->server, err);
}

/* A place of the user's that cannot be used is an error; the usual one is only told of. */
static int open_gate_socket(struct service *service, struct err *err)
{
    char usual[PATH_ROOM];
    const char *own = service->config.gate_socket;
    struct gate_socket_config config = {.path = own ? own : data_path(service, "gate/socket", usual),
                                        .gate = service->gate,
                                        .reported = gate_events_reported,
                                        .context = service};
    struct err why;
    if ((own && slice_is(slice_text(own), "off")) || gate_socket_start(&config, &service->gate_socket, &why) == 0)
        return 0;
    if (own) {
        *err = why;
        return -1;
    }
    engine_note(service, why.text);
    return 0;
}

/* Whose hours of the week sources keep. */
static int find_week(struct service *service, struct err *err)
{
    const struct config *config = &service->config;
    const char *name = config->holidays;
    if (!name && config->time_zone && slice_is(slice_text(config->time_zone), "Asia/Tokyo"))
        name = "japan";
    service->calendars = arena_new(16 * MIB);
    if (!service->calendars)
        return err_nomem(err);
    if (calendars_load(cli_content("calendars"), service->calendars, &service->calendar_list, err) < 0)
        return -1;
    struct rhythm_week *week = &service->engine.week;
    week->zone = config->time_zone ? zone_find(slice_text(config->time_zone)) : NULL;
    week->calendar = name ? calendar_find(service->calendar_list, slice_text(name)) : NULL;
    return !name || week->calendar ? 0 : err_set(err, ERR_CONFIG, "holidays: there is no calendar %s in the content", name);
}

int service_start(struct service *service, struct err *err)
{
    service->engine.dir = service->config.dir;
    service->engine.detect = true;
    service->engine.know_sources = true;
    config_fill_store(&service->config, &service->engine.store_config);
    service->engine.store_config.await_holds = true; /* the holds are in state.db */
    service->engine.found = on_found;
    service->engine.passed = on_passed;
    service->engine.context = service;
    if (find_week(service, err) < 0 || engine_open(&service->engine, err) < 0 ||
        tell_sources(service, &service->config, service->calendars, err) < 0 || open_state(service, err) < 0 ||
        open_keeping(service, err) < 0 || open_knowing(service, err) < 0 || open_tls(service, err) < 0 || start_respond_and_gate(service, err) < 0 ||
        engine_start(&service->engine, err) < 0 || gate_teller_run(service->gate_teller, err) < 0 || open_collectors(service, err) < 0)
        return -1;
    service->look = (struct health_look){.clock = clock_real(), .io = io_real(), .dir = service->config.dir, .respond = service->respond};
    service_tick(service);
    gate_events_tell_again(service);
    return start_scheduler(service, err) < 0 || start_asker(service, err) < 0 || open_gate_socket(service, err) < 0
               ? -1
               : open_server(service, err);
}

void service_reload(struct service *service)
{
    struct err err; /* the gate says on standard error how it went */
    (void)!gate_policy_reload(service->gate, SLICE("SIGHUP"), &err);
    respond_reload_assets(service->respond);
    if (engine_reload_rules(&service->engine, &err) < 0)
        engine_note(NULL, err.text);
    if (waking_read_plan(service, &err) < 0)
        engine_note(NULL, err.text);
    if (service->config_path && reload_collectors(service, &err) < 0)
        engine_note(NULL, err.text);
}

void service_tick(struct service *service)
{
    struct pipeline_counts counts = pipeline_counts(service->engine.pipeline);
    struct journal_stats journal;
    journal_stats(service->engine.journal, &journal);
    bool behind = journal.position > counts.position && counts.lag_ns > LAG_HEALTHY_NS;
    const char *doubt = engine_doubt(&service->engine);
    const char *reason = counts.failed    ? "the pipeline has stopped"
                         : journal.failed ? "the journal cannot be written"
                         : doubt          ? doubt
                         : behind         ? "events are more than 5 seconds behind"
                                          : "";
    gate_set_health(service->gate, reason[0] == '\0', reason);
    unsigned problems = (counts.failed ? HEALTH_PIPELINE : 0u) | (journal.failed ? HEALTH_JOURNAL : 0u) | (doubt ? HEALTH_MEMORY : 0u) |
                        (behind ? HEALTH_BEHIND : 0u);
    problems |= health_look(&service->look);
    gate_set_reachable(service->gate, !(problems & HEALTH_WAKING));
    gate_set_people(service->gate, service->look.people);
    health_set(&service->health, problems, clock_mono_ns(clock_real()));
    collecting_tick(service->collecting);
    keeping_tick(service->keeping);
    knowing_tick(service->knowing);
    engine_tick(&service->engine);
    mem_tidy();
}

/* In the order of the walk: first nobody can send, then what was sent is carried through. */
void service_stop(struct service *service)
{
    struct err err;
    server_stop(service->server);
    gate_socket_stop(service->gate_socket);
    if (service->api_loop)
        net_loop_stop(service->api_loop);
    collecting_close(service->collecting);
    intake_stop(service->intake);
    scheduler_stop(service->scheduler);
    asker_stop(service->asker);
    if (service->gate)
        (void)gate_stats(service->gate); /* nobody asks any more; its last approvals and stops have been told */
    gate_teller_stop(service->gate_teller);
    if (service->engine.pipeline && engine_finish(&service->engine, &err) < 0)
        cli_fail(&err);
    server_free(service->server);
    cosigner_close(service->cosigner);
    arena_free(service->file_names);
    mailbox_stop(service->mailbox);
    act_stop(service->act);
    respond_stop(service->respond);
    asker_free(service->asker);
    arena_free(service->question_texts);
    gate_stop(service->gate);
    gate_teller_free(service->gate_teller);
    keeping_close(service->keeping);
    knowing_close(service->knowing);
    engine_close(&service->engine);
    arena_free(service->calendars);
    arena_free(service->book_texts);
    tls_context_free(service->tls);
    database_close(service->database);
}

void service_print(const struct service *service)
{
    const struct config *config = &service->config;
    bool tls = !(config_is_loopback(config->api.address) || config->api.plaintext);
    char fingerprint[TLS_FINGERPRINT_SIZE];
    printf("\n  Console    %s://%s:%u/\n", tls ? "https" : "http", config->api.address,
           server_port(service->server));
    printf("  HTTP (HEC) %s:%u   syslog %s:%u (tcp, udp)   syslog-TLS %s:%u\n", config->http.address,
           collecting_port(service->collecting, "http"), config->syslog.address,
           collecting_port(service->collecting, "syslog"), config->syslog_tls.address,
           collecting_port(service->collecting, "syslog-tls"));
    if (config->collect_count > 3)
        printf("  %zu more collectors, as the configuration says\n", config->collect_count - 3);
    if (tls_fingerprint(service->cert, fingerprint, NULL) == 0)
        printf("  Certificate SHA-256 %s\n", fingerprint);
    if (service->setup_code[0])
        printf("\n  Setup code %s   (once, for the first administrator)\n", service->setup_code);
    printf("\n");
    fflush(stdout);
}
