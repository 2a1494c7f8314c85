#pragma once
/*
 * serve/gate_socket: the gate for programs on the same machine, over a Unix socket (docs/format/gate-socket.md). A thread for
 * each connection reads a frame, asks, and answers when what was decided is durable.
 *
 * Who may ask is whom the file system lets: the socket is 0660 of the server's user and group.
 *
 * Ownership  gate_socket_start to gate_socket_stop, before the gate stops.
 * Limits     GATE_CONNECTIONS_MAX, GATE_FRAME_BYTES_MAX, GATE_ASK_MAX.
 */
#include "gate/gate.h"

struct gate_socket;

/* What a caller decided by its own table while nobody answered. */
struct gate_report {
    struct gate_request request;
    enum gate_decision decision;
    struct slice rule; /* of its table */
    int64_t decided_ns;
};

struct gate_socket_config {
    const char *path; /* copied */
    struct gate *gate;
    /* Reports become events; 0 when they are durable. From the threads of the connections. */
    int (*reported)(void *context, const struct gate_report *reports, size_t count, struct err *err);
    void *context;
};

/* A socket that a dead server left is replaced; one that somebody answers on is ERR_CONFLICT. */
MUST_USE int gate_socket_start(const struct gate_socket_config *config, struct gate_socket **out, struct err *err);
void gate_socket_stop(struct gate_socket *socket); /* NULL is fine */
