#include "net/http_client.h"

#include "base/limits.h"
#include "net/mail.h"
#include "net/resolver.h"
#include "net/target.h"
#include "net/wire.h"

#include <stdio.h>

enum { HEADER_MAX = 16 * 1024 };

/* One request on its way. */
struct transfer {
    const struct http_fetch_request *request;
    struct http_fetch_reply *reply;
    struct net_target target;
    const struct late_curl *lib;
    struct curl_slist *headers;
    bool cancelled;
};

int http_fetch_check(struct slice url, bool allow_private, struct err *err)
{
    struct net_target target;
    if (net_target_read(url, &net_rule_https, allow_private, &target, err) < 0)
        return -1;
    net_target_close(&target);
    return 0;
}

int http_fetch_check_ports(struct slice url, bool allow_private, struct err *err)
{
    struct net_target target;
    if (net_target_read(url, &net_rule_https_ports, allow_private, &target, err) < 0)
        return -1;
    net_target_close(&target);
    return 0;
}

/* ---- the exchange ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct http_fetch_reply *reply = transfer->reply;
    size_t len = size * count;
    if (transfer->request->take) {
        reply->cut = !transfer->request->take(transfer->request->take_context, slice_of(bytes, len));
        return reply->cut ? 0 : len;
    }
    if (!reply->body) {
        reply->cut = len > 0;
        return 0; /* ends the transfer: the status is known by now */
    }
    size_t most = transfer->request->reply_max ? transfer->request->reply_max : HTTP_FETCH_REPLY_MAX;
    if (len > most - reply->body->len) {
        buffer_put(reply->body, slice_of(bytes, most - reply->body->len));
        reply->cut = true;
        return 0;
    }
    buffer_put(reply->body, slice_of(bytes, len));
    return len;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    struct buffer *to = transfer->reply->headers;
    struct slice line = slice_of(bytes, size * count);
    if (slice_starts(line, SLICE("HTTP/"))) /* of 100 Continue, then of the answer */
        buffer_clear(to);
    if (line.len <= HTTP_HEADER_BYTES_MAX - to->len)
        buffer_put(to, line);
    return line.len;
}

struct slice http_fetch_header_of(struct slice headers, const char *name)
{
    struct slice line, key, value;
    while (slice_next_line(&headers, &line))
        if (slice_cut(line, ':', &key, &value) && slice_is_nocase(slice_trim(key), name))
            return slice_trim(value);
    return SLICE_NONE;
}

static int on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct transfer *transfer = context;
    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    transfer->cancelled = !transfer->request->going_on(transfer->request->going_on_context);
    return transfer->cancelled;
}

static int add_headers(struct transfer *transfer, struct err *err)
{
    const struct http_fetch_request *request = transfer->request;
    char line[HEADER_MAX];
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_fetch_header *header = &request->headers[i];
        int len = snprintf(line, sizeof(line), "%s: %.*s", header->name, SLICE_ARG(header->value));
        if (!net_plain_text(header->value) || !net_plain_text(slice_text(header->name)) || len >= HEADER_MAX)
            return err_set(err, ERR_CONFIG, "the header %s has control characters or is too long",
                           header->name);
        struct curl_slist *longer = transfer->lib->slist_append(transfer->headers, line);
        if (!longer)
            return err_nomem(err);
        transfer->headers = longer;
    }
    return 0;
}

static void set_limits(const struct late_curl *lib, CURL *curl, const struct http_fetch_request *request,
                       const struct net_target *target)
{
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : HTTP_FETCH_TIMEOUT_MS;
    lib->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_FETCH_TIMEOUT_MS);
    if (timeout_ms == HTTP_FETCH_ENDLESS) {
        lib->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        lib->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)HTTP_FETCH_SILENT_MAX_S);
    } else {
        lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, net_target_left_ms(target, timeout_ms));
    }
    lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->allow_private ? "https,http" : "https");
    lib->easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (request->cert_file) {
        lib->easy_setopt(curl, CURLOPT_SSLCERT, request->cert_file);
        lib->easy_setopt(curl, CURLOPT_SSLKEY, request->key_file);
    }
}

