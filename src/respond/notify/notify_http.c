#include "respond/notify/notify_http.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <sodium.h>
#include <stdio.h>

int notify_check_url(const struct respond_notifier *row, struct err *err)
{
    return http_fetch_check_ports(row->url, row->allow_private, err);
}

bool notify_find_address(const struct notifier_message *message, struct slice *out, struct err *err)
{
    *out = message->address.len ? message->address : message->to->to;
    if (!out->len)
        err_set(err, ERR_CONFIG, "notifier %.*s has no `to`: only persons with an address there can be told", SLICE_ARG(message->to->name));
    return out->len > 0;
}

bool notify_has_to(const struct respond_notifier *row)
{
    return row->to.len > 0;
}

/* ---- what the other side says ---- */

void notify_put_printable(struct slice text, size_t most, struct buffer *to)
{
    size_t end = to->len + most;
    while (text.len && to->len < end) {
        uint32_t c = 0;
        size_t len = utf8_decode(text, &c);
        if (len && c >= ' ' && (c < 0x7f || c > 0x9f) && c != 0x2028 && c != 0x2029)
            buffer_put(to, slice_sub(text, 0, len));
        else
            buffer_put_char(to, ' ');
        text = slice_from(text, len ? len : 1);
    }
}

static struct slice words_in(const struct json_node *json)
{
    static const char *const names[] = {"message", "error", "error_description", "detail", "title", "description"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct slice text = json_text_of(json_get(json, names[i]), SLICE_NONE);
        if (text.len)
            return text;
    }
    const struct json_node *list = json_get(json, "errors");
    return list && list->first ? json_text_of(list->first, json_text_of(json_get(list->first, "message"), SLICE_NONE)) : SLICE_NONE;
}

