#include "net/http.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/http_stream_inside.h"
#include "net/inflate.h"

#include <assert.h>
#include <llhttp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADERS_MAX = 100, AHEAD_OF_STREAM_MAX = 64 * 1024, SMALL_BODY_BYTES = 64 * 1024 };
#define REQUEST_ARENA_MAX (HTTP_BODY_BYTES_MAX + 8 * MIB)

struct header {
    struct slice name, value;
};

struct http_request {
    struct http_server *server; /* not to be asked once the loop has stopped */
    struct net_loop *loop;
    struct net_conn *conn;
    struct connection *connection;
    struct arena *arena;
    enum http_method method;
    struct slice path, query, body, peer, identity;
    struct header headers[HEADERS_MAX];
    size_t header_count;
    size_t charged;          /* bytes of its body, of bodies_held */
    bool keep_alive, is_old; /* HTTP/1.0 */
    /* the answer, or its head, on its way to the loop's thread */
    struct buffer reply;
    struct http_stream *stream;
    void (*answered)(void *context, int status, struct slice body); /* NULL: a connection waits */
    void *answered_context;
};

struct http_server {
    struct http_options options;
    struct net_loop *loop;
    struct net_listener *listener;
    atomic_ulong requests, refused, bytes_in;
};

/* One per TCP connection; the parser writes into buffers until a message is complete. */
struct connection {
    struct http_server *server;
    struct net_conn *conn;
    llhttp_t parser;
    struct buffer url, head, body, waiting;
    size_t field_at[HEADERS_MAX][4]; /* name start, len, value start, len in head */
    size_t field_count;
    size_t charged; /* bytes of its body, of bodies_held */
    bool reserved;  /* all of them, when the header said how many */
    bool busy;  /* a request is with the handler; further bytes wait */
    struct http_stream *stream; /* that answers it; NULL: none */
    bool ends_after;            /* closes when the stream is over */
    bool in_value;
    int refuse_status;
};

/* ---- memory of bodies ---- */

/* Of all servers: memory is the program's. */
static atomic_size_t bodies_held;

/* False: there is no room for so much more. Small bodies always have it. */
static bool charge(size_t *charged, size_t bytes)
{
    size_t held = atomic_fetch_add(&bodies_held, bytes) + bytes;
    *charged += bytes;
    return held <= HTTP_BODIES_BYTES_MAX || *charged <= SMALL_BODY_BYTES;
}

static void discharge(size_t *charged)
{
    atomic_fetch_sub(&bodies_held, *charged);
    *charged = 0;
}

/* ---- what a handler asks ---- */

