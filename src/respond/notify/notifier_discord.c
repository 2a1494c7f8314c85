/* Discord: a webhook. Markup is escaped, and allowed_mentions says that nobody is mentioned whatever the text has. */
#include "respond/notify/notify_http.h"

#include <string.h>

enum { CONTENT_CHARS = 1900, NO_PREVIEWS = 4 /* SUPPRESS_EMBEDS */ };

extern const struct notifier notifier_discord;

static bool is_link(struct slice line)
{
    return slice_find(line, SLICE("https://")) >= 0 || slice_find(line, SLICE("http://")) >= 0; /* our own: others' are none any more */
}

static void put_escaped(struct buffer *to, struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] && strchr("\\*_~`|<>[]()#-@:", line.ptr[i]))
            buffer_put_char(to, '\\');
        buffer_put_char(to, line.ptr[i]);
    }
}

static struct slice content_of(const struct notifier_message *message)
{
    struct buffer text;
    struct slice line, rest = notify_text(message, CONTENT_CHARS - 500);
    buffer_init(&text, NOTICE_BYTES_MAX);
    put_escaped(&text, notify_line(message));
    while (slice_next_line(&rest, &line)) {
        buffer_put_char(&text, '\n');
        if (is_link(line))
            buffer_put(&text, line);
        else
            put_escaped(&text, line);
    }
    return notify_cut(notify_keep(&text, message->arena), CONTENT_CHARS, message->arena);
}

static struct slice body_of(const struct notifier_message *message)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "username", SLICE("Hinomi"));
    json_put_text(&json, "content", content_of(message));
    json_put_i64(&json, "flags", NO_PREVIEWS);
    json_key(&json, "allowed_mentions");
    json_open(&json, '{');
    json_key(&json, "parse");
    json_open(&json, '[');
    json_close(&json, ']');
    json_close(&json, '}');
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    struct slice url = message->to->url;
    (void)rand;
    url = arena_printf(message->arena, "%.*s%swait=true", SLICE_ARG(url), slice_find_char(url, '?') >= 0 ? "&" : "?");
    const struct notify_http request = {url, "application/json", body_of(message), NULL, 0};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "message", json_text_of(json_get(said.json, "id"), SLICE_NONE));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .secret = true, .summary = "of the channel's webhook; it is a secret: file:PATH and env:NAME are read"),
};

const struct notifier notifier_discord = {
    .name = "discord",
    .summary = "a message in a channel of Discord",
    .details = "In Discord: the channel's settings, Integrations, Webhooks. Nobody is mentioned, whatever a text says.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = notify_check_url,
    .send = post,
};
