/*
 * hinomi demo: a server of its own and a synthetic exchange that talks to it as a real one would: events
 * over HEC, withdrawals through the gate's API.
 */
#include "app/demo_phone.h"
#include "app/demo_world.h"
#include "app/loopback.h"
#include "app/privilege.h"
#include "app/service.h"

#include "base/time.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH_EVENTS = 2000, NIGHT_MINUTES = 45, QUIET_MINUTES = 20 };

struct demo {
    struct service service;
    int64_t speed, days;
    struct demo_world *world;
    struct loopback hec, api;
    char hec_token[TOKEN_TEXT_SIZE + 8], gate_token[TOKEN_TEXT_SIZE + 8];
    struct buffer body;
    int events_waiting;
    uint64_t events, batches, allowed, held;
    bool live; /* the history is in: the clock runs and the gate is asked */
    atomic_bool stopping;
    bool failed;
    struct err err;
};

/* ---- what the world says ---- */

static void send_events(struct demo *demo)
{
    char key[48];
    if (demo->events_waiting == 0 || demo->failed)
        return;
    snprintf(key, sizeof(key), "demo-%llu", (unsigned long long)demo->batches++);
    int status = loopback_post(&demo->hec, "/services/collector/event", demo->hec_token, key,
                               buffer_slice(&demo->body), NULL, &demo->err);
    if (status >= 0 && status != 200)
        err_set(&demo->err, ERR_IO, "the collector answered %d", status);
    demo->failed = status != 200;
    demo->events += (uint64_t)demo->events_waiting;
    demo->events_waiting = 0;
    buffer_clear(&demo->body);
}

static void on_event(void *context, int64_t time_ns, struct slice json)
{
    struct demo *demo = context;
    (void)time_ns;
    buffer_put_text(&demo->body, "{\"event\":");
    buffer_put(&demo->body, json);
    buffer_put_char(&demo->body, '}');
    if (++demo->events_waiting >= BATCH_EVENTS)
        send_events(demo);
}

static void on_told(void *context, int64_t time_ns, const char *en, const char *ja)
{
    (void)context;
    char time[TIME_TEXT_SIZE];
    time_format(time_ns, time);
    printf("  %.16s  %s / %s\n", time, en, ja);
    fflush(stdout);
}

/* The exchange's own question, asked over HTTP like any client would. */
static bool on_withdrawal(void *context, const struct demo_withdrawal *w)
{
    struct demo *demo = context;
    struct buffer body, reply;
    struct json json;
    if (!demo->live)
        return true;
    send_events(demo); /* the gate should know what happened before */
    buffer_init(&body, 64 * KIB);
    buffer_init(&reply, 1 * MIB);
    json_init(&json, &body);
    json_open(&json, '{');
    json_put_text(&json, "request_id", slice_text(w->id));
    json_put_text(&json, "action", SLICE("withdrawal"));
    json_put_text(&json, "account", slice_text(w->account));
    json_put_text(&json, "asset", slice_text(w->asset));
    json_put_text(&json, "amount", slice_text(w->amount));
    json_put_text(&json, "destination", slice_text(w->address));
    json_put_time(&json, "at", clock_wall_ns(clock_real())); /* the exchange asks now, whatever its time */
    json_close(&json, '}');
    int status = loopback_post(&demo->api, "/v1/gate/decide", demo->gate_token, NULL,
                               buffer_slice(&body), &reply, &demo->err);
    bool allowed = status == 200 &&
                   slice_find(buffer_slice(&reply), SLICE("\"decision\":\"allow\"")) >= 0;
    demo->allowed += allowed;
    demo->held += !allowed;
    if (!allowed && status == 200)
        printf("  %s  the gate holds %s %s for %s / ゲートが保留\n", w->id, w->amount, w->asset,
               w->account);
    else if (status != 200)
        printf("  %s  the gate did not answer (%d); the exchange waits\n", w->id, status);
    fflush(stdout);
    buffer_close(&body);
    buffer_close(&reply);
    return allowed;
}

/* ---- time ---- */

static bool pause_ms(struct demo *demo, int64_t ms)
{
    for (; ms > 0 && !atomic_load(&demo->stopping); ms -= 50) {
        struct timespec part = {.tv_nsec = (ms < 50 ? ms : 50) * NS_PER_MS};
        nanosleep(&part, NULL);
    }
    return !atomic_load(&demo->stopping);
}

static bool go_on(const struct demo *demo)
{
    return !atomic_load(&demo->stopping) && !demo->failed;
}

static void run_history(struct demo *demo, int64_t until_ns)
{
    int64_t start = demo_world_now(demo->world), day = -1;
    while (go_on(demo) && demo_world_now(demo->world) < until_ns &&
           demo_world_minute(demo->world)) {
        int64_t now_day = time_day(demo_world_now(demo->world));
        if (now_day != day)
            cli_progress(false, "  history: day %lld of %lld, %llu events",
                         (long long)((demo_world_now(demo->world) - start) / NS_PER_DAY + 1),
                         (long long)demo->days, (unsigned long long)demo->events);
        day = now_day;
    }
    send_events(demo);
    cli_progress(true, "  history: %lld days, %llu events", (long long)demo->days,
                 (unsigned long long)demo->events);
}

static void run_live(struct demo *demo)
{
    while (go_on(demo)) {
        int64_t started = clock_mono_ns(clock_real());
        /* The world may not run ahead of the clock: then it lives in real time. */
        bool caught_up = demo_world_now(demo->world) + NS_PER_MINUTE > clock_wall_ns(clock_real());
        if (!demo_world_minute(demo->world))
            break;
        send_events(demo);
        int64_t spent = (clock_mono_ns(clock_real()) - started) / NS_PER_MS;
        if (!pause_ms(demo, (caught_up ? 60000 : 60000 / demo->speed) - spent))
            break;
    }
}

