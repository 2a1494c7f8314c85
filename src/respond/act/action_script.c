/*
 * A script, run by hinomi-helper (src/helper_main.c): another process, another user, started by the owner. This program
 * starts nothing itself: it connects to the helper's socket and says which of the helper's own scripts is meant.
 *
 *   request  length (4 bytes, little-endian), then {"script": ..., "input": {...}}
 *   answer   length, then {"outcome": "done"|"failed"|"refused", "detail": ..., "output": ...}
 */
#include "cut/json_tree.h"
#include "respond/act/act_body.h"

#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

extern const struct action_kind action_script;

static int check(const struct act_settings *row, struct err *err)
{
    struct sockaddr_un address;
    if (!row->script.len || !row->socket.len)
        return err_set(err, ERR_CONFIG, "it needs the script's name at the helper, and the helper's socket");
    if (row->socket.len >= sizeof(address.sun_path) || row->socket.ptr[0] != '/')
        return err_set(err, ERR_CONFIG, "socket is a path that begins with / and has less than %zu bytes", sizeof(address.sun_path));
    return act_body_check(row->body, err);
}

static int put_request(const struct act_work *work, struct json *json, struct err *err)
{
    struct slice input = act_body_fill(work->settings->body, work);
    if (!input.ptr)
        return err_nomem(err);
    json_put_text(json, "script", work->settings->script);
    json_put_bool(json, "undo", work->undo);
    json_key(json, "input");
    json_raw(json, input);
    return 0;
}

static int tell(const struct act_work *work, struct json *json, struct err *err)
{
    json_put_text(json, "socket", work->settings->socket);
    return put_request(work, json, err);
}

/* ---- the exchange ---- */

static int connect_to(const struct act_work *work, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = HELPER_TIME_MAX_S + 5};
    memcpy(address.sun_path, work->settings->socket.ptr, work->settings->socket.len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "a socket for the helper");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        err_set_errno(err, errno, "hinomi-helper at %s cannot be reached", address.sun_path);
        close(fd);
        return -1;
    }
    return fd;
}

static int send_all(int fd, struct slice bytes, struct err *err)
{
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = send(fd, bytes.ptr + at, bytes.len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(err, errno, "the helper took no request");
        at += (size_t)n;
    }
    return 0;
}

/* Until the other side closes. */
static int receive_all(int fd, struct buffer *to, struct err *err)
{
    for (;;) {
        char *room = buffer_reserve(to, 4096);
        if (!room)
            return err_set(err, ERR_LIMIT, "the helper's answer is longer than %d bytes", HELPER_FRAME_BYTES_MAX);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "the helper did not answer");
        if (n == 0)
            return 0;
        buffer_commit(to, (size_t)n);
    }
}

static enum action_result judge(const struct act_work *work, struct slice answer, struct action_answer *to, struct err *err)
{
    const struct json_node *root = NULL;
    uint32_t len;
    if (!slice_take_le32(&answer, &len) || len != answer.len || json_tree_parse(answer, work->arena, &root, err) < 0) {
        err_set(err, ERR_IO, "the helper's answer was cut off");
        return ACTION_AGAIN;
    }
    struct slice outcome = json_text_of(json_get(root, "outcome"), SLICE(""));
    struct slice detail = json_text_of(json_get(root, "detail"), SLICE(""));
    struct slice output = json_text_of(json_get(root, "output"), SLICE(""));
    snprintf(to->receipt, sizeof(to->receipt), "%.*s", SLICE_ARG(slice_sub(detail, 0, ACTION_RECEIPT_SIZE - 1)));
    if (slice_is(outcome, "done"))
        return ACTION_DONE;
    err_set(err, ERR_IO, "%.*s %.*s", SLICE_ARG(detail), SLICE_ARG(slice_sub(output, 0, 300)));
    return slice_is(outcome, "refused") ? ACTION_REFUSED : ACTION_AGAIN;
}

static int exchange(const struct act_work *work, struct slice request, struct buffer *answer, struct err *err)
{
    struct buffer head;
    int fd = connect_to(work, err);
    if (fd < 0)
        return -1;
    buffer_init(&head, 16);
    buffer_put_le32(&head, (uint32_t)request.len);
    int result = buffer_failed(&head) ? err_nomem(err) : send_all(fd, buffer_slice(&head), err);
    if (result == 0)
        result = send_all(fd, request, err);
    if (result == 0)
        result = receive_all(fd, answer, err);
    buffer_close(&head);
    close(fd);
    return result;
}

static enum action_result run(const struct act_work *work, struct action_answer *to, struct err *err)
{
    struct buffer request, answer;
    struct json json;
    buffer_init(&request, HELPER_FRAME_BYTES_MAX);
    buffer_init(&answer, HELPER_FRAME_BYTES_MAX);
    json_init(&json, &request);
    json_open(&json, '{');
    int result = put_request(work, &json, err);
    json_close(&json, '}');
    if (result == 0 && buffer_failed(&request))
        result = err_nomem(err);
    if (result == 0)
        result = exchange(work, buffer_slice(&request), &answer, err);
    enum action_result outcome = result == 0 ? judge(work, buffer_slice(&answer), to, err) : ACTION_AGAIN;
    buffer_close(&request);
    buffer_close(&answer);
    return outcome;
}

const struct action_kind action_script = {
    .name = "script",
    .summary = "a signed script of the owner's, run by hinomi-helper",
    .check = check,
    .tell = tell,
    .run = run,
};
