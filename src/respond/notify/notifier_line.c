/* LINE: a push message by the Messaging API. X-Line-Retry-Key makes it once only: a second attempt is told 409 and the id
 * of the request that was accepted. Its texts have no markup. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"

#include <string.h>

enum { STATUS_KNOWN = 409, ID_LENGTH = 33 };

extern const struct notifier notifier_line;

static int check_address(struct slice address, struct err *err)
{
    bool fits = address.len == ID_LENGTH && strchr("UCR", address.ptr[0]) && notify_is_word(slice_from(address, 1), "", 32, 32);
    return fits ? 0 : err_set(err, ERR_CONFIG, "\"%.*s\" is no LINE user, group or room; it is an id of U, C or R and 32 digits, as the "
                              "webhook of the channel tells it", SLICE_ARG(address));
}

static int check(const struct respond_notifier *row, struct err *err)
{
    if (row->to.len && check_address(row->to, err) < 0)
        return err_within(err, "to");
    return notify_check_url(row, err);
}

static struct slice body_of(const struct notifier_message *message, struct slice to)
{
    struct buffer text;
    struct json json;
    struct slice line = notify_line(message), more = notify_text(message, NOTIFY_TEXT_CHARS_MAX);
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "to", to);
    json_key(&json, "messages");
    json_open(&json, '[');
    json_open(&json, '{');
    json_put_text(&json, "type", SLICE("text"));
    json_put_text(&json, "text", arena_printf(message->arena, "%.*s\n%.*s", SLICE_ARG(line), SLICE_ARG(more)));
    json_close(&json, '}');
    json_close(&json, ']');
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    char uuid[NOTIFY_UUID_SIZE];
    struct slice to;
    (void)rand;
    if (!notify_find_address(message, &to, err))
        return NOTIFIER_REFUSED;
    notify_uuid(message->key, uuid);
    const struct http_fetch_header headers[] = {{"Authorization", notify_bearer(message, "Bearer", message->to->secret)},
                                                {"X-Line-Retry-Key", slice_text(uuid)}};
    const struct notify_http request = {message->to->url, "application/json", body_of(message, to), headers, ARRAY_COUNT(headers)};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_REFUSED && said.status == STATUS_KNOWN) { /* an attempt before was taken, its answer was lost */
        notify_receipt(answer, "request", http_fetch_header_of(said.headers, "x-line-accepted-request-id"));
        return NOTIFIER_SENT;
    }
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "request", http_fetch_header_of(said.headers, "x-line-request-id"));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(secret, .required = true, .secret = true, .summary = "the channel access token of the Messaging API"),
    NOTIFIER_OPTION(to, .summary = "user, group or room that news go to (U…, C…, R…)"),
    NOTIFIER_OPTION(url, .standard = "https://api.line.me/v2/bot/message/push", .summary = "of the push endpoint"),
};

const struct notifier notifier_line = {
    .name = "line",
    .summary = "a push message in LINE, by the Messaging API",
    .details = "Sent at most once however often it is tried (X-Line-Retry-Key).",
    .address = "a user's id, U and 32 digits, as the channel's webhook tells it when the person adds the account",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .check_address = check_address,
    .takes_news = notify_has_to,
    .send = post,
};
