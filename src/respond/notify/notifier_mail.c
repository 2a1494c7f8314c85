/* A mail in plain UTF-8. The body is base64, so nothing in it is a line of the protocol or of the header; the Message-ID
 * comes from the key, so that mail programs show repeated attempts once. */
#include "respond/notify/notify_http.h"

#include "base/limits.h"
#include "base/time.h"
#include "base/utf8.h"
#include "net/mail.h"

#include <stdio.h>

enum { BODY_CHARS = 20000, WORD_BYTES = 39 /* base64 of it and its frame within the 75 characters of RFC 2047 */, LINE_BYTES = 57 };

extern const struct notifier notifier_mail;

/* Of RFC 5322 what is in use: a dot-atom, and a domain with a dot; no quotes, comments, literals. */
static int check_address(struct slice address, struct err *err)
{
    struct slice local, domain;
    bool fits = slice_cut(address, '@', &local, &domain) && notify_is_word(local, "!#$%&'*+-/=?^_`{|}~.", 1, 64) &&
                notify_is_word(domain, "-.", 3, 253) && slice_find_char(domain, '.') > 0 && domain.ptr[domain.len - 1] != '.';
    return fits ? 0 : err_set(err, ERR_CONFIG, "\"%.*s\" is no mail address such as sato@example.jp", SLICE_ARG(address));
}

static int check(const struct respond_notifier *row, struct err *err)
{
    if (check_address(row->from, err) < 0)
        return err_within(err, "from");
    if (row->to.len && check_address(row->to, err) < 0)
        return err_within(err, "to");
    if (row->user.len && !row->password.len)
        return err_set(err, ERR_CONFIG, "user needs a password");
    return mail_check(row->url, row->allow_private, err);
}

/* RFC 2047: words of whole characters, each on a line of its own. */
static void put_words(struct buffer *to, struct slice text)
{
    while (text.len) {
        size_t len = 0;
        while (len < text.len) {
            uint32_t c;
            size_t one = utf8_decode(slice_from(text, len), &c);
            if (len + (one ? one : 1) > WORD_BYTES)
                break;
            len += one ? one : 1;
        }
        buffer_put_text(to, "=?UTF-8?B?");
        buffer_put_base64(to, slice_sub(text, 0, len));
        text = slice_from(text, len);
        buffer_put_text(to, text.len ? "?=\r\n " : "?=");
    }
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return text.len < 60 && slice_find(text, SLICE("=?")) < 0;
}

static void put_subject(const struct notifier_message *message, struct buffer *to)
{
    struct slice line = notify_line(message), token = message->notice->reply_token;
    buffer_put_text(to, "Subject: ");
    if (is_printable(line))
        buffer_put(to, line);
    else
        put_words(to, line);
    if (token.len)
        buffer_printf(to, "\r\n [HIN:%.*s]", SLICE_ARG(token));
    buffer_put_text(to, "\r\n");
}

/* "Fri, 26 Jan 2018 00:00:00 +0000" */
static void put_date(int64_t time_ns, struct buffer *to)
{
    char text[64];
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm parts;
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    gmtime_r(&seconds, &parts);
    snprintf(text, sizeof(text), "%.3s, %02d %.3s %d %02d:%02d:%02d +0000", days + 3 * parts.tm_wday, parts.tm_mday, months + 3 * parts.tm_mon,
             parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    buffer_printf(to, "Date: %s\r\n", text);
}

static void put_header(const struct notifier_message *message, struct slice to_address, struct buffer *to)
{
    const struct respond_notifier *row = message->to;
    struct slice local, domain = SLICE("hinomi.invalid");
    char id[NOTIFY_UUID_SIZE];
    slice_cut(row->from, '@', &local, &domain);
    notify_uuid(message->key, id);
    put_date(message->notice->sent_ns, to);
    buffer_printf(to, "From: Hinomi <%.*s>\r\nTo: <%.*s>\r\n", SLICE_ARG(row->from), SLICE_ARG(to_address));
    put_subject(message, to);
    buffer_printf(to, "Message-ID: <%s@%.*s>\r\n", id, SLICE_ARG(domain));
    if (notify_is_word(message->notice->incident, "-", 1, 40)) /* mail programs show one incident as one thread */
        buffer_printf(to, "References: <%.*s@%.*s>\r\n", SLICE_ARG(message->notice->incident), SLICE_ARG(domain));
    buffer_put_text(to, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\n");
}

static struct slice mail_of(const struct notifier_message *message, struct slice to_address)
{
    struct buffer mail;
    struct slice text = notify_text(message, BODY_CHARS);
    buffer_init(&mail, NOTICE_BYTES_MAX);
    put_header(message, to_address, &mail);
    for (size_t at = 0; at < text.len; at += LINE_BYTES) {
        buffer_put_base64(&mail, slice_sub(text, at, LINE_BYTES));
        buffer_put_text(&mail, "\r\n");
    }
    return notify_keep(&mail, message->arena);
}

static enum notifier_result judge(int status, const struct err *err)
{
    return status >= 500 || (err && err->code == ERR_CONFIG) ? NOTIFIER_REFUSED : NOTIFIER_AGAIN;
}

static enum notifier_result post(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err)
{
    const struct respond_notifier *row = message->to;
    struct mail_reply reply = {0};
    struct slice to;
    (void)rand;
    if (!notify_find_address(message, &to, err) || check_address(to, err) < 0)
        return NOTIFIER_REFUSED;
    const struct mail_request request = {
        .url = row->url, .user = row->user, .password = row->password, .from = row->from, .to = to, .message = mail_of(message, to),
        .ca_file = row->ca_file.len ? arena_string(message->arena, row->ca_file) : NULL, .timeout_ms = NOTIFY_TIMEOUT_MS,
        .allow_private = row->allow_private};
    if (!request.message.ptr) {
        err_nomem(err);
        return NOTIFIER_AGAIN;
    }
    if (mail_send(net, &request, &reply, err) < 0)
        return judge(reply.status, err);
    snprintf(answer->receipt, sizeof(answer->receipt), "%s", reply.line);
    return NOTIFIER_SENT;
}

static const struct notifier_option options[] = {
    NOTIFIER_OPTION(url, .required = true, .summary = "the mail server: smtps://host (465), or smtp://host:587, which must offer STARTTLS"),
    NOTIFIER_OPTION(from, .required = true, .summary = "the address mails come from, and answers go to"),
    NOTIFIER_OPTION(to, .summary = "the address that news go to; without it persons only"),
    NOTIFIER_OPTION(user, .summary = "what it signs in with"),
    NOTIFIER_OPTION(password, .secret = true, .summary = "of the user"),
};

const struct notifier notifier_mail = {
    .name = "mail",
    .summary = "a mail, by SMTP with TLS",
    .details = "Plain UTF-8 text. Without TLS nothing is sent, save to a server on this machine (allow_private). A page has a mark in its subject, "
               "[HIN:…]; a reply that keeps it acknowledges (mailbox: in the configuration).",
    .address = "a mail address",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = check,
    .check_address = check_address,
    .takes_news = notify_has_to,
    .send = post,
};