static int say_why(const struct notify_said *said, struct err *err)
{
    struct buffer text;
    struct slice words = said->json ? words_in(said->json) : said->body;
    buffer_init(&text, 4 * NOTIFY_SAID_MAX + 200);
    buffer_printf(&text, "the answer was HTTP %d", said->status);
    if (said->status >= 300 && said->status < 400)
        buffer_put_text(&text, "; redirects are not followed");
    if (words.len)
        buffer_put_text(&text, ": ");
    notify_put_printable(words, NOTIFY_SAID_MAX, &text);
    err_set(err, ERR_IO, "%.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
    return -1;
}

static enum notifier_result judge(const struct notify_said *said, struct err *err)
{
    if (said->status >= 200 && said->status < 300)
        return NOTIFIER_SENT;
    say_why(said, err);
    bool ours = said->status >= 300 && said->status < 500 && said->status != 408 && said->status != 425 && said->status != 429;
    return ours ? NOTIFIER_REFUSED : NOTIFIER_AGAIN;
}

void notify_receipt(struct notifier_answer *answer, const char *name, struct slice value)
{
    struct buffer text;
    if (!value.len)
        return;
    buffer_init(&text, 4096);
    buffer_printf(&text, "%s ", name);
    notify_put_printable(value, NOTIFIER_RECEIPT_SIZE - 40, &text);
    snprintf(answer->receipt, sizeof(answer->receipt), "%.*s", SLICE_ARG(buffer_slice(&text)));
    buffer_close(&text);
}

/* ---- one request ---- */

enum { HEADERS_MAX = 8 };

static int fetch(const struct notifier_message *message, const struct hin_net *net, const struct notify_http *asked,
                 struct http_fetch_reply *reply, struct err *err)
{
    struct http_fetch_header headers[HEADERS_MAX] = {{"Content-Type", slice_text(asked->type)}, {"Idempotency-Key", message->key}};
    size_t count = 2;
    for (size_t i = 0; i < asked->header_count && count < HEADERS_MAX; i++)
        headers[count++] = asked->headers[i];
    const struct http_fetch_request request = {
        .method = "POST", .url = asked->url, .headers = headers, .header_count = count, .body = asked->body,
        .ca_file = message->to->ca_file.len ? arena_string(message->arena, message->to->ca_file) : NULL,
        .timeout_ms = NOTIFY_TIMEOUT_MS, .reply_max = NOTIFY_ANSWER_BYTES,
        .allow_private = message->to->allow_private, .known_ports = true};
    if (!asked->body.ptr || !asked->url.ptr || (message->to->ca_file.len && !request.ca_file))
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        if (!headers[i].value.ptr)
            return err_nomem(err);
    return http_fetch(net, &request, reply, err);
}

enum notifier_result notify_ask(const struct notifier_message *message, const struct hin_net *net, const struct notify_http *request,
                                struct notify_said *said, struct notifier_answer *answer, struct err *err)
{
    struct buffer body, headers;
    struct http_fetch_reply reply = {.body = &body, .headers = &headers};
    *said = (struct notify_said){0};
    buffer_init(&body, NOTIFY_ANSWER_BYTES);
    buffer_init(&headers, HTTP_HEADER_BYTES_MAX);
    int result = fetch(message, net, request, &reply, err);
    if (result == 0) {
        said->status = reply.status;
        said->body = arena_copy(message->arena, buffer_slice(&body));
        said->headers = arena_copy(message->arena, buffer_slice(&headers));
        if (json_tree_parse(said->body, message->arena, &said->json, NULL) < 0)
            said->json = NULL;
    }
    buffer_close(&body);
    buffer_close(&headers);
    if (result < 0)
        return err && err->code == ERR_CONFIG ? NOTIFIER_REFUSED : NOTIFIER_AGAIN;
    answer->wait_s = reply.retry_after_s;
    snprintf(answer->receipt, sizeof(answer->receipt), "HTTP %d", reply.status);
    return judge(said, err);
}

/* ---- texts ---- */

struct slice notify_keep(struct buffer *buffer, struct arena *arena)
{
    struct slice copy = buffer_failed(buffer) ? SLICE_NONE : arena_copy(arena, buffer_slice(buffer));
    buffer_close(buffer);
    return copy;
}

struct slice notify_bearer(const struct notifier_message *message, const char *word, struct slice secret)
{
    return arena_printf(message->arena, "%s %.*s", word, SLICE_ARG(secret));
}

struct slice notify_basic(const struct notifier_message *message, struct slice user, struct slice password)
{
    struct buffer text;
    struct slice both = arena_printf(message->arena, "%.*s:%.*s", SLICE_ARG(user), SLICE_ARG(password));
    buffer_init(&text, 64 * KIB);
    buffer_put_text(&text, "Basic ");
    buffer_put_base64(&text, both);
    return notify_keep(&text, message->arena);
}

struct slice notify_cut(struct slice text, size_t chars, struct arena *arena)
{
    struct slice rest = text;
    uint32_t c;
    if (utf8_count(text) <= chars)
        return text;
    for (size_t i = 1; i < chars; i++) {
        size_t len = utf8_decode(rest, &c);
        rest = slice_from(rest, len ? len : 1);
    }
    return arena_printf(arena, "%.*s…", (int)(text.len - rest.len), text.ptr);
}

struct slice notify_line(const struct notifier_message *message)
{
    return notify_cut(notice_line(message->notice, message->arena), NOTIFY_LINE_CHARS_MAX, message->arena);
}

struct slice notify_text(const struct notifier_message *message, size_t chars)
{
    return notify_cut(notice_body(message->notice, message->arena), chars, message->arena);
}

void notify_uuid(struct slice key, char to[NOTIFY_UUID_SIZE])
{
    unsigned char bytes[16];
    char hex[33];
    crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)key.ptr, key.len, NULL, 0);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
    snprintf(to, NOTIFY_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void notify_put_form(struct buffer *to, const char *name, struct slice value)
{
    static const char plain[] = "-._~";
    buffer_printf(to, "%s%s=", to->len ? "&" : "", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool fits = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && (c & 0x40)) || (c && strchr(plain, c));
        buffer_printf(to, fits ? "%c" : "%%%02X", (unsigned char)c);
    }
}

bool notify_is_word(struct slice text, const char *more, size_t least, size_t most)
{
    bool fits = text.len >= least && text.len <= most;
    for (size_t i = 0; fits && i < text.len; i++) {
        char c = text.ptr[i];
        fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(more, c));
    }
    return fits;
}

int notify_check_number(struct slice address, struct err *err)
{
    bool fits = address.len >= 8 && address.len <= 16 && address.ptr[0] == '+' && address.ptr[1] >= '1' && address.ptr[1] <= '9';
    for (size_t i = 1; fits && i < address.len; i++)
        fits = address.ptr[i] >= '0' && address.ptr[i] <= '9';
    return fits ? 0 : err_set(err, ERR_CONFIG, "\"%.*s\" is no phone number; it is written such as +819012345678, without spaces", SLICE_ARG(address));
}

struct slice notify_button(const struct notice *notice, struct slice *words)
{
    bool answers = notice->answer_link.len > 0;
    if (slice_is(notice->language, "en"))
        *words = answers ? SLICE("Acknowledge") : SLICE("Open");
    else if (slice_is(notice->language, "ja"))
        *words = answers ? SLICE("受領する") : SLICE("開く");
    else
        *words = answers ? SLICE("受領する / Acknowledge") : SLICE("開く / Open");
    return answers ? notice->answer_link : notice->link;
}
