#include "serve/gate_socket.h"

#include "base/mem.h"
#include "base/thread.h"
#include "gate/gate_frame.h"
#include "gate/gate_text.h"
#include "serve/api_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 1000, BACKLOG = 64 };
#define ANSWER_BYTES_MAX (16 * MIB)
#define ROUND_BYTES_MAX (16 * MIB)

struct connection {
    struct gate_socket *owner;
    pthread_t thread;
    int fd;          /* -1: the place is free */
    bool running;    /* the thread is to be joined */
    bool ended;      /* ... and will not be in the way */
    struct buffer in, out;
    struct arena *arena;
};

struct gate_socket {
    struct gate_socket_config config;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd, stop[2];
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* over the places */
    struct connection places[GATE_CONNECTIONS_MAX];
};

/* ---- bytes ---- */

static bool write_whole(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)sent);
    }
    return true;
}

static bool send_error(struct connection *connection, const char *why)
{
    buffer_clear(&connection->out);
    size_t begun = gate_frame_begin(&connection->out, GATE_FRAME_ERROR, 1);
    buffer_put_text(&connection->out, why);
    gate_frame_end(&connection->out, begun);
    (void)!write_whole(connection->fd, buffer_slice(&connection->out));
    return false;
}

/* False: the caller is gone, or was told why it must go. */
static bool read_frame(struct connection *connection, struct gate_frame *frame)
{
    char head[GATE_FRAME_HEAD];
    struct err err;
    if (!gate_frame_receive(connection->fd, head, sizeof(head)))
        return false;
    if (gate_frame_head(slice_of(head, sizeof(head)), frame, &err) < 0)
        return send_error(connection, err.text);
    buffer_clear(&connection->in);
    char *body = buffer_reserve(&connection->in, frame->body.len + 1);
    if (!body)
        return send_error(connection, "memory is out");
    if (!gate_frame_receive(connection->fd, body, frame->body.len))
        return false;
    frame->body.ptr = body;
    return true;
}

/* ---- questions ---- */

static bool take_asks(struct connection *connection, struct gate_frame *frame, struct gate_ask *asks, bool *wrong)
{
    struct err err;
    for (size_t i = 0; i < frame->count; i++) {
        asks[i] = (struct gate_ask){0};
        wrong[i] = gate_frame_take_request(&frame->body, &asks[i].request, &err) < 0;
        if (wrong[i] && err.code == ERR_CORRUPT)
            return send_error(connection, err.text);
        if (wrong[i]) {
            const char *why = arena_string(connection->arena, slice_text(err.text));
            asks[i].refused = ERR_CONFIG;
            asks[i].why = why ? why : "the request is wrong";
        }
    }
    return frame->body.len == 0 || send_error(connection, "the frame is longer than its requests");
}

/* Those that can be read are asked together, in their order. */
static void decide(struct connection *connection, struct gate_ask *asks, const bool *wrong, size_t count)
{
    struct gate_ask *asked = arena_array(connection->arena, GATE_ASK_MAX, sizeof(*asked));
    size_t places[GATE_ASK_MAX], n = 0;
    for (size_t i = 0; asked && i < count; i++)
        if (!wrong[i]) {
            asked[n] = asks[i];
            places[n++] = i;
        }
    if (n)
        gate_decide_many(connection->owner->config.gate, asked, n, WAIT_MS, connection->arena);
    for (size_t k = 0; k < n; k++)
        asks[places[k]] = asked[k];
}

