#include "app/loopback.h"

#include "base/clock.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 1024 * 1024, TIMEOUT_SECONDS = 30 };
/* The server closes what is idle for HTTP_IDLE_TIMEOUT_MS; long before that a new one is dialled. */
#define IDLE_NS (HTTP_IDLE_TIMEOUT_MS / 4 * NS_PER_MS)

static int dial(struct loopback *client, struct err *err)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(client->port)};
    struct timeval wait = {.tv_sec = TIMEOUT_SECONDS};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return err_set_errno(err, errno, "cannot connect to port %u", client->port);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return 0;
}

static int send_all(int fd, struct slice bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return err_set_errno(err, errno, "cannot send");
        bytes = slice_from(bytes, (size_t)sent);
    }
    return 0;
}

/* Where the body begins and how long it is, once the header is there. */
static bool header_of(struct slice text, size_t *start, size_t *len)
{
    ptrdiff_t end = slice_find(text, SLICE("\r\n\r\n"));
    ptrdiff_t at = slice_find(text, SLICE("Content-Length: "));
    *len = 0;
    if (end < 0)
        return false;
    *start = (size_t)end + 4;
    if (at >= 0 && at < end) {
        struct slice number = slice_from(text, (size_t)at + 16);
        uint64_t n = 0;
        number.len = (size_t)slice_find(number, SLICE("\r\n"));
        if (slice_to_u64(number, &n))
            *len = (size_t)n;
    }
    return true;
}

static int receive(struct loopback *client, struct buffer *reply, struct err *err)
{
    struct buffer text;
    size_t start = 0, len = 0;
    int result = 0;
    buffer_init(&text, REPLY_MAX);
    while (result == 0 && (!header_of(buffer_slice(&text), &start, &len) || text.len < start + len)) {
        char *room = buffer_reserve(&text, 16 * KIB);
        ssize_t got = room ? recv(client->fd, room, 16 * KIB, 0) : -1;
        if (got <= 0)
            result = err_set_errno(err, got ? errno : ECONNRESET, "no answer from port %u", client->port);
        else
            buffer_commit(&text, (size_t)got);
    }
    int64_t status = -1;
    if (result == 0 && !slice_to_i64(slice_sub(buffer_slice(&text), 9, 3), &status))
        result = err_set(err, ERR_INPUT, "the answer is no HTTP");
    if (result == 0 && reply)
        buffer_put(reply, slice_sub(buffer_slice(&text), start, len));
    buffer_close(&text);
    return result < 0 ? -1 : (int)status;
}

int loopback_post(struct loopback *client, const char *path, const char *authorization,
                  const char *key, struct slice body, struct buffer *reply, struct err *err)
{
    struct buffer request;
    int64_t now_ns = clock_mono_ns(clock_real());
    if (now_ns - client->used_ns > IDLE_NS)
        loopback_close(client);
    client->used_ns = now_ns;
    if (client->fd < 0 && dial(client, err) < 0) {
        loopback_close(client);
        return -1;
    }
    buffer_init(&request, HTTP_BODY_BYTES_MAX + 64 * KIB);
    buffer_printf(&request, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n", path, authorization,
                  body.len);
    if (key)
        buffer_printf(&request, "Idempotency-Key: %s\r\n", key);
    buffer_put_text(&request, "\r\n");
    buffer_put(&request, body);
    int status = buffer_failed(&request) ? err_nomem(err)
                                         : send_all(client->fd, buffer_slice(&request), err);
    buffer_close(&request);
    if (status == 0)
        status = receive(client, reply, err);
    if (status < 0)
        loopback_close(client);
    return status;
}

void loopback_close(struct loopback *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}
