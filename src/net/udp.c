/* UDP input: recvmmsg(2), one callback a datagram. */
#include "net/conn.h"

#include "base/mem.h"
#include "net/closer.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* Datagrams a system call, each into a slot that holds the largest; and calls before others of the loop have a turn. */
enum { SLOT_BYTES = 64 * 1024, SLOTS = 128, ROUNDS = 32, PEER_ROOM = 64 };
/* With a receive buffer of REST_ROOM nothing is lost in REST_MS, at a million datagrams a second and more. */
enum { REST_MS = 1, REST_ROOM = 4 * 1024 * 1024, FLOOD_WAKES = 1000 };

struct net_udp {
    struct net_closer closer;
    uv_poll_t poll;
    uv_timer_t sweep, rest;
    bool may_rest;  /* the kernel keeps all that comes meanwhile */
    unsigned flood; /* wakes until it is asked again whether there is one */
    int handles; /* still to be closed before it may be freed */
    int fd;
    struct net_udp_options options;
    uint16_t port;
    char *room;
    struct mmsghdr messages[SLOTS];
    struct iovec slots[SLOTS];
    struct sockaddr_storage from[SLOTS];
    struct sockaddr_storage last; /* who peer is about */
    char peer[PEER_ROOM];
    size_t peer_len;
    uint64_t drops;
    uint32_t drops_seen;
};

/* ---- reading ---- */

static bool same_sender(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    size_t size = a->ss_family == AF_INET ? offsetof(struct sockaddr_in, sin_zero) : sizeof(struct sockaddr_in6);
    return memcmp(a, b, size) == 0;
}

/* A sender mostly sends several in a row. */
static struct slice peer_of(struct net_udp *udp, const struct sockaddr_storage *from)
{
    char host[48] = "";
    if (udp->peer_len && same_sender(from, &udp->last))
        return slice_of(udp->peer, udp->peer_len);
    bool v4 = from->ss_family == AF_INET;
    const void *address = from;
    if (v4)
        uv_ip4_name(address, host, sizeof(host));
    else
        uv_ip6_name(address, host, sizeof(host));
    unsigned port = ntohs(v4 ? ((const struct sockaddr_in *)address)->sin_port : ((const struct sockaddr_in6 *)address)->sin6_port);
    int len = snprintf(udp->peer, sizeof(udp->peer), v4 ? "%s:%u" : "[%s]:%u", host, port);
    udp->peer_len = (size_t)len;
    udp->last = *from;
    return slice_of(udp->peer, udp->peer_len);
}

/* Datagrams read, or -1 when there are none. */
static int read_some(struct net_udp *udp)
{
    for (int i = 0; i < SLOTS; i++)
        udp->messages[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
    int got = recvmmsg(udp->fd, udp->messages, SLOTS, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++)
        udp->options.datagram(udp->options.context, slice_of(udp->slots[i].iov_base, udp->messages[i].msg_len),
                              peer_of(udp, &udp->from[i]));
    return got;
}

static void on_readable(uv_poll_t *poll, int status, int events);

/* How many, of what is there. */
static int read_all(struct net_udp *udp)
{
    int all = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int got = read_some(udp);
        all += got > 0 ? got : 0;
        if (got < SLOTS)
            break;
    }
    return all;
}

/* While some come it is looked for them each REST_MS: to be woken by each of them costs more than to read it. In a flood
 * nobody rests. */
