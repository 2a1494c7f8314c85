/* PagerDuty, Events API v2. The dedup_key is the incident, so that what grows stays one and what closes is resolved there;
 * it also makes repeated attempts one. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"

extern const struct notifier notifier_pagerduty;

enum { KEY_LENGTH = 32, DEDUP_MAX = 255 };

static int check_address(struct slice address, struct err *err)
{
    return notify_is_word(address, "", KEY_LENGTH, KEY_LENGTH)
               ? 0
               : err_set(err, ERR_CONFIG, "a PagerDuty integration key has %d letters and digits", KEY_LENGTH);
}

static int check(const struct respond_notifier *row, struct err *err)
{
    return check_address(row->secret, err) < 0 ? -1 : notify_check_url(row, err);
}

static bool is_watch(const struct notice *notice)
{
    return slice_is(notice->event, "down") || slice_is(notice->event, "recovered");
}

static struct slice action_of(const struct notice *notice)
{
    if (slice_is(notice->event, "closed") || slice_is(notice->event, "recovered"))
        return SLICE("resolve");
    return slice_is(notice->event, "acknowledged") ? SLICE("acknowledge") : SLICE("trigger");
}

/* A drill or a test is one of its own. */
static struct slice dedup_of(const struct notifier_message *message)
{
    const struct notice *notice = message->notice;
    struct slice name = is_watch(notice) ? notice->link : notice->incident;
    if (slice_is(notice->event, "drill") || slice_is(notice->event, "test") || !name.len)
        name = message->key;
    struct slice all = arena_printf(message->arena, "hinomi:%.*s", SLICE_ARG(name));
    return slice_sub(all, 0, DEDUP_MAX);
}

static void put_payload(const struct notifier_message *message, struct json *json)
{
    static const char *const severities[] = {"info", "info", "warning", "error", "critical"};
    json_key(json, "payload");
    json_open(json, '{');
    json_put_text(json, "summary", notify_line(message));
    json_put_text(json, "source", message->notice->link.len ? message->notice->link : SLICE("hinomi"));
    json_put_text(json, "severity", slice_text(severities[message->notice->severity]));
    json_put_time(json, "timestamp", message->notice->sent_ns);
    json_put_text(json, "component", SLICE("hinomi"));
    json_put_text(json, "class", message->notice->event);
    json_key(json, "custom_details");
    json_open(json, '{');
    json_put_text(json, "text", notify_text(message, NOTIFY_TEXT_CHARS_MAX));
    json_close(json, '}');
    json_close(json, '}');
}

static void put_link(const struct notice *notice, struct json *json)
{
    struct slice words, link = notify_button(notice, &words);
    if (!link.len)
        return;
    json_key(json, "links");
    json_open(json, '[');
    json_open(json, '{');
    json_put_text(json, "href", link);
    json_put_text(json, "text", words);
    json_close(json, '}');
    json_close(json, ']');
}

static struct slice body_of(const struct notifier_message *message)
{
    struct buffer text;
    struct json json;
    struct slice action = action_of(message->notice);
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "routing_key", message->address.len ? message->address : message->to->secret);
    json_put_text(&json, "event_action", action);
    json_put_text(&json, "dedup_key", dedup_of(message));
    if (slice_is(action, "trigger")) {
        put_payload(message, &json);
        put_link(message->notice, &json);
        json_put_text(&json, "client", SLICE("Hinomi"));
    }
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
        notify_receipt(answer, "dedup_key", json_text_of(json_get(said.json, "dedup_key"), SLICE_NONE));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(secret, .required = true, .secret = true, .summary = "the integration key (Events API v2) of the service that news go to"),
    NOTIFIER_OPTION(url, .standard = "https://events.pagerduty.com/v2/enqueue", .summary = "of the Events API; in the EU https://events.eu.pagerduty.com/v2/enqueue"),
};

const struct notifier notifier_pagerduty = {
    .name = "pagerduty",
    .summary = "PagerDuty, by the Events API v2",
    .details = "An incident here is one alert there (dedup_key): it is triggered, grows, is acknowledged and is resolved with it.",
    .address = "the integration key of a service whose escalation reaches the person",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .check_address = check_address,
    .send = post,
};
