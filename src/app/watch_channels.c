#include "app/watch_channels.h"

#include "app/config.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/http_client.h"
#include "respond/notify/notifier.h"

#include <sodium.h>
#include <stdio.h>

enum { KEY_BYTES = 16, CHANNELS_MAX = RESPOND_NOTIFIERS_MAX + 1 };

struct message {
    struct message *next;
    struct arena *arena; /* holds this too */
    struct slice notice, plain; /* as JSON: for notifiers, for the plain webhook */
    struct slice key;
    bool all, taken;
    bool done[CHANNELS_MAX];
};

struct watch_channels {
    struct arena *arena; /* of the configuration */
    struct config config;
    const char *webhook;
    struct message *first;
    size_t waiting;
};

/* ---- one channel ---- */

static const char *name_of(const struct watch_channels *channels, size_t i)
{
    return i < channels->config.notifier_count ? channels->config.notifiers[i].name.ptr : "--webhook";
}

size_t watch_channels_count(const struct watch_channels *channels)
{
    return channels->config.notifier_count + (channels->webhook ? 1 : 0);
}

static bool give_to_row(const struct respond_notifier *row, const struct message *message, struct arena *arena, struct notifier_answer *answer,
                        struct err *err)
{
    struct notice notice;
    const struct notifier_message one = {.to = row, .payload = message->notice, .notice = &notice, .key = message->key,
                                         .now_ns = clock_wall_ns(clock_real()), .arena = arena};
    if (notice_read(message->notice, arena, &notice, err) < 0)
        return false;
    return notifier_find(row->kind)->send(&one, net_real(), rand_real(), answer, err) == NOTIFIER_SENT;
}

static bool give_to_webhook(const char *url, const struct message *message, struct notifier_answer *answer, struct err *err)
{
    const struct http_fetch_header headers[] = {{"Content-Type", SLICE("application/json")}, {"Idempotency-Key", message->key}};
    const struct http_fetch_request request = {
        .method = "POST", .url = slice_text(url), .headers = headers, .header_count = ARRAY_COUNT(headers), .body = message->plain,
        .timeout_ms = NOTIFY_TIMEOUT_MS, .allow_private = true /* whoever starts the watch names it */};
    struct http_fetch_reply reply = {0};
    if (http_fetch(net_real(), &request, &reply, err) < 0)
        return false;
    snprintf(answer->receipt, sizeof(answer->receipt), "HTTP %d", reply.status);
    return (reply.status >= 200 && reply.status <= 299) || err_set(err, ERR_IO, "the answer was HTTP %d", reply.status) == 0;
}

static bool give(const struct watch_channels *channels, size_t i, const struct message *message)
{
    struct err err = {0};
    struct notifier_answer answer = {0};
    struct arena *arena = arena_new(16 * MIB);
    bool row = i < channels->config.notifier_count;
    bool taken = arena && (row ? give_to_row(&channels->config.notifiers[i], message, arena, &answer, &err)
                               : give_to_webhook(channels->webhook, message, &answer, &err));
    arena_free(arena);
    if (taken)
        fprintf(stderr, "hinomi watch: %s took it (%s)\n", name_of(channels, i), answer.receipt);
    else
        fprintf(stderr, "hinomi watch: %s was not reached (%s)\n", name_of(channels, i), arena ? err.text : "out of memory");
    return taken;
}

/* ---- messages ---- */

static void message_free(struct message *message)
{
    struct arena *arena = message->arena;
    arena_free(arena);
}

static void drop_first(struct watch_channels *channels)
{
    struct message *first = channels->first;
    channels->first = first->next;
    channels->waiting--;
    message_free(first);
}