static void *play(void *context)
{
    struct demo *demo = context;
    int64_t night = demo_world_now(demo->world) + demo->days * NS_PER_DAY + QUIET_MINUTES * NS_PER_MINUTE;
    pthread_setname_np(pthread_self(), "demo");
    printf("  %lld days of a synthetic exchange are being sent to the collector\n",
           (long long)demo->days);
    fflush(stdout);
    run_history(demo, night - QUIET_MINUTES * NS_PER_MINUTE);
    if (go_on(demo)) {
        demo->live = true;
        demo_world_set_night(demo->world, night);
        on_told(demo, demo_world_now(demo->world), "live: events, and withdrawals through the gate",
                "ここから実時間：イベントとゲート");
        run_live(demo);
    }
    if (demo->failed)
        fprintf(stderr, "hinomi: the demo stopped sending: %s\n", demo->err.text);
    return NULL;
}

/* ---- starting ---- */

static int make_token(struct demo *demo, const char *kind, const char *scheme, char *to, size_t size,
                      struct err *err)
{
    char token_text[TOKEN_TEXT_SIZE];
    struct token token = {.name = SLICE("demo"), .kind = slice_text(kind), .stream = SLICE("main")};
    if (tokens_add(demo->service.database, clock_real(), &token, token_text, err) < 0)
        return -1;
    snprintf(to, size, "%s %s", scheme, token_text);
    return 0;
}

static int prepare(struct demo *demo, struct err *err)
{
    struct demo_callbacks callbacks = {on_event, on_withdrawal, on_told, demo};
    int64_t ahead = (QUIET_MINUTES + NIGHT_MINUTES) * NS_PER_MINUTE;
    int64_t start = clock_wall_ns(clock_real()) - demo->days * NS_PER_DAY - ahead;
    if (make_token(demo, "hec", "Splunk", demo->hec_token, sizeof(demo->hec_token), err) < 0 ||
        make_token(demo, "gate", "Bearer", demo->gate_token, sizeof(demo->gate_token), err) < 0)
        return -1;
    demo->hec = (struct loopback){collecting_port(demo->service.collecting, "http"), -1, 0};
    demo->api = (struct loopback){server_port(demo->service.server), -1, 0};
    demo->world = demo_world_new(2018, start, &callbacks);
    buffer_init(&demo->body, HTTP_BODY_BYTES_MAX);
    return demo->world ? 0 : err_nomem(err);
}

static int run_demo(struct demo *demo, struct err *err)
{
    struct timespec half = {.tv_nsec = 500 * NS_PER_MS};
    sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    demo->service.net = demo_phone_net();
    int result = service_start(&demo->service, err);
    if (result == 0)
        result = demo_phone_plan(demo->service.respond, err);
    if (result == 0)
        result = prepare(demo, err);
    if (result == 0) {
        service_print(&demo->service);
        int code = pthread_create(&thread, NULL, play, demo);
        if (code)
            result = err_set_errno(err, code, "cannot start the demo's thread");
    }
    if (result == 0) {
        while (sigtimedwait(&signals, NULL, &half) < 0)
            service_tick(&demo->service);
        atomic_store(&demo->stopping, true);
        pthread_join(thread, NULL);
    }
    loopback_close(&demo->hec);
    loopback_close(&demo->api);
    service_stop(&demo->service);
    demo_world_free(demo->world);
    buffer_close(&demo->body);
    return result;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    return !text || (slice_to_i64(slice_text(text), out) && *out >= least && *out <= most);
}

int app_demo(int argc, char **argv)
{
    const char *dir = NULL, *speed = NULL, *days = NULL, *port = NULL;
    bool allow_root = false;
    const struct cli_option options[] = {
        {"--dir", &dir, NULL},   {"--speed", &speed, NULL},
        {"--days", &days, NULL}, {"--port", &port, NULL},
        {"--allow-root", NULL, &allow_root},
    };
    struct cli_words words;
    struct err err;
    char own_dir[64] = "/tmp/hinomi-demo-XXXXXX";
    int64_t api_port = 7171;
    int status = cli_parse("demo", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    struct arena *arena = arena_new(16 * MIB);
    struct demo *demo = arena ? arena_calloc(arena, sizeof(*demo)) : NULL;
    if (!demo)
        return EXIT_FAILED;
    demo->speed = 60;
    demo->days = 14;
    if (words.count || !read_number(speed, 1, 3600, &demo->speed) ||
        !read_number(days, 1, 60, &demo->days) || !read_number(port, 0, 65535, &api_port)) {
        arena_free(arena);
        return cli_usage("demo", "--speed is 1 to 3600, --days 1 to 60, --port a port");
    }
    config_defaults(&demo->service.config);
    demo_phone_notifiers(&demo->service.config);
    demo->service.config.gate_mode = GATE_MODE_ENFORCE; /* what is shown is what an enforcing gate does */
    demo->service.config.dir = dir ? dir : mkdtemp(own_dir);
    demo->service.config.api.port = (uint16_t)api_port;
    if (port && api_port == 0) { /* any free ports: for tests */
        demo->service.config.http.port = 0;
        demo->service.config.syslog.port = demo->service.config.syslog_tls.port = 0;
    }
    int result = config_settle(arena, &demo->service.config, &err);
    if (result == 0)
        result = privilege_check(demo->service.config.dir, allow_root, "nobody", &err);
    if (result == 0)
        result = run_demo(demo, &err);
    arena_free(arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