static bool answer_asks(struct connection *connection, struct gate_frame *frame)
{
    struct gate_ask *asks = arena_array(connection->arena, GATE_ASK_MAX, sizeof(*asks));
    bool wrong[GATE_ASK_MAX];
    if (!asks)
        return send_error(connection, "memory is out");
    if (frame->count == 0 || frame->count > GATE_ASK_MAX)
        return send_error(connection, "a frame has 1 to 64 requests");
    size_t count = frame->count;
    if (!take_asks(connection, frame, asks, wrong))
        return false;
    decide(connection, asks, wrong, count);
    size_t begun = gate_frame_begin(&connection->out, GATE_FRAME_ANSWER, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        gate_frame_put_answer(&connection->out, &asks[i]);
    gate_frame_end(&connection->out, begun);
    return true;
}

static bool answer_check(struct connection *connection, struct gate_frame *frame)
{
    struct gate_request request;
    struct slice token;
    struct err err;
    if (frame->count != 1 || gate_frame_take_request(&frame->body, &request, &err) < 0 ||
        !gate_text_take(&frame->body, &token) || frame->body.len)
        return send_error(connection, "a check is one request and its token");
    bool good = gate_token_check(connection->owner->config.gate, &request, token, &err) == 0;
    size_t begun = gate_frame_begin(&connection->out, GATE_FRAME_CHECKED, 1);
    buffer_put_char(&connection->out, good);
    if (!good)
        buffer_put_text(&connection->out, err.text);
    gate_frame_end(&connection->out, begun);
    return true;
}

/* decision 1, time 8, name of the rule, behind each request */
static bool take_report(struct slice *body, struct gate_report *out, struct err *err)
{
    struct slice decision;
    uint64_t decided;
    *out = (struct gate_report){0};
    if (gate_frame_take_request(body, &out->request, err) < 0 || !slice_take(body, 1, &decision) ||
        !slice_take_le64(body, &decided) || !gate_text_take(body, &out->rule) || decision.ptr[0] < GATE_ALLOW ||
        decision.ptr[0] > GATE_DENY)
        return false;
    out->decision = (enum gate_decision)decision.ptr[0];
    out->decided_ns = (int64_t)decided;
    return out->decided_ns >= 0;
}

static bool answer_report(struct connection *connection, struct gate_frame *frame)
{
    const struct gate_socket_config *config = &connection->owner->config;
    struct gate_report *reports = arena_array(connection->arena, GATE_ASK_MAX, sizeof(*reports));
    struct err err;
    if (!reports || frame->count == 0 || frame->count > GATE_ASK_MAX)
        return send_error(connection, "a report has 1 to 64 decisions");
    for (size_t i = 0; i < frame->count; i++)
        if (!take_report(&frame->body, &reports[i], &err))
            return send_error(connection, "a report is a request, what was decided, when, and by which rule");
    if (frame->body.len)
        return send_error(connection, "the frame is longer than its reports");
    if (config->reported(config->context, reports, frame->count, &err) < 0)
        return send_error(connection, err.text);
    gate_frame_end(&connection->out, gate_frame_begin(&connection->out, GATE_FRAME_REPORTED, frame->count));
    return true;
}

static bool answer_explain(struct connection *connection, struct gate_frame *frame)
{
    struct gate_request request;
    struct gate_explained explained;
    struct json json;
    struct err err;
    if (frame->count != 1 || gate_frame_take_request(&frame->body, &request, &err) < 0 || frame->body.len)
        return send_error(connection, "one request is explained at a time");
    if (gate_explain(connection->owner->config.gate, &request, connection->arena, &explained, &err) < 0)
        return send_error(connection, err.text);
    size_t begun = gate_frame_begin(&connection->out, GATE_FRAME_EXPLAINED, 1);
    json_init(&json, &connection->out);
    api_put_explained(&json, &explained);
    gate_frame_end(&connection->out, begun);
    return true;
}

static bool answer(struct connection *connection, struct gate_frame *frame)
{
    buffer_clear(&connection->out);
    arena_reset(connection->arena);
    bool fine = frame->kind == GATE_FRAME_ASK       ? answer_asks(connection, frame)
                : frame->kind == GATE_FRAME_CHECK   ? answer_check(connection, frame)
                : frame->kind == GATE_FRAME_REPORT  ? answer_report(connection, frame)
                : frame->kind == GATE_FRAME_EXPLAIN ? answer_explain(connection, frame)
                                                    : send_error(connection, "there is no such kind of frame");
    if (fine && buffer_failed(&connection->out))
        return send_error(connection, "memory is out");
    return fine && write_whole(connection->fd, buffer_slice(&connection->out));
}

/* ---- connections ---- */

static void *serve(void *context)
{
    struct connection *connection = context;
    struct gate_frame frame;
    pthread_setname_np(pthread_self(), "gate-socket");
    thread_run_soon();
    thread_go_before();
    while (read_frame(connection, &frame) && answer(connection, &frame))
        continue;
    pthread_mutex_lock(&connection->owner->lock);
    (void)shutdown(connection->fd, SHUT_RDWR);
    connection->ended = true;
    pthread_mutex_unlock(&connection->owner->lock);
    return NULL;
}

static void leave(struct connection *connection)
{
    if (connection->running)
        pthread_join(connection->thread, NULL);
    if (connection->fd >= 0)
        close(connection->fd);
    buffer_close(&connection->in);
    buffer_close(&connection->out);
    arena_free(connection->arena);
    *connection = (struct connection){.owner = connection->owner, .fd = -1};
}

/* Under the lock: a free place, those that have ended cleared. */
static struct connection *find_place(struct gate_socket *socket)
{
    struct connection *found = NULL;
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++) {
        struct connection *place = &socket->places[i];
        if (place->ended)
            leave(place);
        if (place->fd < 0)
            found = place;
    }
    return found;
}