static void on_rest(uv_timer_t *timer)
{
    struct net_udp *udp = timer->data;
    int got = read_all(udp);
    if (got >= SLOTS)
        udp->flood = FLOOD_WAKES;
    if (got && !udp->flood)
        uv_timer_start(&udp->rest, on_rest, REST_MS, 0);
    else
        uv_poll_start(&udp->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct net_udp *udp = poll->data;
    (void)status;
    (void)events;
    (void)read_all(udp);
    if (udp->flood) {
        udp->flood--;
    } else if (udp->may_rest) {
        uv_poll_stop(poll);
        uv_timer_start(&udp->rest, on_rest, REST_MS, 0);
    }
}

/* Its counter has 32 bits. */
static void look_at_drops(struct net_udp *udp)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t size = sizeof(info);
    if (getsockopt(udp->fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0)
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

/* As much as the system lets us have: all of it with CAP_NET_ADMIN, else up to net.core.rmem_max. */
static void ask_for_room(struct net_udp *udp)
{
    int size = UDP_RECEIVE_BYTES;
    socklen_t len = sizeof(size);
    if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    udp->may_rest = getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0 && size >= REST_ROOM;
}

/* ---- opening and closing ---- */

static void udp_free(struct net_udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    mem_free(udp->room);
    mem_free(udp);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_udp *udp = handle->data;
    if (--udp->handles == 0)
        udp_free(udp);
}

/* What lies in the socket has arrived: it is read first. */
static void close_udp(void *self)
{
    struct net_udp *udp = self;
    if (uv_is_closing((uv_handle_t *)&udp->poll))
        return;
    uv_poll_stop(&udp->poll);
    while (read_some(udp) == SLOTS)
        continue;
    look_at_drops(udp);
    uv_close((uv_handle_t *)&udp->poll, on_closed);
    uv_close((uv_handle_t *)&udp->sweep, on_closed);
    uv_close((uv_handle_t *)&udp->rest, on_closed);
}

struct starting {
    struct net_loop *loop;
    struct net_udp *udp;
    int code;
};

static void start_udp(void *context)
{
    struct starting *start = context;
    struct net_udp *udp = start->udp;
    start->code = uv_poll_init(net_loop_uv(start->loop), &udp->poll, udp->fd);
    if (start->code < 0)
        return;
    uv_timer_init(net_loop_uv(start->loop), &udp->sweep);
    uv_timer_init(net_loop_uv(start->loop), &udp->rest);
    udp->poll.data = udp->sweep.data = udp->rest.data = udp;
    udp->handles = 3;
    uv_timer_start(&udp->sweep, on_sweep, UDP_DROPS_MS, UDP_DROPS_MS);
    uv_poll_start(&udp->poll, UV_READABLE, on_readable);
}

static int bind_socket(struct net_udp *udp, struct err *err)
{
    struct sockaddr_storage address = {0};
    const struct net_udp_options *options = &udp->options;
    bool v4 = uv_ip4_addr(options->address, options->port, (struct sockaddr_in *)&address) == 0;
    if (!v4 && uv_ip6_addr(options->address, options->port, (struct sockaddr_in6 *)&address) != 0)
        return err_set(err, ERR_CONFIG, "'%s' is not an IP address to listen on", options->address);
    udp->fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (udp->fd < 0 || bind(udp->fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(udp->fd, (struct sockaddr *)&address, &size) < 0)
        return err_set_errno(err, errno, "cannot listen on %s UDP port %u; stop what uses it or choose another",
                             options->address, options->port);
    udp->port = ntohs(v4 ? ((struct sockaddr_in *)&address)->sin_port : ((struct sockaddr_in6 *)&address)->sin6_port);
    ask_for_room(udp);
    return 0;
}

static int make_slots(struct net_udp *udp, struct err *err)
{
    udp->room = mem_alloc((size_t)SLOT_BYTES * SLOTS);
    if (!udp->room)
        return err_nomem(err);
    for (size_t i = 0; i < SLOTS; i++) {
        udp->slots[i] = (struct iovec){udp->room + i * SLOT_BYTES, SLOT_BYTES};
        udp->messages[i].msg_hdr = (struct msghdr){.msg_iov = &udp->slots[i], .msg_iovlen = 1, .msg_name = &udp->from[i]};
    }
    return 0;
}

int net_listen_udp(struct net_loop *loop, const struct net_udp_options *options,
                   struct net_udp **out, struct err *err)
{
    *out = NULL;
    struct net_udp *udp = mem_calloc(1, sizeof(*udp));
    if (!udp)
        return err_nomem(err);
    udp->closer.close = close_udp;
    udp->options = *options;
    udp->fd = -1;
    struct starting start = {.loop = loop, .udp = udp};
    int result = bind_socket(udp, err) < 0 ? -1 : make_slots(udp, err);
    if (result == 0 && !net_loop_call(loop, start_udp, &start))
        result = err_set(err, ERR_CLOSED, "the event loop is stopping");
    if (result == 0 && start.code < 0)
        result = err_set(err, ERR_IO, "cannot read UDP port %u: %s", options->port, uv_strerror(start.code));
    if (result < 0) {
        udp_free(udp);
        return -1;
    }
    *out = udp;
    return 0;
}

uint16_t net_udp_port(const struct net_udp *udp)
{
    return udp->port;
}
