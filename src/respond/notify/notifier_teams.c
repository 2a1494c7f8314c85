/* Microsoft Teams: an Adaptive Card to a workflow's webhook ("Post to a channel when a webhook request is received").
 * Texts are TextRuns of a RichTextBlock, in which, other than in a TextBlock, no Markdown is read. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"

extern const struct notifier notifier_teams;

static void put_run(struct json *json, struct slice text, bool bold)
{
    json_open(json, '{');
    json_put_text(json, "type", SLICE("RichTextBlock"));
    json_key(json, "inlines");
    json_open(json, '[');
    json_open(json, '{');
    json_put_text(json, "type", SLICE("TextRun"));
    json_put_text(json, "text", text);
    if (bold) {
        json_put_text(json, "weight", SLICE("bolder"));
        json_put_text(json, "size", SLICE("large"));
    }
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
}

static void put_card(const struct notifier_message *message, struct json *json)
{
    struct slice words, link = notify_button(message->notice, &words);
    struct slice line, rest = notify_text(message, NOTIFY_TEXT_CHARS_MAX);
    json_open(json, '{');
    json_put_text(json, "$schema", SLICE("http://adaptivecards.io/schemas/adaptive-card.json"));
    json_put_text(json, "type", SLICE("AdaptiveCard"));
    json_put_text(json, "version", SLICE("1.4"));
    json_key(json, "body");
    json_open(json, '[');
    put_run(json, notify_line(message), true);
    while (slice_next_line(&rest, &line))
        if (line.len)
            put_run(json, line, false);
    json_close(json, ']');
    json_key(json, "actions");
    json_open(json, '[');
    if (link.len) {
        json_open(json, '{');
        json_put_text(json, "type", SLICE("Action.OpenUrl"));
        json_put_text(json, "title", words);
        json_put_text(json, "url", link);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static struct slice body_of(const struct notifier_message *message)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "type", SLICE("message"));
    json_key(&json, "attachments");
    json_open(&json, '[');
    json_open(&json, '{');
    json_put_text(&json, "contentType", SLICE("application/vnd.microsoft.card.adaptive"));
    json_key(&json, "content");
    put_card(message, &json);
    json_close(&json, '}');
    json_close(&json, ']');
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    (void)rand;
    const struct notify_http request = {message->to->url, "application/json", body_of(message), NULL, 0};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "workflow run", http_fetch_header_of(said.headers, "x-ms-workflow-run-id"));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "of the workflow's webhook; it is a secret: file:PATH and env:NAME are read", .secret = true),
};

const struct notifier notifier_teams = {
    .name = "teams",
    .summary = "an Adaptive Card in Microsoft Teams, through a workflow's webhook",
    .details = "In Teams: Workflows, \"Post to a channel when a webhook request is received\". Texts are plain: nothing in them is a mention, a "
               "link or markup.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = notify_check_url,
    .send = post,
};