static void take_connection(struct gate_socket *socket, int fd)
{
    pthread_mutex_lock(&socket->lock);
    struct connection *place = find_place(socket);
    struct connection turned_away = {.owner = socket, .fd = fd};
    if (place) {
        place->fd = fd;
        buffer_init(&place->in, GATE_FRAME_BYTES_MAX + KIB);
        buffer_init(&place->out, ANSWER_BYTES_MAX);
        place->arena = arena_new(ROUND_BYTES_MAX);
        place->running = place->arena && thread_start(&place->thread, serve, place) == 0;
        if (!place->running)
            leave(place);
    } else {
        buffer_init(&turned_away.out, KIB);
        (void)send_error(&turned_away, "the gate has as many connections as it takes; close one");
        leave(&turned_away);
    }
    pthread_mutex_unlock(&socket->lock);
}

static void *listen_for(void *context)
{
    struct gate_socket *socket = context;
    struct pollfd polled[2] = {{.fd = socket->fd, .events = POLLIN}, {.fd = socket->stop[0], .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (polled[1].revents)
            return NULL;
        int fd = polled[0].revents ? accept4(socket->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            take_connection(socket, fd);
        polled[0].revents = polled[1].revents = 0;
    }
}

/* ---- life ---- */

/* What a server that is gone left behind is removed. */
static int clear_path(const struct gate_socket *owner, const struct sockaddr_un *address, struct err *err)
{
    struct stat info;
    if (lstat(owner->path, &info) < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot look at %s", owner->path);
    if (!S_ISSOCK(info.st_mode))
        return err_set(err, ERR_CONFLICT, "%s is there and is no socket; remove it or name another gate_socket", owner->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    if (fd >= 0)
        close(fd);
    if (answered)
        return err_set(err, ERR_CONFLICT, "another gate answers on %s", owner->path);
    return unlink(owner->path) < 0 && errno != ENOENT ? err_set_errno(err, errno, "cannot remove %s", owner->path) : 0;
}

static int open_socket(struct gate_socket *owner, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, owner->path, sizeof(address.sun_path));
    if (clear_path(owner, &address, err) < 0)
        return -1;
    owner->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (owner->fd < 0 || pipe2(owner->stop, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot make the gate's socket");
    mode_t before = umask(0117); /* no moment in which others may ask */
    int bound = bind(owner->fd, (const struct sockaddr *)&address, sizeof(address));
    int why = errno;
    (void)umask(before);
    if (bound < 0 || listen(owner->fd, BACKLOG) < 0)
        return err_set_errno(err, bound < 0 ? why : errno, "cannot listen on %s", owner->path);
    return 0;
}

int gate_socket_start(const struct gate_socket_config *config, struct gate_socket **out, struct err *err)
{
    *out = NULL;
    struct gate_socket *socket = mem_calloc(1, sizeof(*socket));
    if (!socket)
        return err_nomem(err);
    socket->config = *config;
    socket->fd = socket->stop[0] = socket->stop[1] = -1;
    pthread_mutex_init(&socket->lock, NULL);
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++)
        socket->places[i] = (struct connection){.owner = socket, .fd = -1};
    int len = snprintf(socket->path, sizeof(socket->path), "%s", config->path);
    int result = len < 0 || (size_t)len >= sizeof(socket->path)
                     ? err_set(err, ERR_CONFIG, "the path %s is too long for a socket (%zu bytes at most); set gate_socket",
                               config->path, sizeof(socket->path) - 1)
                     : open_socket(socket, err);
    if (result == 0 && thread_start(&socket->thread, listen_for, socket) != 0)
        result = err_set(err, ERR_NOMEM, "the gate's socket cannot have a thread");
    socket->running = result == 0;
    if (result < 0) {
        gate_socket_stop(socket);
        return -1;
    }
    *out = socket;
    return 0;
}

void gate_socket_stop(struct gate_socket *socket)
{
    if (!socket)
        return;
    if (socket->running) {
        (void)!write(socket->stop[1], "", 1);
        pthread_join(socket->thread, NULL);
        (void)unlink(socket->path);
    }
    pthread_mutex_lock(&socket->lock);
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++)
        if (socket->places[i].fd >= 0)
            (void)shutdown(socket->places[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&socket->lock);
    for (size_t i = 0; i < GATE_CONNECTIONS_MAX; i++)
        leave(&socket->places[i]);
    for (int i = 0; i < 2; i++)
        if (socket->stop[i] >= 0)
            close(socket->stop[i]);
    if (socket->fd >= 0)
        close(socket->fd);
    pthread_mutex_destroy(&socket->lock);
    mem_free(socket);
}