static void set_request(CURL *curl, struct transfer *transfer)
{
    const struct http_fetch_request *request = transfer->request;
    const struct late_curl *lib = transfer->lib;
    lib->easy_setopt(curl, CURLOPT_URL, transfer->target.url);
    lib->easy_setopt(curl, CURLOPT_USERAGENT, "hinomi/" HINOMI_VERSION);
    if (request->body.ptr) {
        lib->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        lib->easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
    }
    if (strcmp(request->method, "HEAD") == 0)
        lib->easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        lib->easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    lib->easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    lib->easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    if (transfer->reply->headers) {
        lib->easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
        lib->easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    }
    if (request->going_on) {
        lib->easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        lib->easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        lib->easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    }
}

/* With TLS 1.3 a server asks for a certificate and breaks off when the handshake is over for us; its alert may be lost with the
 * connection. */
static const char *wants_certificate(CURL *curl, const struct transfer *transfer, CURLcode code)
{
    long status = 0;
    curl_off_t secure_us = 0;
    transfer->lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer->lib->easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T, &secure_us);
    return secure_us && !status && code != CURLE_OPERATION_TIMEDOUT && !transfer->request->cert_file
               ? "; it broke off behind the TLS handshake: does the server ask for a client's certificate?"
               : "";
}

static int exchange(CURL *curl, struct transfer *transfer, struct err *err)
{
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;
    const struct late_curl *lib = transfer->lib;
    curl_off_t retry_after = 0;
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    CURLcode code = lib->easy_perform(curl);
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    const char *host = transfer->target.name;
    if (transfer->cancelled)
        return err_set(err, ERR_CANCELLED, "%s: the request was given up", host);
    if (transfer->target.refused)
        return net_target_fail(&transfer->target, code, text, err);
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && transfer->reply->cut))
        return err_set(err, ERR_IO, "%s: %s%s", host, text[0] ? text : lib->easy_strerror(code), wants_certificate(curl, transfer, code));
    lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    lib->easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    transfer->reply->status = (int)status;
    transfer->reply->retry_after_s = retry_after;
    return 0;
}

static int fetch_real(const struct hin_net *net, const struct http_fetch_request *request,
                      struct http_fetch_reply *reply, struct err *err)
{
    struct transfer transfer = {.request = request, .reply = reply, .lib = late_curl(err)};
    const struct net_rule *rule = request->known_ports ? &net_rule_https_ports : &net_rule_https;
    int result = -1;
    if (!transfer.lib)
        return -1;
    *reply = (struct http_fetch_reply){.body = reply->body, .headers = reply->headers};
    if (net_target_open(net, request->url, rule, request->allow_private, &transfer.target, err) < 0)
        return -1;
    CURL *curl = transfer.lib->easy_init();
    if (!curl) {
        err_nomem(err);
    } else if (add_headers(&transfer, err) == 0) {
        net_target_hold(&transfer.target, curl, request->ca_file);
        set_limits(transfer.lib, curl, request, &transfer.target);
        set_request(curl, &transfer);
        result = exchange(curl, &transfer, err);
    }
    transfer.lib->easy_cleanup(curl);
    transfer.lib->slist_free_all(transfer.headers);
    net_target_close(&transfer.target);
    return result;
}

const struct hin_net *net_real(void)
{
    static const struct hin_net real = {.resolve = resolver_real, .fetch = fetch_real, .mail = mail_real, .wire = wire_real};
    return &real;
}

int http_fetch(const struct hin_net *net, const struct http_fetch_request *request,
               struct http_fetch_reply *reply, struct err *err)
{
    return net->fetch(net, request, reply, err);
}
