#include "net/conn.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/closer.h"
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <uv.h>

enum { READ_ROOM = 64 * 1024, BACKLOG = 4096, PEER_SIZE = 64, PEER_COUNTS = 4096 };
#define WRITE_PENDING_MAX (64 * MIB)
#define WRITE_PENDING_LITTLE (64 * KIB)
#define TLS_PLAIN_MAX (1 * MIB)

struct net_listener {
    struct net_closer closer;
    uv_tcp_t tcp;
    uv_timer_t sweep;
    struct net_loop *loop;
    struct net_listen_options options;
    uint16_t port;
    struct net_conn *conns; /* linked list of the open ones */
    uint16_t of_peer[PEER_COUNTS]; /* how many there are by hash of the address */
    size_t conn_count;
    int handles; /* still to be closed before it may be freed */
    char *read_room;
};

struct net_conn {
    struct net_closer closer;
    uv_tcp_t tcp;
    struct net_listener *listener;
    struct net_conn *prev, *next;
    struct tls_session *tls;
    void *state;
    bool opened;  /* the handler knows it */
    bool closing; /* no more bytes for the handler; closes when writes are out */
    bool lingering; /* closing, but what still comes is read and thrown away */
    int64_t linger_ns; /* since when */
    bool paused;
    size_t write_pending;
    int64_t active_ns, deadline_ns; /* 0: none */
    atomic_int holds; /* the loop's own one included */
    struct buffer plain, network;
    char peer[PEER_SIZE];
};

struct write_request {
    uv_write_t request;
    size_t len;
    char bytes[];
};

static int64_t now_ns(void)
{
    return clock_mono_ns(clock_real());
}

/* ---- life of a connection ---- */

void net_conn_hold(struct net_conn *conn)
{
    atomic_fetch_add(&conn->holds, 1);
}

void net_conn_drop(struct net_conn *conn)
{
    if (atomic_fetch_sub(&conn->holds, 1) != 1)
        return;
    tls_session_free(conn->tls);
    buffer_close(&conn->plain);
    buffer_close(&conn->network);
    mem_free(conn);
}

static void listener_done(struct net_listener *listener)
{
    if (listener->handles > 0 || listener->conns)
        return;
    mem_free(listener->read_room);
    mem_free(listener);
}

/* The address without its port. */
static size_t host_length(const char *peer)
{
    const char *colon = strrchr(peer, ':');
    return colon ? (size_t)(colon - peer) : strlen(peer);
}

static size_t peer_slot(const char *peer)
{
    return hash_bytes(slice_of(peer, host_length(peer))) % PEER_COUNTS;
}

static void unlink_conn(struct net_conn *conn)
{
    struct net_listener *listener = conn->listener;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        listener->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    listener->conn_count--;
    listener->of_peer[peer_slot(conn->peer)]--;
    conn->listener = NULL;
    listener_done(listener);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_conn *conn = handle->data;
    const struct net_handler *handler = &conn->listener->options.handler;
    if (conn->opened)
        handler->closed(conn->state, conn);
    unlink_conn(conn);
    net_conn_drop(conn);
}