static struct slice plain_of(const struct watch_news *news, struct arena *arena)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "event", slice_text(news->event));
    json_put_text(&json, "state", slice_text(news->state));
    json_put_text(&json, "url", news->url);
    json_put_time(&json, "since", news->since_ns);
    json_put_time(&json, "time", clock_wall_ns(clock_real()));
    json_put_text(&json, "text", news->en);
    json_put_text(&json, "text_ja", news->ja);
    json_close(&json, '}');
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static struct slice notice_of(const struct watch_news *news, struct arena *arena)
{
    struct buffer text;
    struct json json;
    bool good = strcmp(news->event, "down") != 0;
    const struct notice notice = {.event = slice_text(news->event), .title_en = news->en, .title_ja = news->ja,
                                  .severity = good ? SEVERITY_NONE : SEVERITY_CRITICAL, .link = news->url,
                                  .sent_ns = clock_wall_ns(clock_real())};
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    notice_put(&notice, &json);
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static struct slice new_key(struct arena *arena)
{
    unsigned char bytes[KEY_BYTES];
    char hex[2 * KEY_BYTES + 1];
    rand_real()->fill(rand_real()->context, bytes, sizeof(bytes));
    sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
    return arena_copy(arena, slice_text(hex));
}

void watch_channels_put(struct watch_channels *channels, const struct watch_news *news)
{
    struct arena *arena = arena_new(4 * NOTICE_BYTES_MAX);
    struct message *message = arena ? arena_calloc(arena, sizeof(*message)) : NULL;
    if (message)
        *message = (struct message){.arena = arena, .notice = notice_of(news, arena), .plain = plain_of(news, arena), .key = new_key(arena),
                                    .all = news->all};
    if (!message || !message->notice.ptr || !message->plain.ptr || !message->key.ptr) {
        fprintf(stderr, "hinomi watch: out of memory; nobody can be told\n");
        arena_free(arena);
        return;
    }
    if (channels->waiting == WATCH_MESSAGES_MAX) { /* the newest matter most */
        fprintf(stderr, "hinomi watch: no channel takes anything; the oldest message is given up\n");
        drop_first(channels);
    }
    struct message **last = &channels->first;
    while (*last)
        last = &(*last)->next;
    *last = message;
    channels->waiting++;
}

/* False: nobody has taken it yet. To all: those that do not take it now are not waited for when others did. */
static bool send_one(const struct watch_channels *channels, struct message *message)
{
    for (size_t i = 0; i < watch_channels_count(channels); i++) {
        if (message->taken && !message->all)
            break;
        if (!message->done[i])
            message->done[i] = give(channels, i, message);
        message->taken = message->taken || message->done[i];
    }
    return message->taken;
}

size_t watch_channels_send(struct watch_channels *channels)
{
    while (channels->first && watch_channels_count(channels)) {
        if (!send_one(channels, channels->first)) {
            fprintf(stderr, "hinomi watch: NOBODY WAS TOLD: none of %zu channels took it; trying again after the next check\n",
                    watch_channels_count(channels));
            break;
        }
        drop_first(channels);
    }
    while (channels->first && !watch_channels_count(channels)) /* standard error has it */
        drop_first(channels);
    return channels->waiting;
}

/* ---- opening ---- */

/* Those of persons only have nobody to tell here: what stays are places. */
static int settle_rows(struct watch_channels *channels, struct err *err)
{
    struct config *config = &channels->config;
    size_t kept = 0;
    for (size_t i = 0; i < config->notifier_count; i++) {
        struct respond_notifier row = config->notifiers[i];
        row.name = slice_text(arena_string(channels->arena, row.name)); /* it is printed */
        if (!row.name.ptr)
            return err_nomem(err);
        if (notifier_takes_news(&row))
            config->notifiers[kept++] = row;
        else
            fprintf(stderr, "hinomi watch: notifier %s is not used: it has no `to`, so it reaches persons only\n", row.name.ptr);
    }
    config->notifier_count = kept;
    return 0;
}

int watch_channels_open(const char *config_path, const char *webhook, struct watch_channels **out, struct err *err)
{
    *out = NULL;
    struct watch_channels *channels = mem_calloc(1, sizeof(*channels));
    struct arena *arena = arena_new(64 * MIB);
    if (!channels || !arena) {
        mem_free(channels);
        arena_free(arena);
        return err_nomem(err);
    }
    channels->arena = arena;
    channels->webhook = webhook;
    config_defaults(&channels->config);
    int result = config_path ? config_read(config_path, arena, &channels->config, err) : 0;
    if (result == 0)
        result = settle_rows(channels, err);
    if (result < 0)
        watch_channels_close(channels);
    else
        *out = channels;
    return result;
}

void watch_channels_close(struct watch_channels *channels)
{
    if (!channels)
        return;
    while (channels->first)
        drop_first(channels);
    arena_free(channels->arena);
    mem_free(channels);
}
