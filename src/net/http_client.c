#include "net/http_client.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/address_filter.h"
#include "net/late_curl.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { URL_MAX = 16 * 1024, HEADER_MAX = 16 * 1024 };

/* The parts of a URL as libcurl reads it, so that both mean the same host. */
struct target {
    char *scheme, *host, *port, *user;
    char name[256]; /* the host without brackets */
};

/* One request on its way. */
struct transfer {
    const struct http_fetch_request *request;
    struct http_fetch_reply *reply;
    struct net_address addresses[HTTP_FETCH_ADDRESSES];
    size_t address_count;
    const struct late_curl *lib;
    struct curl_slist *headers, *resolve;
    const char *refused; /* an address that was not among those checked */
    bool cancelled;
};

/* ---- the URL ---- */

static void target_close(const struct late_curl *lib, struct target *target)
{
    lib->free(target->scheme);
    lib->free(target->host);
    lib->free(target->port);
    lib->free(target->user);
    *target = (struct target){0};
}

static bool plain_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static int judge(struct target *target, bool allow_private, struct err *err)
{
    size_t len = strlen(target->host);
    bool brackets = target->host[0] == '[' && len > 2;
    if (target->user)
        return err_set(err, ERR_CONFIG, "a URL with a user name or password in it is not asked");
    if (strcmp(target->scheme, "https") != 0 && strcmp(target->scheme, "http") != 0)
        return err_set(err, ERR_CONFIG, "only https URLs are asked, not %s", target->scheme);
    if (strcmp(target->scheme, "http") == 0 && !allow_private)
        return err_set(err, ERR_CONFIG, "only https URLs are asked; http needs allow_private");
    if (len == 0 || len >= sizeof(target->name))
        return err_set(err, ERR_CONFIG, "the URL's host name is empty or too long");
    snprintf(target->name, sizeof(target->name), "%.*s", (int)(brackets ? len - 2 : len),
             target->host + (brackets ? 1 : 0));
    return 0;
}

static int target_parse(const struct late_curl *lib, const char *url, bool allow_private,
                        struct target *target, struct err *err)
{
    *target = (struct target){0};
    CURLU *parsed = lib->url();
    int result;
    if (!parsed)
        return err_nomem(err);
    if (lib->url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        lib->url_get(parsed, CURLUPART_SCHEME, &target->scheme, 0) != CURLUE_OK ||
        lib->url_get(parsed, CURLUPART_HOST, &target->host, 0) != CURLUE_OK ||
        lib->url_get(parsed, CURLUPART_PORT, &target->port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        result = err_set(err, ERR_CONFIG, "\"%s\" is not a URL such as https://host/path", url);
    } else {
        if (lib->url_get(parsed, CURLUPART_USER, &target->user, 0) != CURLUE_OK &&
            lib->url_get(parsed, CURLUPART_PASSWORD, &target->user, 0) != CURLUE_OK)
            target->user = NULL;
        result = judge(target, allow_private, err);
    }
    lib->url_cleanup(parsed);
    if (result < 0)
        target_close(lib, target);
    return result;
}

static int url_text(struct slice url, char to[URL_MAX], struct err *err)
{
    if (url.len == 0 || url.len >= URL_MAX || !plain_text(url))
        return err_set(err, ERR_CONFIG, "the URL is empty, longer than %d bytes or has control "
                       "characters", URL_MAX - 1);
    memcpy(to, url.ptr, url.len);
    to[url.len] = '\0';
    return 0;
}

int http_fetch_check(struct slice url, bool allow_private, struct err *err)
{
    char text[URL_MAX];
    struct target target;
    const struct late_curl *lib = late_curl(err);
    if (!lib || url_text(url, text, err) < 0 ||
        target_parse(lib, text, allow_private, &target, err) < 0)
        return -1;
    target_close(lib, &target);
    return 0;
}

/* ---- addresses ---- */

static int resolve_real(const struct hin_net *net, const char *host, struct net_address *out,
                        size_t max, struct err *err)
{
    (void)net;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    size_t count = 0;
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0)
        return err_set(err, ERR_IO, "%s: %s", host, gai_strerror(code));
    for (const struct addrinfo *at = list; at && count < max; at = at->ai_next) {
        memcpy(&out[count].address, at->ai_addr, at->ai_addrlen);
        out[count++].len = at->ai_addrlen;
    }
    freeaddrinfo(list);
    return (int)count;
}

static const struct sockaddr *as_sockaddr(const struct net_address *address)
{
    return (const struct sockaddr *)(const void *)&address->address;
}

/* The address alone, without port and scope, so that two of them can be compared. */
static bool address_text(const struct sockaddr *address, char to[INET6_ADDRSTRLEN])
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        return inet_ntop(AF_INET, &in.sin_addr, to, INET6_ADDRSTRLEN) != NULL;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&in6, address, sizeof(in6));
    return inet_ntop(AF_INET6, &in6.sin6_addr, to, INET6_ADDRSTRLEN) != NULL;
}

/* A name with one refused address is refused whole: which one is used would be chance. */
static int look_up(const struct hin_net *net, const struct target *target, struct transfer *transfer,
                   struct err *err)
{
    char text[INET6_ADDRSTRLEN];
    int count = net->resolve(net, target->name, transfer->addresses, HTTP_FETCH_ADDRESSES, err);
    if (count < 0)
        return -1;
    if (count == 0)
        return err_set(err, ERR_IO, "%s has no address", target->name);
    for (int i = 0; i < count; i++) {
        const struct sockaddr *address = as_sockaddr(&transfer->addresses[i]);
        const char *what = address_refusal(address, transfer->request->allow_private);
        if (what || !address_text(address, text))
            return err_set(err, ERR_DENIED, "%s is not asked: its address is %s", target->name,
                           what ? what : "of no known family");
    }
    transfer->address_count = (size_t)count;
    return 0;
}