static void close_now(void *self)
{
    struct net_conn *conn = self;
    conn->closing = true;
    if (!uv_is_closing((uv_handle_t *)&conn->tcp))
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

bool net_conn_is_open(const struct net_conn *conn)
{
    return conn->listener && !conn->closing;
}

bool net_conn_is_drained(const struct net_conn *conn)
{
    return net_conn_is_open(conn) && conn->write_pending < WRITE_PENDING_LITTLE;
}

void net_conn_close(struct net_conn *conn)
{
    if (!conn->listener)
        return;
    conn->closing = true;
    uv_read_stop((uv_stream_t *)&conn->tcp);
    if (conn->write_pending == 0)
        close_now(conn);
}

static void on_linger_end(uv_shutdown_t *request, int status)
{
    (void)status;
    mem_free(request);
}

void net_conn_linger(struct net_conn *conn)
{
    if (!net_conn_is_open(conn))
        return;
    uv_shutdown_t *request = mem_alloc(sizeof(*request));
    if (!request || uv_shutdown(request, (uv_stream_t *)&conn->tcp, on_linger_end) < 0) {
        mem_free(request);
        net_conn_close(conn);
        return;
    }
    conn->closing = conn->lingering = true;
    conn->linger_ns = conn->active_ns = now_ns();
}

static void on_written(uv_write_t *request, int status)
{
    struct write_request *write = (struct write_request *)request;
    struct net_conn *conn = request->data;
    conn->write_pending -= write->len;
    mem_free(write);
    if (status < 0 || (conn->closing && !conn->lingering && conn->write_pending == 0))
        close_now(conn);
    else if (conn->opened && net_conn_is_drained(conn) && conn->listener->options.handler.drained)
        conn->listener->options.handler.drained(conn->state, conn);
}

static void send_network(struct net_conn *conn, struct slice bytes)
{
    if (bytes.len == 0 || uv_is_closing((uv_handle_t *)&conn->tcp))
        return;
    struct write_request *write = mem_alloc(sizeof(*write) + bytes.len);
    if (!write || conn->write_pending + bytes.len > WRITE_PENDING_MAX) {
        mem_free(write);
        close_now(conn);
        return;
    }
    memcpy(write->bytes, bytes.ptr, bytes.len);
    write->len = bytes.len;
    write->request.data = conn;
    uv_buf_t buf = uv_buf_init(write->bytes, (unsigned)bytes.len);
    conn->write_pending += bytes.len;
    if (uv_write(&write->request, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) < 0) {
        conn->write_pending -= bytes.len;
        mem_free(write);
        close_now(conn);
    }
}

void net_conn_write(struct net_conn *conn, struct slice bytes)
{
    if (!conn->listener)
        return;
    conn->active_ns = now_ns();
    if (!conn->tls) {
        send_network(conn, bytes);
        return;
    }
    buffer_clear(&conn->network);
    if (tls_send(conn->tls, bytes, &conn->network, NULL) < 0)
        close_now(conn);
    else
        send_network(conn, buffer_slice(&conn->network));
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct net_conn *conn = handle->data;
    *buf = uv_buf_init(conn->listener->read_room, READ_ROOM); /* used before the next read */
}

static void receive_tls(struct net_conn *conn, struct slice bytes)
{
    buffer_clear(&conn->plain);
    buffer_clear(&conn->network);
    int result = tls_receive(conn->tls, bytes, &conn->plain, &conn->network, NULL);
    send_network(conn, buffer_slice(&conn->network));
    if (conn->plain.len && !conn->closing)
        conn->listener->options.handler.data(conn->state, conn, buffer_slice(&conn->plain));
    if (result < 0)
        net_conn_close(conn);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct net_conn *conn = stream->data;
    if (got < 0) {
        close_now(conn);
        return;
    }
    if (got == 0)
        return;
    conn->active_ns = now_ns();
    if (conn->closing)
        return;
    struct slice bytes = slice_of(buf->base, (size_t)got);
    if (conn->tls)
        receive_tls(conn, bytes);
    else
        conn->listener->options.handler.data(conn->state, conn, bytes);
}

void net_conn_pause(struct net_conn *conn)
{
    conn->paused = true;
    uv_read_stop((uv_stream_t *)&conn->tcp);
}

void net_conn_resume(struct net_conn *conn)
{
    if (!conn->paused || !net_conn_is_open(conn))
        return;
    conn->paused = false;
    conn->active_ns = now_ns();
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

void net_conn_touch(struct net_conn *conn)
{
    conn->active_ns = now_ns();
}

void net_conn_deadline(struct net_conn *conn, int64_t ms)
{
    conn->deadline_ns = ms ? now_ns() + ms * NS_PER_MS : 0;
}

struct slice net_conn_peer(const struct net_conn *conn)
{
    return slice_text(conn->peer);
}

struct slice net_conn_identity(const struct net_conn *conn)
{
    return conn->tls ? tls_identity(conn->tls) : SLICE_NONE;
}

/* ---- accepting ---- */

static void format_peer(const struct sockaddr *address, char *to, size_t size)
{
    char host[48] = "";
    unsigned port = 0;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        uv_ip4_name(v4, host, sizeof(host));
        port = ntohs(v4->sin_port);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        uv_ip6_name(v6, host, sizeof(host));
        port = ntohs(v6->sin6_port);
    }
    snprintf(to, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static bool too_many(const struct net_listener *listener, const char *peer)
{
    if (listener->conn_count >= CONNECTIONS_MAX)
        return true;
    return listener->of_peer[peer_slot(peer)] >= CONNECTIONS_PER_PEER_MAX;
}

static void link_conn(struct net_listener *listener, struct net_conn *conn)
{
    conn->next = listener->conns;
    if (conn->next)
        conn->next->prev = conn;
    listener->conns = conn;
    listener->conn_count++;
    listener->of_peer[peer_slot(conn->peer)]++;
}

static bool open_conn(struct net_listener *listener, struct net_conn *conn)
{
    struct sockaddr_storage address;
    int len = sizeof(address);
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) < 0)
        return false;
    format_peer((struct sockaddr *)&address, conn->peer, sizeof(conn->peer));
    if (too_many(listener, conn->peer))
        return false;
    if (listener->options.tls && !(conn->tls = tls_session_new(listener->options.tls)))
        return false;
    uv_tcp_nodelay(&conn->tcp, 1);
    conn->state = listener->options.handler.opened(listener->options.context, conn);
    conn->opened = conn->state != NULL;
    return conn->opened;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct net_listener *listener = server->data;
    struct net_conn *conn = status < 0 ? NULL : mem_calloc(1, sizeof(*conn));
    if (!conn)
        return;
    conn->closer.close = close_now;
    conn->listener = listener;
    conn->holds = 1;
    conn->active_ns = now_ns();
    buffer_init(&conn->plain, TLS_PLAIN_MAX);
    buffer_init(&conn->network, WRITE_PENDING_MAX);
    uv_tcp_init(server->loop, &conn->tcp);
    conn->tcp.data = conn;
    bool accepted = uv_accept(server, (uv_stream_t *)&conn->tcp) == 0;
    bool fine = accepted && open_conn(listener, conn);
    link_conn(listener, conn);
    if (!fine || uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) < 0)
        close_now(conn);
}

