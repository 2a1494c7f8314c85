#pragma once
/*
 * net/http: an HTTP/1.1 server (RFC 9110, 9112) on net/conn, parsed strictly by
 * llhttp: no bare LF, no Content-Length beside Transfer-Encoding, no folding.
 *
 * A request is handed over when its body is complete (and decompressed, for
 * gzip, deflate, zstd and snappy). The answer may come later and from any thread.
 * Ownership  The handler owns the request from the call on and must end it with
 *            exactly one http_reply*(), which frees it. net/http_stream.h has one for long answers.
 * Threads    The handler runs on the loop's thread and must not block;
 *            http_reply from any thread; once the loop has stopped it answers nobody.
 * Limits     HTTP_HEADER_BYTES_MAX (431), HTTP_BODY_BYTES_MAX and
 *            HTTP_INFLATE_RATIO_MAX (413), HTTP_HEADER_TIMEOUT_MS, HTTP_IDLE_TIMEOUT_MS.
 *            One request at a time per connection; pipelined ones wait.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "net/conn.h"

struct http_server;
struct http_request;

struct http_options {
    const char *address;
    uint16_t port;
    struct tls_context *tls;
    void (*handle)(void *context, struct http_request *request);
    void *context;
    /* Host names that may be asked for, beside addresses and "localhost" (DNS rebinding, sec/W5);
     * NULL or empty checks nothing. */
    const char *const *hosts;
};

MUST_USE int http_listen(struct net_loop *loop, const struct http_options *options,
                         struct http_server **out, struct err *err);
uint16_t http_port(const struct http_server *server);
/* After the loop has stopped. */
void http_free(struct http_server *server);

enum http_method { HTTP_OTHER_METHOD, HTTP_METHOD_GET, HTTP_METHOD_HEAD, HTTP_METHOD_POST, HTTP_METHOD_PUT, HTTP_METHOD_DELETE, HTTP_METHOD_OPTIONS };

enum http_method http_method(const struct http_request *request);
const char *http_method_name(enum http_method method);
struct slice http_path(const struct http_request *request);  /* percent-decoded, without query */
struct slice http_query(const struct http_request *request); /* raw */
/* A query parameter, decoded into the request's arena; SLICE_NONE when it is missing. */
struct slice http_param(struct http_request *request, const char *name);
/* A header by name (any case); SLICE_NONE when it is missing, the first when it is there twice. */
struct slice http_header(const struct http_request *request, const char *name);
struct slice http_cookie(const struct http_request *request, const char *name);
struct slice http_body(const struct http_request *request);
struct slice http_peer(const struct http_request *request);     /* address:port */
struct slice http_identity(const struct http_request *request); /* TLS client, or none */
bool http_is_tls(const struct http_request *request);
struct arena *http_arena(struct http_request *request);

/* A GET of path?query that no connection brought: to ask the program's own handlers. Its answer goes to
 * answered, from the http_reply*() call; it has no peer, no headers and no body. NULL: memory, or the path
 * is not valid. */
MUST_USE struct http_request *http_request_inside(struct slice target,
                                                  void (*answered)(void *context, int status,
                                                                   struct slice body),
                                                  void *context);

/* headers: "Name: value\r\n" lines, or none. Content-Length and the standing security headers are
 * added. The body is copied. */
void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice headers, struct slice body);
void http_reply_json(struct http_request *request, int status, struct slice body);
/* {"error":{"code":..,"message":..}}; with 503, Retry-After: 1. */
PRINTF_LIKE(4, 5)
void http_reply_error(struct http_request *request, int status, const char *code,
                      const char *format, ...);
/* Likewise; retry_s > 0 is Retry-After. */
void http_reply_refusal(struct http_request *request, int status, const char *code, int retry_s, struct slice message);

struct http_counts {
    uint64_t requests, refused, bytes_in;
};
struct http_counts http_counts(const struct http_server *server);
