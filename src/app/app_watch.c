/*
 * hinomi watch: the outside heartbeat. Runs on another machine than the server it watches, asks
 * /v1/health, and tells people when nobody answers any more, or the answer is not ok.
 */
#include "app/cli.h"
#include "app/watch_channels.h"
#include "app/watch_judge.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "net/http_client.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { AFTER_DEFAULT = 2, AFTER_MAX = 1000 };
/* A server that is gone is told within 90 s: it may go right after a check, two checks must fail, and a channel or two be
 * dead: 20 + 20 + 8 + a few times 8. */
enum { ASK_TIMEOUT_MS = 8000 };
#define EVERY_DEFAULT_NS (20 * NS_PER_SECOND)
#define EVERY_LEAST_NS (100 * NS_PER_MS)
#define EVERY_MOST_NS NS_PER_DAY

struct watch {
    const char *url, *ca_file, *state_file;
    int64_t every_ns;
    bool once;
    struct heartbeat heartbeat;
    struct watch_judge judge;
    struct watch_channels *channels;
    struct arena *arena; /* of one check */
};

/* ---- one check ---- */

static struct slice base_url(const struct watch *watch)
{
    struct slice url = slice_text(watch->url);
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    return url;
}

static enum heartbeat_state ask(struct watch *watch)
{
    struct err err;
    struct buffer body;
    struct http_fetch_reply reply = {.body = &body};
    arena_reset(watch->arena);
    const struct http_fetch_request request = {
        .method = "GET",
        .url = arena_printf(watch->arena, "%.*s/v1/health", SLICE_ARG(base_url(watch))),
        .ca_file = watch->ca_file,
        .timeout_ms = ASK_TIMEOUT_MS,
        .allow_private = true, /* whoever starts the watch names the server */
    };
    int64_t begun_ns = clock_mono_ns(clock_real());
    buffer_init(&body, HTTP_FETCH_REPLY_MAX);
    int result = http_fetch(net_real(), &request, &reply, &err);
    int64_t waited_ns = clock_mono_ns(clock_real()) - begun_ns;
    enum heartbeat_state state = result < 0 ? watch_judge_gone(&watch->judge, err.text)
                                            : watch_judge(&watch->judge, reply.status, buffer_slice(&body), clock_wall_ns(clock_real()),
                                                          waited_ns, watch->arena);
    buffer_close(&body);
    return state;
}

/* ---- telling ---- */

static void tell(struct watch *watch, enum heartbeat_event event, enum heartbeat_state state)
{
    char since[TIME_TEXT_SIZE];
    since[time_format(watch->heartbeat.since_ns, since)] = '\0';
    struct watch_news news = {.event = event == HEARTBEAT_UP ? "recovered" : "down", .state = heartbeat_state_name(state), .url = base_url(watch),
                              .since_ns = watch->heartbeat.since_ns, .all = event != HEARTBEAT_DOWN};
    if (event == HEARTBEAT_UP) {
        news.en = arena_printf(watch->arena, "Hinomi at %s is back; it was not ok since %s", watch->url, since);
        news.ja = arena_printf(watch->arena, "%s の火の見が復旧しました(%s から異常)", watch->url, since);
    } else {
        news.en = arena_printf(watch->arena, "Hinomi at %s is %s%s since %s, %u checks in a row: %s", watch->url,
                               event == HEARTBEAT_AGAIN ? "still " : "", heartbeat_state_name(state), since, watch->heartbeat.failed,
                               watch->judge.en);
        news.ja = arena_printf(watch->arena, "%s の火の見が%s%s(%s から %u 回連続): %s", watch->url,
                               event == HEARTBEAT_AGAIN ? "まだ" : "", state == HEARTBEAT_GONE ? "応答しません" : "正常に動いていません", since,
                               watch->heartbeat.failed, watch->judge.ja);
    }
    fprintf(stderr, "hinomi watch: %.*s\n", SLICE_ARG(news.en));
    watch_channels_put(watch->channels, &news);
}

/* For whoever watches the watch: when it last looked, and whether it can tell anybody. */
static void write_state(const struct watch *watch, enum heartbeat_state state, size_t waiting)
{
    struct buffer text;
    struct json json;
    struct err err;
    if (!watch->state_file)
        return;
    buffer_init(&text, 4096);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_time(&json, "checked", clock_wall_ns(clock_real()));
    json_put_text(&json, "state", slice_text(heartbeat_state_name(state)));
    json_put_text(&json, "reason", slice_text(state == HEARTBEAT_OK ? "" : watch->judge.en));
    json_put_i64(&json, "untold", (int64_t)waiting);
    json_close(&json, '}');
    buffer_put_char(&text, '\n');
    if (buffer_failed(&text) || io_replace_file(io_real(), watch->state_file, buffer_slice(&text), &err) < 0)
        fprintf(stderr, "hinomi watch: --state: %s\n", buffer_failed(&text) ? "out of memory" : err.text);
    buffer_close(&text);
}

/* ---- the loop ---- */

