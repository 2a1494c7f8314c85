/* Opsgenie's alert API, which Jira Service Management and others speak as well. The alias is the incident: what has an
 * open alert there is counted, not made again, and closing goes by it. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"

extern const struct notifier notifier_opsgenie;

enum { MESSAGE_CHARS = 130, ALIAS_MAX = 512 };

static int check_address(struct slice address, struct err *err)
{
    bool mail = slice_find_char(address, '@') > 0 && notify_is_word(address, "@.-_+", 3, 100);
    return mail ? 0 : err_set(err, ERR_CONFIG, "\"%.*s\" is no user of Opsgenie; it is the mail address the person signs in with", SLICE_ARG(address));
}

static struct slice alias_of(const struct notifier_message *message)
{
    const struct notice *notice = message->notice;
    bool watch = slice_is(notice->event, "down") || slice_is(notice->event, "recovered");
    struct slice name = watch ? notice->link : notice->incident;
    if (slice_is(notice->event, "drill") || slice_is(notice->event, "test") || !name.len)
        name = message->key;
    return slice_sub(arena_printf(message->arena, "hinomi:%.*s", SLICE_ARG(name)), 0, ALIAS_MAX);
}

static void put_responder(struct json *json, const struct notifier_message *message)
{
    bool person = message->address.len > 0;
    struct slice who = person ? message->address : message->to->to;
    if (!who.len)
        return;
    json_key(json, "responders");
    json_open(json, '[');
    json_open(json, '{');
    json_put_text(json, "type", person ? SLICE("user") : SLICE("team"));
    json_put_text(json, person ? "username" : "name", who);
    json_close(json, '}');
    json_close(json, ']');
}

static struct slice alert_of(const struct notifier_message *message)
{
    static const char *const priorities[] = {"P5", "P4", "P3", "P2", "P1"};
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "message", notify_cut(notify_line(message), MESSAGE_CHARS, message->arena));
    json_put_text(&json, "alias", alias_of(message));
    json_put_text(&json, "description", notify_text(message, NOTIFY_TEXT_CHARS_MAX));
    json_put_text(&json, "priority", slice_text(priorities[message->notice->severity]));
    json_put_text(&json, "source", SLICE("Hinomi"));
    put_responder(&json, message);
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

static struct slice note_of(const struct notifier_message *message)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "source", SLICE("Hinomi"));
    json_put_text(&json, "note", notify_line(message));
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

/* ".../v2/alerts", or ".../v2/alerts/ALIAS/close?identifierType=alias" */
static struct slice url_of(const struct notifier_message *message, const char *deed)
{
    struct buffer alias;
    struct slice base = message->to->url;
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    if (!deed)
        return base;
    buffer_init(&alias, 16 * KIB);
    notify_put_form(&alias, "", alias_of(message)); /* the same escapes as in a path */
    struct slice all = arena_printf(message->arena, "%.*s/%.*s/%s?identifierType=alias", SLICE_ARG(base),
                                    SLICE_ARG(slice_from(buffer_slice(&alias), 1)), deed);
    buffer_close(&alias);
    return all;
}

static const char *deed_of(const struct notice *notice)
{
    bool ends = slice_is(notice->event, "closed") || slice_is(notice->event, "recovered");
    return ends ? "close" : slice_is(notice->event, "acknowledged") ? "acknowledge" : NULL;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    const char *deed = deed_of(message->notice);
    (void)rand;
    const struct http_fetch_header header = {"Authorization", notify_bearer(message, "GenieKey", message->to->secret)};
    const struct notify_http request = {url_of(message, deed), "application/json", deed ? note_of(message) : alert_of(message), &header, 1};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "request", json_text_of(json_get(said.json, "requestId"), SLICE_NONE));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(secret, .required = true, .secret = true, .summary = "the key of an API integration"),
    NOTIFIER_OPTION(to, .summary = "the team that news go to; without it the integration's own"),
    NOTIFIER_OPTION(url, .standard = "https://api.opsgenie.com/v2/alerts", .summary = "of the alert API; in the EU https://api.eu.opsgenie.com/v2/alerts"),
};

const struct notifier notifier_opsgenie = {
    .name = "opsgenie",
    .summary = "Opsgenie, or what speaks its alert API",
    .details = "An incident here is one alert there (alias): made, acknowledged and closed with it.",
    .address = "the mail address the person signs in with there",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = notify_check_url,
    .check_address = check_address,
    .send = post,
};
