#include "net/wire.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024 };

static const struct net_scheme schemes[] = {{"tls", false}, {"imaps", false}, {"tcp", true}, {"udp", true}, {"imap", true}, {NULL, false}};

struct real {
    struct wire wire;
    struct net_target target;
    const struct late_curl *lib;
    CURL *curl;       /* NULL: datagrams */
    int fd;           /* curl's own, or ours of datagrams */
    int64_t until_ns; /* on the clock that never goes back */
    char text[CURL_ERROR_SIZE];
};

static struct net_rule rule_of(const struct wire_request *request)
{
    return (struct net_rule){schemes, request->ports, "tls://host:6514"};
}

static int64_t left_ms(const struct real *real)
{
    int64_t left = (real->until_ns - clock_mono_ns(clock_real())) / NS_PER_MS;
    return left > 0 ? left : 0;
}

static int wait_for(const struct real *real, short events, struct err *err)
{
    struct pollfd fd = {.fd = real->fd, .events = events};
    int ready;
    do
        ready = poll(&fd, 1, (int)left_ms(real));
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : err_set(err, ERR_IO, "%s: no answer within the time", real->target.name);
}

/* ---- streams, by libcurl ---- */

static int stream_send(struct wire *wire, struct slice bytes, struct err *err)
{
    struct real *real = (struct real *)wire;
    while (bytes.len) {
        size_t sent = 0;
        CURLcode code = real->lib->easy_send(real->curl, bytes.ptr, bytes.len, &sent);
        if (code != CURLE_OK && code != CURLE_AGAIN)
            return net_target_fail(&real->target, code, real->text, err);
        bytes = slice_from(bytes, sent);
        if (code == CURLE_AGAIN && wait_for(real, POLLOUT, err) < 0)
            return -1;
    }
    return 0;
}

static int stream_receive(struct wire *wire, struct buffer *to, struct err *err)
{
    struct real *real = (struct real *)wire;
    char bytes[READ_BYTES];
    size_t len = 0;
    for (;;) {
        CURLcode code = real->lib->easy_recv(real->curl, bytes, sizeof(bytes), &len);
        if (code == CURLE_AGAIN && left_ms(real)) {
            if (wait_for(real, POLLIN, err) < 0)
                return -1;
            continue;
        }
        if (code != CURLE_OK)
            return net_target_fail(&real->target, code, real->text, err);
        if (len == 0)
            return err_set(err, ERR_CLOSED, "%s: the other side has closed the connection", real->target.name);
        buffer_put(to, slice_of(bytes, len));
        return buffer_failed(to) ? err_set(err, ERR_LIMIT, "%s: an answer is too long", real->target.name) : 0;
    }
}

/* libcurl connects, with TLS where it is asked for; the protocol is ours ("https" has none before the first request). */
static int connect_stream(struct real *real, bool tls, const char *ca_file, struct err *err)
{
    const struct late_curl *lib = real->lib;
    curl_socket_t fd = CURL_SOCKET_BAD;
    char url[NET_URL_MAX];
    real->wire.send = stream_send;
    real->wire.receive = stream_receive;
    real->curl = lib->easy_init();
    if (!real->curl)
        return err_nomem(err);
    snprintf(url, sizeof(url), "%s://%s:%s/", tls ? "https" : "http", real->target.host, real->target.port);
    net_target_hold(&real->target, real->curl, ca_file);
    lib->easy_setopt(real->curl, CURLOPT_URL, url);
    lib->easy_setopt(real->curl, CURLOPT_PROTOCOLS_STR, "https,http");
    lib->easy_setopt(real->curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    lib->easy_setopt(real->curl, CURLOPT_CONNECT_ONLY, 1L);
    lib->easy_setopt(real->curl, CURLOPT_TIMEOUT_MS, (long)left_ms(real) + 1);
    lib->easy_setopt(real->curl, CURLOPT_ERRORBUFFER, real->text);
    CURLcode code = lib->easy_perform(real->curl);
    if (code != CURLE_OK || lib->easy_getinfo(real->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd < 0)
        return net_target_fail(&real->target, code, real->text, err);
    real->fd = fd;
    return 0;
}

/* ---- datagrams ---- */

static int datagram_send(struct wire *wire, struct slice bytes, struct err *err)
{
    struct real *real = (struct real *)wire;
    if (send(real->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) != (ssize_t)bytes.len)
        return err_set_errno(err, errno, "%s", real->target.name);
    return 0;
}

static int datagram_receive(struct wire *wire, struct buffer *to, struct err *err)
{
    (void)wire, (void)to;
    return err_set(err, ERR_IO, "datagrams are not answered");
}

static int connect_datagrams(struct real *real, struct err *err)
{
    struct net_address *to = &real->target.addresses[0];
    real->wire.send = datagram_send;
    real->wire.receive = datagram_receive;
    if (to->address.ss_family == AF_INET)
        ((struct sockaddr_in *)&to->address)->sin_port = htons(real->target.number);
    else
        ((struct sockaddr_in6 *)&to->address)->sin6_port = htons(real->target.number);
    real->fd = socket(to->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (real->fd < 0 || connect(real->fd, (const struct sockaddr *)&to->address, to->len) < 0)
        return err_set_errno(err, errno, "%s", real->target.name);
    return 0;
}

/* ---- opening and closing ---- */

static void real_close(struct wire *wire)
{
    struct real *real = (struct real *)wire;
    if (real->curl)
        real->lib->easy_cleanup(real->curl);
    else if (real->fd >= 0)
        close(real->fd);
    net_target_close(&real->target);
    mem_free(real);
}

int wire_real(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err)
{
    const struct net_rule rule = rule_of(request);
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : WIRE_TIMEOUT_MS;
    struct real *real = mem_calloc(1, sizeof(*real));
    *out = NULL;
    if (!real)
        return err_nomem(err);
    real->fd = -1;
    real->lib = late_curl(err);
    real->wire.close = real_close;
    real->until_ns = clock_mono_ns(clock_real()) + timeout_ms * NS_PER_MS;
    int result = real->lib ? net_target_open(net, request->url, &rule, request->allow_private, &real->target, err) : -1;
    if (result < 0) {
        mem_free(real);
        return -1;
    }
    bool tls = strcmp(real->target.scheme, "tls") == 0 || strcmp(real->target.scheme, "imaps") == 0;
    bool datagrams = strcmp(real->target.scheme, "udp") == 0;
    result = datagrams ? connect_datagrams(real, err) : connect_stream(real, tls, request->ca_file, err);
    if (result < 0)
        real_close(&real->wire);
    else
        *out = &real->wire;
    return result;
}

int wire_open(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err)
{
    return net->wire(net, request, out, err);
}

int wire_send(struct wire *wire, struct slice bytes, struct err *err)
{
    return wire->send(wire, bytes, err);
}

int wire_receive(struct wire *wire, struct buffer *to, struct err *err)
{
    return wire->receive(wire, to, err);
}

void wire_close(struct wire *wire)
{
    if (wire)
        wire->close(wire);
}

int wire_check(const struct wire_request *request, struct err *err)
{
    const struct net_rule rule = rule_of(request);
    struct net_target target;
    if (net_target_read(request->url, &rule, request->allow_private, &target, err) < 0)
        return -1;
    net_target_close(&target);
    return 0;
}