/* libcurl's "host:port:address,address": the names it may not look up again. */
static int pin(const struct target *target, struct transfer *transfer, struct err *err)
{
    struct buffer line;
    if (target->host[0] == '[')
        return 0;
    buffer_init(&line, 4096);
    buffer_printf(&line, "%s:%s:", target->host, target->port);
    for (size_t i = 0; i < transfer->address_count; i++) {
        char text[INET6_ADDRSTRLEN];
        const struct sockaddr *address = as_sockaddr(&transfer->addresses[i]);
        if (address_text(address, text))
            buffer_printf(&line, address->sa_family == AF_INET6 ? "%s[%s]" : "%s%s", i ? "," : "",
                          text);
    }
    buffer_put_char(&line, '\0');
    if (!buffer_failed(&line))
        transfer->resolve = transfer->lib->slist_append(NULL, line.ptr);
    buffer_close(&line);
    return transfer->resolve ? 0 : err_nomem(err);
}

/* The last word before connecting: only an address that was looked up and checked. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *transfer = context;
    char want[INET6_ADDRSTRLEN], have[INET6_ADDRSTRLEN];
    (void)purpose;
    bool known = false;
    const char *what = address_refusal(&to->addr, transfer->request->allow_private);
    for (size_t i = 0; i < transfer->address_count && !known; i++)
        known = address_text(&to->addr, want) &&
                address_text(as_sockaddr(&transfer->addresses[i]), have) && strcmp(want, have) == 0;
    if (what || !known) {
        transfer->refused = what ? what : "another one than before";
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
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
        if (!plain_text(header->value) || !plain_text(slice_text(header->name)) || len >= HEADER_MAX)
            return err_set(err, ERR_CONFIG, "the header %s has control characters or is too long",
                           header->name);
        struct curl_slist *longer = transfer->lib->slist_append(transfer->headers, line);
        if (!longer)
            return err_nomem(err);
        transfer->headers = longer;
    }
    return 0;
}

static void set_safety(const struct late_curl *lib, CURL *curl,
                       const struct http_fetch_request *request)
{
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : HTTP_FETCH_TIMEOUT_MS;
    lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_FETCH_TIMEOUT_MS);
    if (timeout_ms == HTTP_FETCH_ENDLESS) {
        lib->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        lib->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)HTTP_FETCH_SILENT_MAX_S);
    } else {
        lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    }
    lib->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->allow_private ? "https,http" : "https");
    lib->easy_setopt(curl, CURLOPT_PROXY, "");
    lib->easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    lib->easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    lib->easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    lib->easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    lib->easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (request->ca_file)
        lib->easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->cert_file) {
        lib->easy_setopt(curl, CURLOPT_SSLCERT, request->cert_file);
        lib->easy_setopt(curl, CURLOPT_SSLKEY, request->key_file);
    }
}

static void set_request(CURL *curl, struct transfer *transfer, const char *url)
{
    const struct http_fetch_request *request = transfer->request;
    const struct late_curl *lib = transfer->lib;
    lib->easy_setopt(curl, CURLOPT_URL, url);
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
    lib->easy_setopt(curl, CURLOPT_RESOLVE, transfer->resolve);
    lib->easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    lib->easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
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

static int exchange(CURL *curl, struct transfer *transfer, const char *host, struct err *err)
{
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;
    const struct late_curl *lib = transfer->lib;
    curl_off_t retry_after = 0;
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    CURLcode code = lib->easy_perform(curl);
    lib->easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (transfer->refused)
        return err_set(err, ERR_DENIED, "%s is not asked: its address is %s", host,
                       transfer->refused);
    if (transfer->cancelled)
        return err_set(err, ERR_CANCELLED, "%s: the request was given up", host);
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
    char url[URL_MAX];
    struct target target = {0};
    const struct late_curl *lib = late_curl(err);
    struct transfer transfer = {.request = request, .reply = reply, .lib = lib};
    CURL *curl = NULL;
    int result = -1;
    if (!lib)
        return -1;
    *reply = (struct http_fetch_reply){.body = reply->body, .headers = reply->headers};
    if (url_text(request->url, url, err) < 0 ||
        target_parse(lib, url, request->allow_private, &target, err) < 0 ||
        look_up(net, &target, &transfer, err) < 0 || pin(&target, &transfer, err) < 0 ||
        add_headers(&transfer, err) < 0)
        goto end;
    curl = lib->easy_init();
    if (!curl) {
        err_nomem(err);
        goto end;
    }
    set_safety(lib, curl, request);
    set_request(curl, &transfer, url);
    result = exchange(curl, &transfer, target.name, err);
end:
    lib->easy_cleanup(curl);
    lib->slist_free_all(transfer.headers);
    lib->slist_free_all(transfer.resolve);
    target_close(lib, &target);
    return result;
}

const struct hin_net *net_real(void)
{
    static const struct hin_net real = {.resolve = resolve_real, .fetch = fetch_real};
    return &real;
}

int http_fetch(const struct hin_net *net, const struct http_fetch_request *request,
               struct http_fetch_reply *reply, struct err *err)
{
    return net->fetch(net, request, reply, err);
}
