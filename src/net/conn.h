#pragma once
/*
 * net/conn: TCP listeners and connections, plain or TLS, and UDP sockets, on a
 * loop. Callbacks run on the loop's thread and must not block.
 *
 * Ownership  A listener lives until its loop stops. A connection is freed after
 *            closed(); net_conn_hold keeps the memory for other threads until
 *            net_conn_drop, so that an answer may come late.
 * Limits     CONNECTIONS_MAX per listener, CONNECTIONS_PER_PEER_MAX per address,
 *            WRITE_PENDING_MAX bytes waiting for a slow reader, then it is closed.
 *            Silent connections are closed after the listener's idle_ms.
 */
#include "base/err.h"
#include "base/slice.h"
#include "net/loop.h"

#include <stdint.h>

struct net_conn;
struct net_listener;
struct tls_context;

enum { PAUSED_TICK_MS = 100, LINGER_IDLE_MS = 2000, LINGER_MS = 30000 };

struct net_handler {
    void *(*opened)(void *context, struct net_conn *conn); /* state of the connection; NULL refuses */
    void (*data)(void *state, struct net_conn *conn, struct slice bytes);
    void (*closed)(void *state, struct net_conn *conn); /* state may be freed */
    /* Every PAUSED_TICK_MS while the connection is paused; may be NULL. */
    void (*paused)(void *state, struct net_conn *conn);
    /* net_conn_is_drained() again, after a write; may be NULL. */
    void (*drained)(void *state, struct net_conn *conn);
};

struct net_listen_options {
    const char *address; /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;       /* 0 = any; see net_listener_port */
    struct tls_context *tls; /* NULL = plain */
    int64_t idle_ms;
    int segment_bytes; /* the most that peers are to send in one segment; 0: what the network takes */
    struct net_handler handler;
    void *context;
};

/* Not from the loop's own thread. */
MUST_USE int net_listen(struct net_loop *loop, const struct net_listen_options *options,
                        struct net_listener **out, struct err *err);
uint16_t net_listener_port(const struct net_listener *listener);

/* The loop's thread only, all of these. Bytes are copied. */
void net_conn_write(struct net_conn *conn, struct slice bytes);
void net_conn_close(struct net_conn *conn); /* after what is written has gone out */
/* The same, but what the peer still sends is thrown away for a while: a socket that is closed with
 * unread bytes in it is reset, and the peer never sees the answer. */
void net_conn_linger(struct net_conn *conn);
void net_conn_pause(struct net_conn *conn); /* stop reading: back-pressure */
void net_conn_resume(struct net_conn *conn);
void net_conn_touch(struct net_conn *conn); /* counts as activity */
/* It is closed in so many ms, whatever comes meanwhile; 0: it is not. The last one counts. */
void net_conn_deadline(struct net_conn *conn, int64_t ms);
/* "192.0.2.1:4711"; as long as the connection. */
struct slice net_conn_peer(const struct net_conn *conn);
struct slice net_conn_identity(const struct net_conn *conn); /* TLS client, or SLICE_NONE */
bool net_conn_is_open(const struct net_conn *conn);
/* Little waits for the reader: a good moment to write more. */
bool net_conn_is_drained(const struct net_conn *conn);

/* Any thread. */
void net_conn_hold(struct net_conn *conn);
void net_conn_drop(struct net_conn *conn);

/* ---- UDP ---- */
enum { UDP_DROPS_MS = 500, UDP_RECEIVE_BYTES = 16 * 1024 * 1024 };
struct net_udp;
struct net_udp_options {
    const char *address;
    uint16_t port;
    /* One call a datagram; peer is only valid during the call. */
    void (*datagram)(void *context, struct slice bytes, struct slice peer);
    /* What the kernel has dropped so far, when that changes and before the socket is closed; looked at every UDP_DROPS_MS. */
    void (*dropped)(void *context, uint64_t datagrams);
    void *context;
};
MUST_USE int net_listen_udp(struct net_loop *loop, const struct net_udp_options *options,
                            struct net_udp **out, struct err *err);
uint16_t net_udp_port(const struct net_udp *udp);