/* *untold: messages that no channel took. */
static enum heartbeat_state check_once(struct watch *watch, size_t *untold)
{
    enum heartbeat_state state = ask(watch);
    enum heartbeat_event event = heartbeat_note(&watch->heartbeat, state, clock_wall_ns(clock_real()));
    if (event != HEARTBEAT_NOTHING)
        tell(watch, event, state);
    *untold = watch_channels_send(watch->channels);
    write_state(watch, state, *untold);
    return state;
}

/* False when a signal says that it is enough. */
static bool wait_until(int64_t mono_ns, const sigset_t *signals)
{
    int64_t left = mono_ns - clock_mono_ns(clock_real());
    if (left < 0)
        left = 0;
    struct timespec wait = {.tv_sec = left / NS_PER_SECOND, .tv_nsec = left % NS_PER_SECOND};
    return sigtimedwait(signals, NULL, &wait) < 0;
}

static int run(struct watch *watch)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int64_t next = clock_mono_ns(clock_real());
    enum heartbeat_state state;
    size_t untold;
    do {
        state = check_once(watch, &untold);
        next += watch->every_ns;
    } while (!watch->once && wait_until(next, &signals));
    if (watch->once && state == HEARTBEAT_OK)
        fprintf(stderr, "hinomi watch: Hinomi at %s is ok\n", watch->url);
    return state == HEARTBEAT_OK && !untold ? EXIT_DONE : EXIT_FAILED;
}

/* A test of every channel, without asking the server. */
static int test_channels(struct watch *watch)
{
    if (!watch_channels_count(watch->channels))
        return cli_usage("watch", "--test needs channels: --config FILE with notifiers, or --webhook URL");
    const struct watch_news news = {.event = "test", .state = "ok", .url = base_url(watch), .since_ns = clock_wall_ns(clock_real()), .all = true,
                                    .en = SLICE("A test of hinomi watch: nothing has happened"),
                                    .ja = SLICE("火の見の監視の試験です。異常はありません")};
    watch_channels_put(watch->channels, &news);
    return watch_channels_send(watch->channels) ? EXIT_FAILED : EXIT_DONE;
}

static int read_duration(const char *option, const char *text, int64_t *to)
{
    if (text && (!duration_parse(slice_text(text), to) || *to < EVERY_LEAST_NS || *to > EVERY_MOST_NS))
        return cli_usage("watch", "%s is a duration from 100ms to 24h, such as 30s", option);
    return 0;
}

static int read_numbers(struct watch *watch, const char *every, const char *after, const char *again)
{
    int64_t n = AFTER_DEFAULT;
    watch->every_ns = EVERY_DEFAULT_NS;
    watch->heartbeat.again_ns = WATCH_AGAIN_LEAST_S * NS_PER_SECOND;
    watch->heartbeat.again_most_ns = WATCH_AGAIN_MOST_S * NS_PER_SECOND;
    int status = read_duration("--every", every, &watch->every_ns);
    if (status || (status = read_duration("--again", again, &watch->heartbeat.again_ns)))
        return status;
    if (after && (!slice_to_i64(slice_text(after), &n) || n < 1 || n > AFTER_MAX))
        return cli_usage("watch", "--after is a number of checks from 1 to %d", AFTER_MAX);
    watch->heartbeat.after = watch->once ? 1 : (uint32_t)n;
    return 0;
}

static int open_watch(struct watch *watch, const char *config, const char *webhook)
{
    struct err err;
    if (http_fetch_check(slice_text(watch->url), true, &err) < 0)
        return cli_usage("watch", "%s", err.text);
    if (webhook && http_fetch_check(slice_text(webhook), true, &err) < 0)
        return cli_usage("watch", "--webhook: %s", err.text);
    watch->arena = arena_new(MIB);
    if (!watch->arena)
        err_nomem(&err);
    return !watch->arena || watch_channels_open(config, webhook, &watch->channels, &err) < 0 ? cli_fail(&err) : 0;
}

int app_watch(int argc, char **argv)
{
    static struct watch watch;
    const char *every = NULL, *after = NULL, *again = NULL, *config = NULL, *webhook = NULL;
    bool test = false;
    const struct cli_option options[] = {
        {"--every", &every, NULL},   {"--after", &after, NULL},      {"--again", &again, NULL},    {"--config", &config, NULL},
        {"--webhook", &webhook, NULL}, {"--ca", &watch.ca_file, NULL}, {"--state", &watch.state_file, NULL},
        {"--once", NULL, &watch.once}, {"--test", NULL, &test}};
    struct cli_words words;
    int status = cli_parse("watch", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status || (status = read_numbers(&watch, every, after, again)))
        return status;
    if (words.count != 1)
        return cli_usage("watch", "name one URL, such as https://siem.example.jp:7171");
    watch.url = words.words[0];
    status = open_watch(&watch, config, webhook);
    if (status == 0)
        status = test ? test_channels(&watch) : run(&watch);
    watch_channels_close(watch.channels);
    arena_free(watch.arena);
    return status;
}
