/* RFC 5424 over UDP, TCP or TLS. Frames are counted (RFC 6587, RFC 5425) and control characters are spaces, so no text
 * makes a second message. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"
#include "base/time.h"
#include "net/target.h"
#include "net/wire.h"

#include <stdio.h>
#include <unistd.h>

enum { FACILITY_AUDIT = 13, TEXT_CHARS = 1500, DATAGRAM_MAX = 8192 };

extern const struct notifier notifier_syslog;

static const uint16_t ports[] = {514, 601, 6514, 0};

static struct wire_request request_of(const struct respond_notifier *row)
{
    return (struct wire_request){.url = row->url, .ports = ports, .timeout_ms = NOTIFY_TIMEOUT_MS, .allow_private = row->allow_private};
}

static int check(const struct respond_notifier *row, struct err *err)
{
    const struct wire_request request = request_of(row);
    if (slice_starts(row->url, SLICE("imap")))
        return err_set(err, ERR_CONFIG, "only tls URLs are asked, such as tls://host:6514");
    return wire_check(&request, err);
}

/* PARAM-VALUE: backslash, quote and bracket have a backslash before them. */
static void put_param(struct buffer *to, const char *name, struct slice value)
{
    if (!value.len)
        return;
    buffer_printf(to, " %s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\' || value.ptr[i] == ']')
            buffer_put_char(to, '\\');
        buffer_put_char(to, value.ptr[i]);
    }
    buffer_put_char(to, '"');
}

/* One line: the text's line ends are " | ". */
static void put_text(const struct notifier_message *message, struct buffer *to)
{
    struct slice line, rest = notify_text(message, TEXT_CHARS);
    buffer_put_text(to, "\xef\xbb\xbf");
    buffer_put(to, notify_line(message));
    while (slice_next_line(&rest, &line))
        if (line.len) {
            buffer_put_text(to, " | ");
            buffer_put(to, line);
        }
}

static struct slice line_of(const struct notifier_message *message)
{
    static const int severities[] = {6, 5, 4, 3, 2};
    const struct notice *notice = message->notice;
    char host[256] = "-", when[TIME_TEXT_SIZE];
    struct buffer text;
    when[time_format(notice->sent_ns / NS_PER_US * NS_PER_US, when)] = '\0'; /* at most six digits */
    if (gethostname(host, sizeof(host) - 1) < 0 || !notify_is_word(slice_text(host), "-.", 1, 255))
        snprintf(host, sizeof(host), "-");
    buffer_init(&text, NOTICE_BYTES_MAX);
    buffer_printf(&text, "<%d>1 %s %s hinomi %d %.*s [hinomi@32473", FACILITY_AUDIT * 8 + severities[notice->severity], when, host,
                  (int)getpid(), SLICE_ARG(notify_is_word(notice->event, "", 1, 32) ? notice->event : SLICE("-")));
    put_param(&text, "incident", notice_plain(notice->incident, message->arena));
    put_param(&text, "severity", slice_text(severity_name(notice->severity)));
    put_param(&text, "key", message->key);
    put_param(&text, "link", net_plain_text(notice->link) ? notice->link : SLICE_NONE);
    buffer_put_text(&text, "] ");
    put_text(message, &text);
    return notify_keep(&text, message->arena);
}

static int deliver(const struct notifier_message *message, const struct hin_net *net, struct slice line, struct err *err)
{
    struct wire_request request = request_of(message->to);
    struct wire *wire;
    bool datagram = slice_starts(message->to->url, SLICE("udp:"));
    if (datagram && line.len > DATAGRAM_MAX)
        return err_set(err, ERR_LIMIT, "the message is longer than a datagram of %d bytes", DATAGRAM_MAX);
    request.ca_file = message->to->ca_file.len ? arena_string(message->arena, message->to->ca_file) : NULL;
    struct slice frame = datagram ? line : arena_printf(message->arena, "%zu %.*s", line.len, SLICE_ARG(line));
    if (!line.ptr || !frame.ptr)
        return err_nomem(err);
    if (wire_open(net, &request, &wire, err) < 0)
        return -1;
    int result = wire_send(wire, frame, err);
    wire_close(wire);
    return result;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    (void)rand;
    struct slice line = line_of(message);
    if (deliver(message, net, line, err) < 0)
        return err && (err->code == ERR_CONFIG || err->code == ERR_LIMIT) ? NOTIFIER_REFUSED : NOTIFIER_AGAIN;
    snprintf(answer->receipt, sizeof(answer->receipt), "%zu bytes sent; syslog does not confirm", line.len);
    return NOTIFIER_SENT;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "tls://host:6514; tcp://host:514 and udp://host:514 with allow_private"),
};

const struct notifier notifier_syslog = {
    .name = "syslog",
    .summary = "a syslog message (RFC 5424), by TLS, TCP or UDP",
    .details = "Facility 13 (log audit). Syslog does not confirm: a receipt says that the bytes left this machine.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .send = post,
};
