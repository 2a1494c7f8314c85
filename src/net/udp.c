/* UDP input: recvmmsg through libuv, one callback a datagram. */
#include "net/conn.h"

#include "base/mem.h"
#include "net/closer.h"

#include <linux/sock_diag.h>
#include <stdio.h>
#include <uv.h>

/* libuv cuts the room into slots of 64 KiB and fills as many as it can with one system call. */
enum { SLOT_BYTES = 64 * 1024, SLOTS = 20 };

struct net_udp {
    struct net_closer closer;
    uv_udp_t udp;
    struct net_udp_options options;
    uint16_t port;
    char *room;
    uv_timer_t sweep;
    int handles; /* still to be closed before it may be freed */
    uint64_t drops;
    uint32_t drops_seen;
};

/* Datagrams that the kernel dropped because the socket's buffer was full (its counter has 32 bits). */
static void look_at_drops(struct net_udp *udp)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t size = sizeof(info);
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&udp->udp, &fd) != 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0)
        return;
    uint32_t fresh = info[SK_MEMINFO_DROPS] - udp->drops_seen;
    udp->drops += fresh;
    udp->drops_seen = info[SK_MEMINFO_DROPS];
    if (fresh && udp->options.dropped)
        udp->options.dropped(udp->options.context, udp->drops);
}

static void on_sweep(uv_timer_t *timer)
{
    look_at_drops(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_udp *udp = handle->data;
    if (--udp->handles > 0)
        return;
    mem_free(udp->room);
    mem_free(udp);
}

static void close_udp(void *self)
{
    struct net_udp *udp = self;
    if (uv_is_closing((uv_handle_t *)&udp->udp))
        return;
    look_at_drops(udp);
    uv_close((uv_handle_t *)&udp->udp, on_closed);
    uv_close((uv_handle_t *)&udp->sweep, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct net_udp *udp = handle->data;
    *buf = uv_buf_init(udp->room, SLOT_BYTES * SLOTS);
}

static void on_datagram(uv_udp_t *handle, ssize_t got, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    (void)flags;
    struct net_udp *udp = handle->data;
    if (got <= 0 || !from)
        return;
    char peer[64], host[48] = "";
    unsigned port = 0;
    if (from->sa_family == AF_INET) {
        uv_ip4_name((const struct sockaddr_in *)(const void *)from, host, sizeof(host));
        port = ntohs(((const struct sockaddr_in *)(const void *)from)->sin_port);
    } else {
        uv_ip6_name((const struct sockaddr_in6 *)(const void *)from, host, sizeof(host));
        port = ntohs(((const struct sockaddr_in6 *)(const void *)from)->sin6_port);
    }
    int len = snprintf(peer, sizeof(peer), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    udp->options.datagram(udp->options.context, slice_of(buf->base, (size_t)got),
                          slice_of(peer, (size_t)len));
}

struct starting {
    struct net_loop *loop;
    struct net_udp *udp;
    struct sockaddr_storage address;
    int code;
};

/* As much as the system lets us have: all of it with CAP_NET_ADMIN, else up to net.core.rmem_max. */
static void ask_for_room(struct net_udp *udp)
{
    int size = UDP_RECEIVE_BYTES;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&udp->udp, &fd) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        uv_recv_buffer_size((uv_handle_t *)&udp->udp, &size);
}

static void start_udp(void *context)
{
    struct starting *start = context;
    struct net_udp *udp = start->udp;
    start->code = uv_udp_init_ex(net_loop_uv(start->loop), &udp->udp, AF_UNSPEC | UV_UDP_RECVMMSG);
    if (start->code < 0)
        return;
    uv_timer_init(net_loop_uv(start->loop), &udp->sweep);
    udp->udp.data = udp->sweep.data = udp;
    udp->handles = 2;
    start->code = uv_udp_bind(&udp->udp, (struct sockaddr *)&start->address, 0);
    if (start->code == 0)
        ask_for_room(udp);
    if (start->code == 0)
        start->code = uv_udp_recv_start(&udp->udp, on_alloc, on_datagram);
    int len = sizeof(start->address);
    if (start->code == 0)
        start->code = uv_udp_getsockname(&udp->udp, (struct sockaddr *)&start->address, &len);
    if (start->code < 0) {
        close_udp(udp);
        return;
    }
    uv_timer_start(&udp->sweep, on_sweep, UDP_DROPS_MS, UDP_DROPS_MS);
    udp->port = ntohs(start->address.ss_family == AF_INET
                          ? ((struct sockaddr_in *)&start->address)->sin_port
                          : ((struct sockaddr_in6 *)&start->address)->sin6_port);
}

int net_listen_udp(struct net_loop *loop, const struct net_udp_options *options,
                   struct net_udp **out, struct err *err)
{
    struct starting start = {.loop = loop};
    *out = NULL;
    if (uv_ip4_addr(options->address, options->port, (struct sockaddr_in *)&start.address) != 0 &&
        uv_ip6_addr(options->address, options->port, (struct sockaddr_in6 *)&start.address) != 0)
        return err_set(err, ERR_CONFIG, "'%s' is not an IP address to listen on", options->address);
    struct net_udp *udp = mem_calloc(1, sizeof(*udp));
    char *room = mem_alloc((size_t)SLOT_BYTES * SLOTS);
    if (!udp || !room) {
        mem_free(udp);
        mem_free(room);
        return err_nomem(err);
    }
    udp->closer.close = close_udp;
    udp->options = *options;
    udp->room = room;
    start.udp = udp;
    if (!net_loop_call(loop, start_udp, &start)) {
        mem_free(room);
        mem_free(udp);
        return err_set(err, ERR_CLOSED, "the event loop is stopping");
    }
    if (start.code < 0)
        return err_set(err, ERR_IO,
                       "cannot listen on %s UDP port %u: %s; stop what uses it or choose another",
                       options->address, options->port, uv_strerror(start.code));
    *out = udp;
    return 0;
}

uint16_t net_udp_port(const struct net_udp *udp)
{
    return udp->port;
}
