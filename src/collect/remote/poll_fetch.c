#include "collect/remote/poll_fetch.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cut/url.h"
#include "cut/yaml.h"
#include "net/inflate.h"

#include <stdio.h>

enum { HEADERS_MAX = 32, INFLATE_RATIO_MAX = 1000, SHOWN_BYTES = 160 };
#define KEPT_BYTES (4 * MIB)

int poll_fetch_check(const struct collector_settings *settings, struct err *err)
{
    const struct yaml_node *node = settings_node(settings, "headers");
    if (!node)
        return 0;
    if (node->kind != YAML_MAPPING || node->count > HEADERS_MAX)
        return yaml_err(err, node, "headers: up to %d names with their values are needed, such as {Accept: application/json}", HEADERS_MAX);
    for (size_t i = 0; i < node->count; i++)
        if (!yaml_text(node->entries[i].value, SLICE_NONE).ptr)
            return yaml_err(err, node->entries[i].key, "headers: the value has to be a text");
    return 0;
}

static int read_headers(struct poll_fetch *fetch, struct err *err)
{
    const struct yaml_node *node = settings_node(fetch->reader->settings, "headers");
    if (!node)
        return 0;
    fetch->headers = mem_calloc(node->count + 1, sizeof(*fetch->headers));
    if (!fetch->headers)
        return err_nomem(err);
    for (size_t i = 0; i < node->count; i++) {
        char *name = mem_strdup(node->entries[i].key->text.ptr, node->entries[i].key->text.len);
        if (!name)
            return err_nomem(err);
        fetch->headers[fetch->header_count++] =
            (struct http_fetch_header){name, yaml_text(node->entries[i].value, SLICE(""))};
    }
    return 0;
}

int poll_fetch_init(struct poll_fetch *fetch, struct reader_thread *reader, struct err *err)
{
    *fetch = (struct poll_fetch){.reader = reader, .rand = rand_real()};
    poll_auth_init(&fetch->auth, reader);
    buffer_init(&fetch->body, POLL_ANSWER_BYTES_MAX);
    buffer_init(&fetch->plain, POLL_ANSWER_BYTES_MAX + 1 * MIB);
    buffer_init(&fetch->answer_headers, HTTP_HEADER_BYTES_MAX);
    fetch->arena = arena_new(4 * MIB);
    return fetch->arena ? read_headers(fetch, err) : err_nomem(err);
}

void poll_fetch_close(struct poll_fetch *fetch)
{
    poll_auth_close(&fetch->auth);
    for (size_t i = 0; i < fetch->header_count; i++)
        mem_free((char *)(uintptr_t)fetch->headers[i].name);
    mem_free(fetch->headers);
    arena_free(fetch->arena);
    buffer_close(&fetch->body);
    buffer_close(&fetch->plain);
    buffer_close(&fetch->answer_headers);
}

struct slice poll_fetch_body(const struct poll_fetch *fetch)
{
    return fetch->plain.len ? buffer_slice(&fetch->plain) : buffer_slice(&fetch->body);
}

struct slice poll_fetch_headers(const struct poll_fetch *fetch)
{
    return buffer_slice(&fetch->answer_headers);
}

static bool wait_for(struct poll_fetch *fetch, const char *sentence, int64_t asked_s)
{
    int64_t wait_ns = reader_backoff_ns(++fetch->failures, fetch->rand);
    if (asked_s > READER_ASKED_WAIT_MAX_S)
        asked_s = READER_ASKED_WAIT_MAX_S;
    if (asked_s > 0) /* a little later, so that not all who were told come at once */
        wait_ns = asked_s * NS_PER_SECOND + (int64_t)rand_below(fetch->rand, NS_PER_SECOND / 4);
    reader_say(fetch->reader, sentence);
    return reader_sleep(fetch->reader, wait_ns);
}

bool poll_fetch_fail(struct poll_fetch *fetch, const char *sentence)
{
    return wait_for(fetch, sentence, 0);
}

/* ---- whom to ask ---- */

static bool same_host(struct slice url, struct slice known)
{
    struct url a, b;
    url_cut(url, &a);
    url_cut(known, &b);
    return known.len && slice_equal_nocase(a.scheme, b.scheme) && slice_equal_nocase(a.domain, b.domain) &&
           slice_equal(a.port, b.port) && !a.username.len;
}

static bool may_ask(const struct poll_fetch *fetch, struct slice url)
{
    static const char *const options[] = {"url", "fetch_url", "prepare_url"};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        if (same_host(url, settings_text(fetch->reader->settings, options[i])))
            return true;
    return false;
}

/* Without its query: that may be long. */
static struct slice shown(struct slice url)
{
    ptrdiff_t end = slice_find_char(url, '?');
    return slice_sub(url, 0, end < 0 ? SHOWN_BYTES : end > SHOWN_BYTES ? SHOWN_BYTES : (size_t)end);
}

/* ---- one try ---- */

/* Empty; what a large answer took is given back. */
static void empty(struct buffer *buffer)
{
    size_t max = buffer->max;
    if (buffer->size > KEPT_BYTES) {
        buffer_close(buffer);
        buffer_init(buffer, max);
    }
    buffer_clear(buffer);
}

