/* ntfy: published as JSON at the server's root, so that no text goes through a header. */
#include "respond/notify/notify_http.h"

enum { TEXT_CHARS = 1200 /* ntfy makes a file of more than 4,096 bytes */ };

extern const struct notifier notifier_ntfy;

static int check_address(struct slice address, struct err *err)
{
    return notify_is_word(address, "-_", 1, 64) ? 0
                                                : err_set(err, ERR_CONFIG, "\"%.*s\" is no topic of ntfy; it has 1 to 64 letters, digits, - and _",
                                                          SLICE_ARG(address));
}

/* "https://ntfy.sh/topic": the server, and the topic, which may be none. */
static bool cut_url(struct slice url, struct slice *server, struct slice *topic)
{
    ptrdiff_t host = slice_find(url, SLICE("://"));
    *server = url;
    *topic = SLICE("");
    for (size_t i = url.len; host >= 0 && i > (size_t)host + 3; i--)
        if (url.ptr[i - 1] == '/') {
            *server = slice_sub(url, 0, i);
            *topic = slice_from(url, i);
            break;
        }
    return host >= 0;
}

static bool takes_news(const struct respond_notifier *row)
{
    struct slice server, topic;
    return cut_url(row->url, &server, &topic) && topic.len;
}

static int check(const struct respond_notifier *row, struct err *err)
{
    struct slice server, topic;
    if (cut_url(row->url, &server, &topic) && topic.len && check_address(topic, err) < 0)
        return err_within(err, "url");
    if (row->user.len && row->secret.len)
        return err_set(err, ERR_CONFIG, "either user and password, or a token as secret");
    return notify_check_url(row, err);
}

/* 1 to 5; who is paged is called by the loudest. */
static int64_t priority_of(const struct notice *notice)
{
    static const int64_t by_severity[] = {2, 2, 3, 4, 5};
    return slice_is(notice->event, "page") || slice_is(notice->event, "down") ? 5 : by_severity[notice->severity];
}

static void put_action(struct json *json, const struct notice *notice)
{
    struct slice words, link = notify_button(notice, &words);
    if (!link.len)
        return;
    json_put_text(json, "click", notice->link.len ? notice->link : link);
    json_key(json, "actions");
    json_open(json, '[');
    json_open(json, '{');
    json_put_text(json, "action", SLICE("view"));
    json_put_text(json, "label", words);
    json_put_text(json, "url", link);
    json_close(json, '}');
    json_close(json, ']');
}

static struct slice body_of(const struct notifier_message *message, struct slice topic)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, NOTICE_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "topic", topic);
    json_put_text(&json, "title", notify_line(message));
    json_put_text(&json, "message", notify_text(message, TEXT_CHARS));
    json_put_i64(&json, "priority", priority_of(message->notice));
    put_action(&json, message->notice);
    json_close(&json, '}');
    return notify_keep(&text, message->arena);
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    struct notify_said said;
    struct slice server, topic;
    const struct respond_notifier *row = message->to;
    (void)rand;
    cut_url(row->url, &server, &topic);
    if (message->address.len)
        topic = message->address;
    if (!topic.len) {
        err_set(err, ERR_CONFIG, "notifier %.*s has no topic in its url: only persons with an address there can be told", SLICE_ARG(row->name));
        return NOTIFIER_REFUSED;
    }
    const struct http_fetch_header header = {"Authorization", row->secret.len ? notify_bearer(message, "Bearer", row->secret)
                                                                              : notify_basic(message, row->user, row->password)};
    const struct notify_http request = {server, "application/json", body_of(message, topic), &header, row->secret.len || row->user.len};
    enum notifier_result result = notify_ask(message, net, &request, &said, answer, err);
    if (result == NOTIFIER_SENT)
        notify_receipt(answer, "message", json_text_of(json_get(said.json, "id"), SLICE_NONE));
    return result;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "the server and the topic of news: https://ntfy.sh/TOPIC; without a topic it reaches persons only"),
    NOTIFIER_OPTION(secret, .secret = true, .summary = "an access token (tk_…)"),
    NOTIFIER_OPTION(user, .summary = "with password, instead of a token"),
    NOTIFIER_OPTION(password, .secret = true, .summary = "of the user"),
};

const struct notifier notifier_ntfy = {
    .name = "ntfy",
    .summary = "a push message to phones by ntfy, of ntfy.sh or a server of your own",
    .details = "A page comes with the highest priority, which rings through; news by their severity.",
    .address = "a topic that the person's phone has subscribed to",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .check_address = check_address,
    .takes_news = takes_news,
    .send = post,
};
