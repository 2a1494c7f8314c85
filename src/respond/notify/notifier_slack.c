/* Slack: an incoming webhook, or chat.postMessage with a bot's token, which also reaches persons. All texts are plain_text
 * objects, in which Slack reads no markup, links or mentions; the fallback text is escaped as Slack asks (& < >). */
#include "respond/notify/notify_http.h"

#include "base/limits.h"

#include <stdio.h>

enum { BUTTON_CHARS = 75, HEADER_CHARS = 150 };

extern const struct notifier notifier_slack;

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->to.len && !row->secret.len)
        return err_set(err, ERR_CONFIG, "`to` needs a bot's token as secret; an incoming webhook has its channel in its URL");
    return notify_check_url(row, err);
}

static bool takes_news(const struct respond_notifier *row)
{
    return !row->secret.len || row->to.len; /* an incoming webhook has its channel */
}

static int check_address(struct slice address, struct err *err)
{
    if (notify_is_word(address, "", 8, 32) && strchr("UWCGD", address.ptr[0]))
        return 0;
    return err_set(err, ERR_CONFIG, "\"%.*s\" is no member or channel of Slack; it is an id such as U024BE7LH", SLICE_ARG(address));
}

static void put_escaped(struct json *json, struct slice text, struct arena *arena)
{
    struct buffer to;
    buffer_init(&to, 64 * KIB);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '&')
            buffer_put_text(&to, "&amp;");
        else if (text.ptr[i] == '<')
            buffer_put_text(&to, "&lt;");
        else if (text.ptr[i] == '>')
            buffer_put_text(&to, "&gt;");
        else
            buffer_put_char(&to, text.ptr[i]);
    json_put_text(json, "text", notify_keep(&to, arena));
}

static void put_plain(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_open(json, '{');
    json_put_text(json, "type", SLICE("plain_text"));
    json_put_bool(json, "emoji", false);
    json_put_text(json, "text", text);
    json_close(json, '}');
}

static void put_block(struct json *json, const char *type, struct slice text)
{
    json_open(json, '{');
    json_put_text(json, "type", slice_text(type));
    put_plain(json, "text", text);
    json_close(json, '}');
}

static void put_button(struct json *json, struct slice link, struct slice words)
{
    json_open(json, '{');
    json_put_text(json, "type", SLICE("actions"));
    json_key(json, "elements");
    json_open(json, '[');
    json_open(json, '{');
    json_put_text(json, "type", SLICE("button"));
    put_plain(json, "text", words);
    json_put_text(json, "url", link);
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
}

static struct slice body_of(const struct notifier_message *message, struct slice channel)
{
    struct buffer text;
    struct json json;
    struct slice words, line = notify_line(message), link = notify_button(message->notice, &words);
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    if (channel.len)
        json_put_text(&json, "channel", channel);
    put_escaped(&json, line, message->arena);
    json_put_text(&json, "parse", SLICE("none"));
    json_put_bool(&json, "link_names", false);
    json_put_bool(&json, "unfurl_links", false);
    json_key(&json, "blocks");
    json_open(&json, '[');
    put_block(&json, "header", notify_cut(line, HEADER_CHARS, message->arena));
    put_block(&json, "section", notify_text(message, NOTIFY_TEXT_CHARS_MAX));
    if (link.len)
        put_button(&json, link, notify_cut(words, BUTTON_CHARS, message->arena));
    json_close(&json, ']');
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

/* chat.postMessage says in its body how it went, under HTTP 200. */
static enum notifier_result judge(const struct notify_said *said, struct notifier_answer *answer, struct err *err)
{
    static const char *const passing[] = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
                                          "request_timeout", "team_added_to_org"};
    if (json_bool_of(json_get(said->json, "ok"), false)) {
        notify_receipt(answer, "ts", json_text_of(json_get(said->json, "ts"), SLICE_NONE));
        return NOTIFIER_SENT;
    }
    struct slice why = json_text_of(json_get(said->json, "error"), SLICE("no reason"));
    struct buffer text;
    buffer_init(&text, 4 * NOTIFY_SAID_MAX);
    notify_put_printable(why, NOTIFY_SAID_MAX, &text);
    err_set(err, ERR_IO, "Slack refused it: %.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
    for (size_t i = 0; i < ARRAY_COUNT(passing); i++)
        if (slice_is(why, passing[i]))
            return NOTIFIER_AGAIN;
    return NOTIFIER_REFUSED;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    struct slice channel = SLICE_NONE;
    bool bot = message->to->secret.len > 0;
    (void)rand;
    if (bot && !notify_find_address(message, &channel, err))
        return NOTIFIER_REFUSED;
    if (!bot && message->address.len) {
        err_set(err, ERR_CONFIG, "notifier %.*s is an incoming webhook, which reaches its channel and no person", SLICE_ARG(message->to->name));
        return NOTIFIER_REFUSED;
    }
    const struct http_fetch_header header = {"Authorization", notify_bearer(message, "Bearer", message->to->secret)};
    const struct notify_http request = {message->to->url, "application/json; charset=utf-8", body_of(message, channel), &header, bot};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    return bot && result == NOTIFIER_SENT ? judge(&said, answer, err) : result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .standard = "https://slack.com/api/chat.postMessage", .summary = "of an incoming webhook; without it the bot's way"),
    NOTIFIER_OPTION(secret, .secret = true, .summary = "a bot's token (xoxb-…) with chat:write, to reach channels and persons by id"),
    NOTIFIER_OPTION(to, .summary = "with a token: the channel's id (C…) for news"),
};

const struct notifier notifier_slack = {
    .name = "slack",
    .summary = "a message in Slack, to a channel or a person",
    .details = "Texts are plain: nothing in them is a mention, a link or markup. An incoming webhook (url) reaches its channel. "
               "A bot's token (secret) reaches channels (to) and persons.",
    .address = "a member's id, such as U024BE7LH (profile, More, Copy member ID)",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .check_address = check_address,
    .takes_news = takes_news,
    .send = post,
};
