/*
 * hinomi watch: the outside heartbeat. Runs on another machine than the server it watches, asks
 * /v1/health, and tells people when nobody answers any more, or the answer is not ok.
 */
#include "app/cli.h"
#include "app/heartbeat.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/time.h"
#include "cut/json_tree.h"
#include "net/http_client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { AFTER_DEFAULT = 2, AFTER_MAX = 1000, MESSAGES_MAX = 16, MESSAGE_SIZE = 4096, REASON_SIZE = 400 };
#define EVERY_DEFAULT_NS (30 * NS_PER_SECOND)
#define EVERY_LEAST_NS (100 * NS_PER_MS)
#define EVERY_MOST_NS NS_PER_DAY

struct watch {
    const char *url, *webhook, *ca_file;
    int64_t every_ns;
    bool once;
    struct heartbeat heartbeat;
    struct arena *arena;      /* of one check */
    int64_t answered_ns;      /* the server's time in its last answer */
    char reason[REASON_SIZE]; /* why the last check failed */
    /* What the webhook has not taken yet, oldest first. */
    char messages[MESSAGES_MAX][MESSAGE_SIZE];
    size_t message_count;
};

/* ---- one check ---- */

PRINTF_LIKE(3, 4)
static enum heartbeat_state because(struct watch *watch, enum heartbeat_state state,
                                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(watch->reason, sizeof(watch->reason), format, args);
    va_end(args);
    return state;
}

static enum heartbeat_state judge(struct watch *watch, int status, struct slice body)
{
    const struct json_node *node;
    struct err err;
    int64_t answered;
    bool zone;
    if (json_tree_parse(body, watch->arena, &node, &err) < 0)
        node = NULL;
    struct slice state = json_text_of(json_get(node, "status"), SLICE(""));
    if (slice_is(state, "degraded"))
        return because(watch, HEARTBEAT_DEGRADED, "it says that it is degraded");
    if (status != 200 || !slice_is(state, "ok") ||
        !time_parse_rfc3339(json_text_of(json_get(node, "time"), SLICE("")), &answered, &zone))
        return because(watch, HEARTBEAT_GONE, "what answers there (HTTP %d) is no Hinomi", status);
    if (answered == watch->answered_ns) /* earlier is a clock that was set back */
        return because(watch, HEARTBEAT_GONE, "its answer is an old one: something else repeats it");
    watch->answered_ns = answered;
    return HEARTBEAT_OK;
}

static enum heartbeat_state ask(struct watch *watch)
{
    struct err err;
    struct buffer body;
    struct http_fetch_reply reply = {.body = &body};
    arena_reset(watch->arena);
    size_t len = strlen(watch->url);
    while (len && watch->url[len - 1] == '/')
        len--;
    const struct http_fetch_request request = {
        .method = "GET",
        .url = arena_printf(watch->arena, "%.*s/v1/health", (int)len, watch->url),
        .ca_file = watch->ca_file,
        .allow_private = true, /* whoever starts the watch names the server */
    };
    buffer_init(&body, HTTP_FETCH_REPLY_MAX);
    enum heartbeat_state state = http_fetch(net_real(), &request, &reply, &err) < 0
                                     ? because(watch, HEARTBEAT_GONE, "%s", err.text)
                                     : judge(watch, reply.status, buffer_slice(&body));
    buffer_close(&body);
    return state;
}

/* ---- telling ---- */

static void put_message(struct watch *watch, enum heartbeat_state state, struct slice en, struct slice ja)
{
    struct buffer text;
    struct json json;
    if (watch->message_count == MESSAGES_MAX) { /* the newest matter most */
        memmove(watch->messages[0], watch->messages[1], sizeof(watch->messages[0]) * (MESSAGES_MAX - 1));
        watch->message_count--;
    }
    buffer_init(&text, MESSAGE_SIZE - 1);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "event", state == HEARTBEAT_OK ? SLICE("recovered") : SLICE("down"));
    json_put_text(&json, "state", slice_text(heartbeat_state_name(state)));
    json_put_text(&json, "url", slice_text(watch->url));
    json_put_time(&json, "since", watch->heartbeat.since_ns);
    json_put_time(&json, "time", clock_wall_ns(clock_real()));
    json_put_text(&json, "text", en);
    json_put_text(&json, "text_ja", ja);
    json_close(&json, '}');
    if (!buffer_failed(&text))
        snprintf(watch->messages[watch->message_count++], MESSAGE_SIZE, "%.*s",
                 SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
}