enum http_method http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_method_name(enum http_method method)
{
    static const char *const names[] = {"?", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    return names[method];
}

struct slice http_path(const struct http_request *request)
{
    return request->path;
}

struct slice http_query(const struct http_request *request)
{
    return request->query;
}

struct slice http_body(const struct http_request *request)
{
    return request->body;
}

struct slice http_peer(const struct http_request *request)
{
    return request->peer;
}

struct slice http_identity(const struct http_request *request)
{
    return request->identity;
}

bool http_is_tls(const struct http_request *request)
{
    return request->server && request->server->options.tls != NULL;
}

struct arena *http_arena(struct http_request *request)
{
    return request->arena;
}

struct slice http_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (slice_is_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return SLICE_NONE;
}

struct slice http_cookie(const struct http_request *request, const char *name)
{
    struct slice all = http_header(request, "cookie"), part, key, value;
    while (all.ptr && slice_next_part(&all, ';', &part))
        if (slice_cut(slice_trim(part), '=', &key, &value) && slice_is(key, name))
            return value;
    return SLICE_NONE;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* SLICE_NONE when the encoding is broken or it decodes to a zero byte. */
static struct slice percent_decode(struct slice text, bool plus, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex(text.ptr[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0)
                return SLICE_NONE;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[len++] = c;
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

struct slice http_param(struct http_request *request, const char *name)
{
    struct slice all = request->query, part, key, value;
    while (all.ptr && slice_next_part(&all, '&', &part)) {
        if (!slice_cut(part, '=', &key, &value)) {
            key = part;
            value = SLICE("");
        }
        if (slice_is(key, name))
            return percent_decode(value, true, request->arena);
    }
    return SLICE_NONE;
}

/* ---- answering ---- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"}, {201, "Created"}, {204, "No Content"}, {304, "Not Modified"},
        {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
        {405, "Method Not Allowed"}, {409, "Conflict"}, {413, "Content Too Large"},
        {415, "Unsupported Media Type"}, {421, "Misdirected Request"},
        {429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"}, {503, "Service Unavailable"}, {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Status";
}

static const char STANDING_HEADERS[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; require-trusted-types-for 'script'\r\n";

/* framing: the header that tells how long the body is, with its line's end. */
static void format_head(struct buffer *to, int status, const char *content_type,
                        struct slice headers, const char *framing, bool keep_alive)
{
    buffer_printf(to, "HTTP/1.1 %d %s\r\n", status, reason(status));
    if (content_type)
        buffer_printf(to, "Content-Type: %s\r\n", content_type);
    buffer_put_text(to, framing);
    buffer_put_text(to, STANDING_HEADERS);
    buffer_put(to, headers);
    buffer_put_text(to, keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
}

static void format_reply(struct buffer *to, int status, const char *content_type,
                         struct slice headers, struct slice body, bool keep_alive, bool head_only)
{
    char framing[64] = "";
    if (status != 304 && status != 204)
        snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", body.len);
    format_head(to, status, content_type, headers, framing, keep_alive);
    if (!head_only)
        buffer_put(to, body);
}

static void request_free(struct http_request *request)
{
    if (request->conn)
        net_conn_drop(request->conn);
    if (request->loop)
        net_loop_drop(request->loop);
    discharge(&request->charged);
    buffer_close(&request->reply);
    arena_free(request->arena);
    mem_free(request);
}

static void parse_waiting(struct connection *connection);

/* On the loop's thread. */
static void send_reply(void *context)
{
    struct http_request *request = context;
    if (net_conn_is_open(request->conn)) {
        struct connection *connection = request->connection;
        net_conn_write(request->conn, buffer_slice(&request->reply));
        connection->busy = false;
        if (!request->keep_alive || buffer_failed(&request->reply))
            net_conn_close(request->conn);
        else
            parse_waiting(connection);
    }
    request_free(request);
}

void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice headers, struct slice body)
{
    if (request->answered) {
        request->answered(request->answered_context, status, body);
        request_free(request);
        return;
    }
    buffer_init(&request->reply, 512 * MIB);
    format_reply(&request->reply, status, content_type, headers, body, request->keep_alive,
                 request->method == HTTP_METHOD_HEAD);
    if (!net_loop_post(request->loop, send_reply, request))
        request_free(request); /* the server is stopping: there is nobody to answer */
}

/* On the loop's thread. */
static void stream_over(void *context)
{
    struct connection *connection = context;
    connection->stream = NULL;
    connection->busy = false;
    if (connection->ends_after)
        net_conn_close(connection->conn);
    else
        parse_waiting(connection);
}

static void begin_stream(void *context)
{
    struct http_request *request = context;
    if (net_conn_is_open(request->conn)) {
        struct connection *connection = request->connection;
        net_conn_write(request->conn, buffer_slice(&request->reply));
        net_conn_resume(request->conn); /* so that its end is seen */
        connection->stream = request->stream;
        connection->ends_after = request->is_old || !request->keep_alive;
        http_stream_begin(request->stream,
                          (struct http_stream_end_of){stream_over, connection});
    } else {
        http_stream_closed(request->stream);
    }
    request_free(request);
}

struct http_stream *http_reply_stream(struct http_request *request, int status,
                                      const char *content_type, struct slice headers,
                                      size_t bytes_max)
{
    bool chunked = !request->is_old;
    if (request->answered) {
        http_reply_error(request, 400, "bad_request", "this answer has no end; it cannot be had from inside");
        return NULL;
    }
    struct http_stream *stream =
        http_stream_new(request->loop, request->conn, chunked, bytes_max);
    buffer_init(&request->reply, 64 * KIB);
    format_head(&request->reply, status, content_type, headers,
                chunked ? "Transfer-Encoding: chunked\r\n" : "", chunked && request->keep_alive);
    if (!stream || buffer_failed(&request->reply)) {
        http_stream_free(stream);
        buffer_close(&request->reply);
        http_reply_error(request, 503, "out_of_memory", "no memory for the answer; try again");
        return NULL;
    }
    request->stream = stream;
    if (net_loop_post(request->loop, begin_stream, request))
        return stream;
    http_stream_free(stream);
    request_free(request); /* the server is stopping: there is nobody to answer */
    return NULL;
}

void http_reply_json(struct http_request *request, int status, struct slice body)
{
    http_reply(request, status, "application/json", SLICE("Cache-Control: no-store\r\n"), body);
}

void http_reply_refusal(struct http_request *request, int status, const char *code, int retry_s, struct slice message)
{
    char headers[96];
    struct buffer body;
    struct json json;
    buffer_init(&body, 64 * KIB);
    json_init(&json, &body);
    json_open(&json, '{');
    json_key(&json, "error");
    json_open(&json, '{');
    json_put_text(&json, "code", slice_text(code));
    json_put_text(&json, "message", message);
    json_close(&json, '}');
    json_close(&json, '}');
    int len = snprintf(headers, sizeof(headers), "Cache-Control: no-store\r\n");
    if (retry_s > 0)
        len += snprintf(headers + len, sizeof(headers) - (size_t)len, "Retry-After: %d\r\n", retry_s);
    http_reply(request, status, "application/json", slice_of(headers, (size_t)len), buffer_slice(&body));
    buffer_close(&body);
}

void http_reply_error(struct http_request *request, int status, const char *code,
                      const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    http_reply_refusal(request, status, code, status == 503, slice_text(message));
}

/* A refusal without a request: the message was not understood. The connection closes. */
static void refuse(struct connection *connection, int status, const char *message)
{
    struct buffer reply, body;
    buffer_init(&reply, 64 * KIB);
    buffer_init(&body, 64 * KIB);
    buffer_printf(&body, "{\"error\":{\"code\":\"bad_request\",\"message\":\"%s\"}}", message);
    format_reply(&reply, status, "application/json", status == 503 ? SLICE("Retry-After: 1\r\n") : SLICE_NONE,
                 buffer_slice(&body), false, false);
    atomic_fetch_add(&connection->server->refused, 1);
    net_conn_write(connection->conn, buffer_slice(&reply));
    buffer_close(&body);
    buffer_close(&reply);
    net_conn_linger(connection->conn);
}

/* ---- parsing ---- */

static struct connection *of_parser(llhttp_t *parser)
{
    return parser->data;
}

static int fail_with(struct connection *connection, int status)
{
    connection->refuse_status = status;
    return HPE_USER;
}

static int on_message_begin(llhttp_t *parser)
{
    struct connection *connection = of_parser(parser);
    net_conn_deadline(connection->conn, HTTP_HEADER_TIMEOUT_MS);
    buffer_clear(&connection->url);
    buffer_clear(&connection->head);
    discharge(&connection->charged);
    connection->field_count = 0;
    connection->in_value = false;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct connection *connection = of_parser(parser);
    buffer_put(&connection->url, slice_of(at, len));
    return buffer_failed(&connection->url) ? fail_with(connection, 431) : 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct connection *connection = of_parser(parser);
    if (connection->in_value || connection->field_count == 0) {
        if (connection->field_count == HEADERS_MAX)
            return fail_with(connection, 431);
        size_t *field = connection->field_at[connection->field_count++];
        field[0] = connection->head.len;
        field[1] = field[3] = 0;
        connection->in_value = false;
    }
    connection->field_at[connection->field_count - 1][1] += len;
    buffer_put(&connection->head, slice_of(at, len));
    return buffer_failed(&connection->head) ? fail_with(connection, 431) : 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    struct connection *connection = of_parser(parser);
    size_t *field = connection->field_at[connection->field_count - 1];
    if (!connection->in_value)
        field[2] = connection->head.len;
    connection->in_value = true;
    field[3] += len;
    buffer_put(&connection->head, slice_of(at, len));
    return buffer_failed(&connection->head) ? fail_with(connection, 431) : 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct connection *connection = of_parser(parser);
    if (!connection->in_value) /* an empty value */
        connection->field_at[connection->field_count - 1][2] = connection->head.len;
    connection->in_value = true;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct connection *connection = of_parser(parser);
    bool known = parser->flags & F_CONTENT_LENGTH;
    uint64_t length = known ? parser->content_length : HTTP_BODY_BYTES_MAX;
    if (length > HTTP_BODY_BYTES_MAX)
        return fail_with(connection, 413);
    connection->reserved = known;
    if (known && !charge(&connection->charged, length))
        return fail_with(connection, 503); /* before it is sent; who is let in can come to the end */
    net_conn_deadline(connection->conn, HTTP_HEADER_TIMEOUT_MS + (int64_t)(length * 1000 / HTTP_BODY_BYTES_PER_S_MIN));
    for (size_t i = 0; i < connection->field_count; i++) {
        const size_t *field = connection->field_at[i];
        struct slice head = buffer_slice(&connection->head);
        if (slice_is_nocase(slice_sub(head, field[0], field[1]), "expect") &&
            slice_is_nocase(slice_sub(head, field[2], field[3]), "100-continue"))
            net_conn_write(connection->conn, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct connection *connection = of_parser(parser);
    if (!connection->reserved && !charge(&connection->charged, len))
        return fail_with(connection, 503);
    buffer_put(&connection->body, slice_of(at, len));
    return buffer_failed(&connection->body) ? fail_with(connection, 413) : 0;
}

static enum http_method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return HTTP_METHOD_GET;
    case HTTP_HEAD:
        return HTTP_METHOD_HEAD;
    case HTTP_POST:
        return HTTP_METHOD_POST;
    case HTTP_PUT:
        return HTTP_METHOD_PUT;
    case HTTP_DELETE:
        return HTTP_METHOD_DELETE;
    case HTTP_OPTIONS:
        return HTTP_METHOD_OPTIONS;
    default:
        return HTTP_OTHER_METHOD;
    }
}

static bool copy_head(struct connection *connection, struct http_request *request)
{
    struct slice head = arena_copy(request->arena, buffer_slice(&connection->head));
    struct slice url = arena_copy(request->arena, buffer_slice(&connection->url));
    if (!head.ptr || !url.ptr)
        return false;
    for (size_t i = 0; i < connection->field_count; i++) {
        const size_t *field = connection->field_at[i];
        request->headers[i].name = slice_sub(head, field[0], field[1]);
        request->headers[i].value = slice_trim(slice_sub(head, field[2], field[3]));
    }
    request->header_count = connection->field_count;
    struct slice path = url;
    slice_cut(url, '?', &path, &request->query);
    request->path = percent_decode(path, false, request->arena);
    return true;
}

static int decompress(struct http_request *request, struct slice body, struct slice *out,
                      struct err *err)
{
    struct slice coding = http_header(request, "content-encoding");
    enum inflate_kind kind;
    if (coding.len == 0 || slice_is_nocase(coding, "identity")) {
        *out = arena_copy(request->arena, body);
        return out->ptr ? 0 : err_nomem(err);
    }
    if (slice_is_nocase(coding, "gzip") || slice_is_nocase(coding, "x-gzip"))
        kind = INFLATE_GZIP;
    else if (slice_is_nocase(coding, "deflate"))
        kind = INFLATE_DEFLATE;
    else if (slice_is_nocase(coding, "zstd"))
        kind = INFLATE_ZSTD;
    else if (slice_is_nocase(coding, "snappy"))
        kind = INFLATE_SNAPPY;
    else
        return err_set(err, ERR_CONFIG, "send the body plain or as gzip, deflate, zstd or snappy");
    struct buffer plain;
    buffer_init(&plain, HTTP_BODY_BYTES_MAX + 64 * KIB);
    int result =
        inflate_body(kind, body, HTTP_BODY_BYTES_MAX, HTTP_INFLATE_RATIO_MAX, &plain, err);
    if (result == 0)
        *out = arena_copy(request->arena, buffer_slice(&plain));
    buffer_close(&plain);
    return result == 0 && !out->ptr ? err_nomem(err) : result;
}

static bool host_allowed(const struct http_request *request)
{
    const char *const *hosts = request->server->options.hosts;
    struct slice host = http_header(request, "host");
    if (!hosts || !hosts[0])
        return true;
    if (host.len && host.ptr[0] == '[')
        return true;
    ptrdiff_t colon = slice_find_char(host, ':');
    if (colon >= 0)
        host.len = (size_t)colon;
    bool address = host.len > 0;
    for (size_t i = 0; i < host.len; i++)
        address &= host.ptr[i] == '.' || (host.ptr[i] >= '0' && host.ptr[i] <= '9');
    if (address || slice_is_nocase(host, "localhost"))
        return true;
    for (size_t i = 0; hosts[i]; i++)
        if (slice_is_nocase(host, hosts[i]))
            return true;
    return false;
}

struct http_request *http_request_inside(struct slice target,
                                         void (*answered)(void *context, int status,
                                                          struct slice body),
                                         void *context)
{
    struct http_request *request = mem_calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->arena = arena_new(REQUEST_ARENA_MAX);
    request->method = HTTP_METHOD_GET;
    request->answered = answered;
    request->answered_context = context;
    request->peer = SLICE("");
    struct slice url = request->arena ? arena_copy(request->arena, target) : SLICE_NONE, path = url;
    if (url.ptr) {
        slice_cut(url, '?', &path, &request->query);
        request->path = percent_decode(path, false, request->arena);
    }
    if (request->path.ptr)
        return request;
    request_free(request);
    return NULL;
}

static struct http_request *new_request(struct connection *connection)
{
    struct http_request *request = mem_calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->arena = arena_new(REQUEST_ARENA_MAX);
    request->server = connection->server;
    request->loop = connection->server->loop;
    request->connection = connection;
    request->conn = connection->conn;
    request->method = method_of(&connection->parser);
    request->keep_alive = llhttp_should_keep_alive(&connection->parser);
    request->is_old = connection->parser.http_major == 1 && connection->parser.http_minor == 0;
    net_loop_hold(request->loop);
    net_conn_hold(connection->conn);
    if (!request->arena || !copy_head(connection, request)) {
        request_free(request);
        return NULL;
    }
    request->peer = arena_copy(request->arena, net_conn_peer(connection->conn));
    struct slice identity = net_conn_identity(connection->conn);
    if (identity.ptr)
        request->identity = arena_copy(request->arena, identity);
    return request;
}

/* It is in the request's arena, or refused. */
static void forget_body(struct connection *connection)
{
    discharge(&connection->charged);
    if (connection->body.size > SMALL_BODY_BYTES) {
        buffer_close(&connection->body);
        buffer_init(&connection->body, HTTP_BODY_BYTES_MAX);
    }
    buffer_clear(&connection->body);
}

/* What came plain was let in when it was charged; what it became when it was unpacked is another matter. */
static bool take_charge(struct connection *connection, struct http_request *request)
{
    if (request->body.len != connection->body.len)
        return charge(&request->charged, request->body.len);
    request->charged = connection->charged;
    connection->charged = 0;
    return true;
}

static int on_message_complete(llhttp_t *parser)
{
    struct connection *connection = of_parser(parser);
    struct http_server *server = connection->server;
    struct http_request *request = new_request(connection);
    struct err err;
    err_clear(&err);
    if (!request)
        return fail_with(connection, 503);
    connection->busy = true;
    net_conn_deadline(connection->conn, 0);
    atomic_fetch_add(&server->requests, 1);
    atomic_fetch_add(&server->bytes_in, connection->body.len);
    if (!request->path.ptr)
        http_reply_error(request, 400, "bad_path", "the path is not valid");
    else if (!host_allowed(request))
        http_reply_error(request, 421, "bad_host", "this server does not answer to that host name");
    else if (decompress(request, buffer_slice(&connection->body), &request->body, &err) < 0)
        http_reply_error(request, err.code == ERR_LIMIT ? 413 : err.code == ERR_CONFIG ? 415 : 400,
                         "bad_body", "%s", err.text);
    else if (!take_charge(connection, request))
        http_reply_error(request, 503, "busy", "there is no room for the body now; nothing was kept, send it again");
    else
        server->options.handle(server->options.context, request);
    forget_body(connection);
    return HPE_PAUSED; /* what follows waits for the answer */
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void refuse_parse(struct connection *connection, llhttp_errno_t code)
{
    int status = connection->refuse_status ? connection->refuse_status : 400;
    if (status == 431)
        refuse(connection, 431, "the header is too large");
    else if (status == 413)
        refuse(connection, 413, "the body is too large; send it in smaller pieces");
    else if (status == 503)
        refuse(connection, 503, "there is no room for the request now; nothing was kept, send it again");
    else if (code == HPE_PAUSED_UPGRADE)
        refuse(connection, 400, "this server speaks HTTP/1.1 only");
    else
        refuse(connection, 400, "this is not a valid HTTP/1.1 request");
}

/* Parses until a message is complete or the bytes are used up; keeps the rest. */
static void parse_waiting(struct connection *connection)
{
    while (!connection->busy && connection->waiting.len && net_conn_is_open(connection->conn)) {
        struct slice bytes = buffer_slice(&connection->waiting);
        llhttp_errno_t code = llhttp_execute(&connection->parser, bytes.ptr, bytes.len);
        if (code == HPE_OK) {
            buffer_clear(&connection->waiting);
            break;
        }
        if (code != HPE_PAUSED) {
            refuse_parse(connection, code);
            return;
        }
        const char *stopped = llhttp_get_error_pos(&connection->parser);
        buffer_consume(&connection->waiting, (size_t)(stopped - bytes.ptr));
        llhttp_resume(&connection->parser);
    }
    if (net_conn_is_open(connection->conn))
        net_conn_resume(connection->conn);
}

static void *on_open(void *context, struct net_conn *conn)
{
    struct connection *connection = mem_calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    connection->server = context;
    connection->conn = conn;
    llhttp_init(&connection->parser, HTTP_REQUEST, &settings);
    connection->parser.data = connection;
    buffer_init(&connection->url, HTTP_HEADER_BYTES_MAX);
    buffer_init(&connection->head, HTTP_HEADER_BYTES_MAX);
    buffer_init(&connection->body, HTTP_BODY_BYTES_MAX);
    buffer_init(&connection->waiting, HTTP_BODY_BYTES_MAX);
    return connection;
}

static void on_data(void *state, struct net_conn *conn, struct slice bytes)
{
    struct connection *connection = state;
    buffer_put(&connection->waiting, bytes);
    if (buffer_failed(&connection->waiting)) {
        refuse(connection, 413, "too much was sent before the last request was answered");
        return;
    }
    if (connection->stream) { /* not paused: the reader's going away must be seen */
        if (connection->waiting.len > AHEAD_OF_STREAM_MAX)
            net_conn_close(conn);
    } else if (connection->busy) {
        net_conn_pause(conn);
    } else {
        parse_waiting(connection);
    }
}

static void on_drained(void *state, struct net_conn *conn)
{
    struct connection *connection = state;
    (void)conn;
    if (connection->stream)
        http_stream_drained(connection->stream);
}

static void on_close(void *state, struct net_conn *conn)
{
    (void)conn;
    struct connection *connection = state;
    if (connection->stream)
        http_stream_closed(connection->stream);
    buffer_close(&connection->url);
    buffer_close(&connection->head);
    forget_body(connection);
    buffer_close(&connection->body);
    buffer_close(&connection->waiting);
    mem_free(connection);
}

int http_listen(struct net_loop *loop, const struct http_options *options, struct http_server **out,
                struct err *err)
{
    *out = NULL;
    struct http_server *server = mem_calloc(1, sizeof(*server));
    if (!server)
        return err_nomem(err);
    server->options = *options;
    server->loop = loop;
    struct net_listen_options listen = {
        .address = options->address,
        .port = options->port,
        .tls = options->tls,
        .idle_ms = HTTP_IDLE_TIMEOUT_MS,
        .handler = {.opened = on_open, .data = on_data, .closed = on_close, .drained = on_drained},
        .context = server,
    };
    if (net_listen(loop, &listen, &server->listener, err) < 0) {
        mem_free(server);
        return -1;
    }
    *out = server;
    return 0;
}

uint16_t http_port(const struct http_server *server)
{
    return net_listener_port(server->listener);
}

void http_free(struct http_server *server)
{
    mem_free(server);
}

struct http_counts http_counts(const struct http_server *server)
{
    return (struct http_counts){atomic_load(&server->requests), atomic_load(&server->refused),
                                atomic_load(&server->bytes_in)};
}