static int send_request(struct poll_fetch *fetch, const struct poll_request *wanted, struct http_fetch_reply *reply, struct err *err)
{
    struct http_fetch_header headers[HEADERS_MAX + POLL_AUTH_HEADERS];
    size_t count;
    arena_reset(fetch->arena);
    empty(&fetch->body);
    empty(&fetch->plain);
    buffer_clear(&fetch->answer_headers);
    if (poll_auth_headers(&fetch->auth, wanted->method, wanted->url, wanted->body.ptr ? wanted->body : SLICE(""), fetch->arena,
                          headers, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < fetch->header_count; i++)
        headers[count++] = fetch->headers[i];
    struct http_fetch_request request;
    poll_request_init(fetch->reader, &request);
    request.method = wanted->method;
    request.url = wanted->url;
    request.headers = headers;
    request.header_count = count;
    request.body = wanted->body;
    request.reply_max = POLL_ANSWER_BYTES_MAX;
    *reply = (struct http_fetch_reply){.body = &fetch->body, .headers = &fetch->answer_headers};
    if (http_fetch(fetch->reader->host->net, &request, reply, err) < 0)
        return -1;
    return buffer_failed(&fetch->body) ? err_nomem(err) : 0;
}

static int unpack(struct poll_fetch *fetch, struct err *err)
{
    struct slice body = buffer_slice(&fetch->body);
    if (!slice_starts(body, SLICE("\x1f\x8b")))
        return 0;
    return inflate_body(INFLATE_GZIP, body, POLL_ANSWER_BYTES_MAX, INFLATE_RATIO_MAX, &fetch->plain, err);
}

/* Seconds that the other side wants to be left alone; 0: it did not say. */
static int64_t asked_wait_s(const struct poll_fetch *fetch, const struct http_fetch_reply *reply)
{
    static const char *const resets[] = {"x-rate-limit-reset", "x-ratelimit-reset"};
    int64_t until;
    if (reply->retry_after_s || (reply->status != 429 && reply->status != 403))
        return reply->retry_after_s;
    for (size_t i = 0; i < ARRAY_COUNT(resets); i++)
        if (slice_to_i64(http_fetch_header_of(poll_fetch_headers(fetch), resets[i]), &until)) {
            int64_t wait = until - clock_wall_ns(fetch->reader->host->sink->clock) / NS_PER_SECOND;
            return wait > 0 ? wait : 0;
        }
    return 0;
}

static bool is_gone(int status)
{
    return status == 400 || status == 404 || status == 410;
}

static void describe(const struct poll_fetch *fetch, const struct poll_request *request, int status, char to[ERR_TEXT_SIZE])
{
    struct slice body = slice_sub(buffer_slice(&fetch->body), 0, SHOWN_BYTES), url = shown(request->url);
    snprintf(to, ERR_TEXT_SIZE, "%.*s answered %d: %.*s", SLICE_ARG(url), status, SLICE_ARG(body));
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
}

enum verdict { VERDICT_GOT, VERDICT_GONE, VERDICT_AGAIN, VERDICT_NOW, VERDICT_STOP };

/* Anything but AGAIN leaves why and wait_s alone. */
static enum verdict try_once(struct poll_fetch *fetch, const struct poll_request *request, char why[ERR_TEXT_SIZE], int64_t *wait_s)
{
    struct http_fetch_reply reply;
    struct err err;
    *wait_s = 0;
    if (send_request(fetch, request, &reply, &err) < 0) {
        snprintf(why, ERR_TEXT_SIZE, "%s", err.text);
        *wait_s = fetch->auth.retry_after_s;
        return err.code == ERR_CANCELLED ? VERDICT_STOP : VERDICT_AGAIN;
    }
    fetch->status = reply.status;
    if (reply.status == 401 && poll_auth_renew(&fetch->auth) && fetch->failures == 0) {
        fetch->failures++;
        return VERDICT_NOW;
    }
    if (reply.status / 100 != 2) {
        describe(fetch, request, reply.status, why);
        *wait_s = asked_wait_s(fetch, &reply);
        return request->may_be_gone && is_gone(reply.status) ? VERDICT_GONE : VERDICT_AGAIN;
    }
    if (!reply.cut && unpack(fetch, &err) == 0)
        return VERDICT_GOT;
    if (!reply.cut && request->is_object && err.code == ERR_INPUT) {
        buffer_clear(&fetch->plain); /* damaged where it is kept: it stays as it came */
        return VERDICT_GOT;
    }
    struct slice url = shown(request->url);
    if (reply.cut)
        snprintf(why, ERR_TEXT_SIZE, "the answer of %.*s is over %zu MiB; ask for smaller pages", SLICE_ARG(url),
                 (size_t)(POLL_ANSWER_BYTES_MAX / MIB));
    else
        snprintf(why, ERR_TEXT_SIZE, "the answer of %.*s cannot be unpacked: %.300s", SLICE_ARG(url), err.text);
    return request->is_object ? VERDICT_GONE : VERDICT_AGAIN;
}

enum poll_result poll_fetch_get(struct poll_fetch *fetch, const struct poll_request *request)
{
    char why[ERR_TEXT_SIZE];
    int64_t wait_s;
    if (!may_ask(fetch, request->url)) {
        struct slice url = shown(request->url);
        snprintf(why, sizeof(why), "the answer leads to %.*s, which is not a host of the configuration and is not asked", SLICE_ARG(url));
        return poll_fetch_fail(fetch, why) ? POLL_GONE : POLL_STOP;
    }
    for (;;) {
        switch (try_once(fetch, request, why, &wait_s)) {
        case VERDICT_GOT:
            fetch->failures = 0;
            reader_say(fetch->reader, NULL);
            return POLL_GOT;
        case VERDICT_GONE:
            return poll_fetch_fail(fetch, why) ? POLL_GONE : POLL_STOP;
        case VERDICT_STOP:
            return POLL_STOP;
        case VERDICT_NOW:
            break;
        case VERDICT_AGAIN:
            if (!wait_for(fetch, why, wait_s))
                return POLL_STOP;
            break;
        }
        if (reader_is_stopping(fetch->reader))
            return POLL_STOP;
    }
}