static void tell(struct watch *watch, enum heartbeat_event event, enum heartbeat_state state)
{
    char since[TIME_TEXT_SIZE];
    since[time_format(watch->heartbeat.since_ns, since)] = '\0';
    struct slice en, ja;
    if (event == HEARTBEAT_UP) {
        en = arena_printf(watch->arena, "Hinomi at %s is back; it was not ok since %s", watch->url, since);
        ja = arena_printf(watch->arena, "%s の火の見が復旧しました(%s から異常)", watch->url, since);
    } else {
        en = arena_printf(watch->arena, "Hinomi at %s is %s since %s, %u checks in a row: %s", watch->url,
                          heartbeat_state_name(state), since, watch->heartbeat.failed, watch->reason);
        ja = arena_printf(watch->arena, "%s の火の見が%s(%s から %u 回連続)", watch->url,
                          state == HEARTBEAT_GONE ? "応答しません" : "正常に動いていません", since,
                          watch->heartbeat.failed);
    }
    fprintf(stderr, "hinomi watch: %.*s\n", SLICE_ARG(en));
    if (watch->webhook)
        put_message(watch, state, en, ja);
}

/* In order; what is not taken now is tried again after the next check. */
static void post_messages(struct watch *watch)
{
    const struct http_fetch_header headers[] = {{"Content-Type", SLICE("application/json")}};
    while (watch->message_count) {
        struct err err;
        struct http_fetch_reply reply = {0};
        const struct http_fetch_request request = {
            .method = "POST", .url = slice_text(watch->webhook), .headers = headers,
            .header_count = ARRAY_COUNT(headers), .body = slice_text(watch->messages[0]),
            .allow_private = true};
        int result = http_fetch(net_real(), &request, &reply, &err);
        if (result == 0 && (reply.status < 200 || reply.status > 299))
            result = err_set(&err, ERR_IO, "the answer was HTTP %d", reply.status);
        if (result < 0) {
            fprintf(stderr, "hinomi watch: the webhook was not reached (%s); trying again\n", err.text);
            return;
        }
        memmove(watch->messages[0], watch->messages[1], sizeof(watch->messages[0]) * (MESSAGES_MAX - 1));
        watch->message_count--;
    }
}

/* ---- the loop ---- */

static enum heartbeat_state check_once(struct watch *watch)
{
    enum heartbeat_state state = ask(watch);
    enum heartbeat_event event = heartbeat_note(&watch->heartbeat, state, clock_wall_ns(clock_real()));
    if (event != HEARTBEAT_NOTHING)
        tell(watch, event, state);
    post_messages(watch);
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
    do {
        state = check_once(watch);
        next += watch->every_ns;
    } while (!watch->once && wait_until(next, &signals));
    if (watch->once && state == HEARTBEAT_OK)
        fprintf(stderr, "hinomi watch: Hinomi at %s is ok\n", watch->url);
    return state == HEARTBEAT_OK ? EXIT_DONE : EXIT_FAILED;
}

static int read_numbers(struct watch *watch, const char *every, const char *after)
{
    int64_t n = AFTER_DEFAULT;
    watch->every_ns = EVERY_DEFAULT_NS;
    if (every && (!duration_parse(slice_text(every), &watch->every_ns) ||
                  watch->every_ns < EVERY_LEAST_NS || watch->every_ns > EVERY_MOST_NS))
        return cli_usage("watch", "--every is a duration from 100ms to 24h, such as 30s");
    if (after && (!slice_to_i64(slice_text(after), &n) || n < 1 || n > AFTER_MAX))
        return cli_usage("watch", "--after is a number of checks from 1 to %d", AFTER_MAX);
    watch->heartbeat.after = watch->once ? 1 : (uint32_t)n;
    return 0;
}

int app_watch(int argc, char **argv)
{
    static struct watch watch;
    const char *every = NULL, *after = NULL;
    const struct cli_option options[] = {
        {"--every", &every, NULL},         {"--after", &after, NULL},  {"--webhook", &watch.webhook, NULL},
        {"--ca", &watch.ca_file, NULL},    {"--once", NULL, &watch.once}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("watch", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status || (status = read_numbers(&watch, every, after)))
        return status;
    if (words.count != 1)
        return cli_usage("watch", "name one URL, such as https://siem.example.jp:7171");
    watch.url = words.words[0];
    if (http_fetch_check(slice_text(watch.url), true, &err) < 0)
        return cli_usage("watch", "%s", err.text);
    if (watch.webhook && http_fetch_check(slice_text(watch.webhook), true, &err) < 0)
        return cli_usage("watch", "--webhook: %s", err.text);
    watch.arena = arena_new(MIB);
    if (!watch.arena) {
        err_nomem(&err);
        return cli_fail(&err);
    }
    status = run(&watch);
    arena_free(watch.arena);
    return status;
}