static bool linger_is_over(const struct net_conn *conn)
{
    int64_t now = now_ns();
    return conn->active_ns < now - LINGER_IDLE_MS * NS_PER_MS ||
           conn->linger_ns < now - LINGER_MS * NS_PER_MS;
}

static void on_sweep(uv_timer_t *timer)
{
    struct net_listener *listener = timer->data;
    int64_t now = now_ns(), oldest = now - listener->options.idle_ms * NS_PER_MS;
    for (struct net_conn *conn = listener->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->lingering) {
            if (linger_is_over(conn))
                close_now(conn);
        } else if (conn->paused && conn->opened && listener->options.handler.paused) {
            listener->options.handler.paused(conn->state, conn);
        } else if ((conn->active_ns < oldest && !conn->paused) || (conn->deadline_ns && conn->deadline_ns < now)) {
            close_now(conn);
        }
    }
}

/* ---- listeners ---- */

static void on_listener_closed(uv_handle_t *handle)
{
    struct net_listener *listener = handle->data;
    listener->handles--;
    listener_done(listener);
}

static void close_listener(void *self)
{
    struct net_listener *listener = self;
    if (!uv_is_closing((uv_handle_t *)&listener->tcp))
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    if (!uv_is_closing((uv_handle_t *)&listener->sweep))
        uv_close((uv_handle_t *)&listener->sweep, on_listener_closed);
}

static int parse_address(const char *address, uint16_t port, struct sockaddr_storage *out,
                         struct err *err)
{
    if (uv_ip4_addr(address, port, (struct sockaddr_in *)out) == 0 ||
        uv_ip6_addr(address, port, (struct sockaddr_in6 *)out) == 0)
        return 0;
    return err_set(err, ERR_CONFIG, "'%s' is not an IP address to listen on", address);
}

static uint16_t bound_port(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
                                               : ((const struct sockaddr_in6 *)address)->sin6_port);
}

static int limit_segments(uv_tcp_t *tcp, int bytes)
{
    uv_os_fd_t fd;
    if (!bytes)
        return 0;
    int code = uv_fileno((uv_handle_t *)tcp, &fd);
    return code < 0 ? code : setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &bytes, sizeof(bytes)) < 0 ? uv_translate_sys_error(errno) : 0;
}

struct starting {
    struct net_loop *loop;
    const struct net_listen_options *options;
    struct sockaddr_storage address;
    struct net_listener *listener;
    int code;
};

static void start_listener(void *context)
{
    struct starting *start = context;
    struct net_listener *listener = start->listener;
    uv_loop_t *uv = net_loop_uv(start->loop);
    uv_tcp_init(uv, &listener->tcp);
    uv_timer_init(uv, &listener->sweep);
    listener->tcp.data = listener->sweep.data = listener;
    listener->handles = 2;
    start->code = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&start->address, 0);
    if (start->code == 0)
        start->code = limit_segments(&listener->tcp, listener->options.segment_bytes);
    if (start->code == 0)
        start->code = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    int len = sizeof(start->address);
    if (start->code == 0)
        start->code =
            uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&start->address, &len);
    if (start->code < 0) {
        close_listener(listener);
        return;
    }
    listener->port = bound_port(&start->address);
    uv_timer_start(&listener->sweep, on_sweep, PAUSED_TICK_MS, PAUSED_TICK_MS);
}

int net_listen(struct net_loop *loop, const struct net_listen_options *options,
               struct net_listener **out, struct err *err)
{
    struct starting start = {.loop = loop, .options = options};
    *out = NULL;
    if (parse_address(options->address, options->port, &start.address, err) < 0)
        return -1;
    struct net_listener *listener = mem_calloc(1, sizeof(*listener));
    char *room = mem_alloc(READ_ROOM);
    if (!listener || !room) {
        mem_free(listener);
        mem_free(room);
        return err_nomem(err);
    }
    listener->closer.close = close_listener;
    listener->loop = loop;
    listener->options = *options;
    listener->read_room = room;
    start.listener = listener;
    if (!net_loop_call(loop, start_listener, &start)) {
        mem_free(room);
        mem_free(listener);
        return err_set(err, ERR_CLOSED, "the event loop is stopping");
    }
    if (start.code < 0)
        return err_set(err, ERR_IO,
                       "cannot listen on %s port %u: %s; stop what uses it or choose another port",
                       options->address, options->port, uv_strerror(start.code));
    *out = listener;
    return 0;
}

uint16_t net_listener_port(const struct net_listener *listener)
{
    return listener->port;
}
