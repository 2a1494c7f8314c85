#include "app/gate_ask_why.h"

#include "app/cli.h"
#include "base/file.h"
#include "base/limits.h"
#include "gate/gate_frame.h"
#include "gate/gate_request.h"
#include "gate/gate_text.h"
#include "gate/token.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 10, REQUEST_BYTES_MAX = 64 * 1024 };

static int reach(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = ANSWER_SECONDS};
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path))
        return err_set(err, ERR_CONFIG, "%s is too long for the path of a socket", path);
    memcpy(address.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        err_set(err, ERR_CLOSED, "no gate answers on %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int converse(int fd, struct slice question, struct arena *arena, struct gate_frame *answer, struct err *err)
{
    char head[GATE_FRAME_HEAD];
    if (send(fd, question.ptr, question.len, MSG_NOSIGNAL) != (ssize_t)question.len || !gate_frame_receive(fd, head, sizeof(head)))
        return err_set(err, ERR_CLOSED, "the gate did not answer");
    if (gate_frame_head(slice_of(head, sizeof(head)), answer, err) < 0)
        return -1;
    char *body = arena_alloc(arena, answer->body.len + 1);
    if (!body)
        return err_nomem(err);
    answer->body.ptr = body;
    if (!gate_frame_receive(fd, body, answer->body.len))
        return err_set(err, ERR_CLOSED, "the gate's answer ended early");
    if (answer->kind == GATE_FRAME_EXPLAINED)
        return 0;
    return err_set(err, ERR_CONFIG, "%.*s", SLICE_ARG(answer->body));
}

static int read_question(const char *path, struct arena *arena, struct buffer *to, struct err *err)
{
    struct slice text;
    const struct json_node *body;
    struct gate_request request;
    struct buffer canonical;
    if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, REQUEST_BYTES_MAX, arena, &text, err) < 0 ||
        json_tree_parse(text, arena, &body, err) < 0 || gate_request_read(body, arena, &request, err) < 0)
        return -1;
    buffer_init(&canonical, REQUEST_BYTES_MAX);
    request_canonical(&request, &canonical);
    size_t begun = gate_frame_begin(to, GATE_FRAME_EXPLAIN, 1);
    gate_text_put(to, buffer_slice(&canonical));
    gate_frame_end(to, begun);
    bool failed = buffer_failed(&canonical) || buffer_failed(to);
    buffer_close(&canonical);
    return failed ? err_nomem(err) : 0;
}

int gate_ask_why(const char *socket_path, const char *request, struct err *err)
{
    struct gate_frame answer;
    struct buffer question;
    struct arena *arena = arena_new(64 * MIB);
    if (!arena)
        return err_nomem(err);
    buffer_init(&question, MIB);
    int result = read_question(request, arena, &question, err);
    int fd = result == 0 ? reach(socket_path, err) : -1;
    if (fd >= 0) {
        result = converse(fd, buffer_slice(&question), arena, &answer, err);
        close(fd);
    } else {
        result = -1;
    }
    if (result == 0)
        (void)!(cli_write(answer.body) && cli_write(SLICE("\n")) && cli_flush());
    buffer_close(&question);
    arena_free(arena);
    return result;
}
