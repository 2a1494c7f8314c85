#include "test.h"

#include "base/file.h"
#include "net/http_stream.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that answers with what it understood; every other answer comes from another thread. */
struct fixture {
    struct net_loop *loop;
    struct http_server *server;
    pthread_t late;
    bool used_thread;
    struct http_stream *stream;
    int pieces, refused;
    bool waits, ended_open;
};

static void answer(struct http_request *request)
{
    struct slice name = http_param(request, "name");
    struct slice body = arena_printf(http_arena(request), "%s %.*s [%.*s] %zu",
                                     http_method_name(http_method(request)),
                                     SLICE_ARG(http_path(request)), SLICE_ARG(name),
                                     http_body(request).len);
    http_reply(request, 200, "text/plain", SLICE_NONE, body);
}

static void *answer_late(void *request)
{
    usleep(20000);
    answer(request);
    return NULL;
}

enum { PIECE_BYTES = 1000, PIECES = 400, PIECES_TOO_MANY = 40000 };
#define STREAM_ROOM ((size_t)64 * 1024)

/* Numbered lines of PIECE_BYTES; those for which there is no room are counted instead. */
static void *answer_in_pieces(void *context)
{
    struct fixture *fixture = context;
    char piece[PIECE_BYTES + 1];
    for (int i = 0; i < fixture->pieces && http_stream_is_open(fixture->stream); i++) {
        snprintf(piece, sizeof(piece), "%0*d\n", PIECE_BYTES - 1, i);
        bool took = http_stream_put(fixture->stream, slice_of(piece, PIECE_BYTES));
        for (int tries = 0; !took && fixture->waits && tries < 5000; tries++) {
            usleep(1000);
            took = http_stream_put(fixture->stream, slice_of(piece, PIECE_BYTES));
        }
        fixture->refused += !took;
    }
    fixture->ended_open = http_stream_is_open(fixture->stream);
    http_stream_end(fixture->stream);
    return NULL;
}

static void begin_stream(struct fixture *fixture, struct http_request *request)
{
    struct slice count = http_param(request, "pieces");
    int64_t pieces = PIECES;
    if (count.ptr)
        assert_true(slice_to_i64(count, &pieces));
    fixture->pieces = (int)pieces;
    fixture->waits = slice_is(http_param(request, "wait"), "1");
    fixture->stream = http_reply_stream(request, 200, "text/plain", SLICE_NONE, STREAM_ROOM);
    assert_non_null(fixture->stream);
    fixture->used_thread = true;
    pthread_create(&fixture->late, NULL, answer_in_pieces, fixture);
}

static void handle(void *context, struct http_request *request)
{
    struct fixture *fixture = context;
    if (slice_is(http_path(request), "/stream")) {
        begin_stream(fixture, request);
        return;
    }
    if (slice_is(http_path(request), "/late")) {
        fixture->used_thread = true;
        pthread_create(&fixture->late, NULL, answer_late, request);
        return;
    }
    if (slice_is(http_path(request), "/error"))
        http_reply_error(request, 404, "not_found", "there is no \"%s\"", "x");
    else
        answer(request);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct err err;
    fixture = (struct fixture){0};
    assert_int_equal(net_loop_start("test", &fixture.loop, &err), 0);
    struct http_options options = {.address = "127.0.0.1", .handle = handle, .context = &fixture};
    assert_int_equal(http_listen(fixture.loop, &options, &fixture.server, &err), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->used_thread)
        pthread_join(fixture->late, NULL);
    net_loop_stop(fixture->loop);
    http_free(fixture->server);
    return 0;
}

static int dial(struct fixture *fixture)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(fixture->server))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    struct timeval wait = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return fd;
}

/* Sends text cut into pieces of step bytes, then reads until the other side closes. */
static void talk(struct fixture *fixture, const char *text, size_t step, char *reply, size_t size)
{
    int fd = dial(fixture);
    size_t len = strlen(text), at = 0, got = 0;
    while (at < len) {
        size_t n = len - at < step ? len - at : step;
        if (send(fd, text + at, n, MSG_NOSIGNAL) < 0)
            break;
        at += n;
        if (step < len)
            usleep(200);
    }
    ssize_t n;
    while (got < size - 1 && (n = recv(fd, reply + got, size - 1 - got, 0)) > 0)
        got += (size_t)n;
    reply[got] = '\0';
    close(fd);
}

static void answers_requests_whatever_the_cuts(void **state)
{
    static const size_t steps[] = {1, 7, 100000};
    char reply[8192];
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        talk(*state,
             "GET /a%20b?name=x%2By+z HTTP/1.1\r\nHost: localhost\r\n\r\n"
             "POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
             "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
             steps[i], reply, sizeof(reply));
        assert_non_null(strstr(reply, "GET /a b [x+y z] 0"));
        if (!strstr(reply, "POST /late [] 5"))
            fail_msg("step %zu: %s", steps[i], reply);
        assert_non_null(strstr(reply, "GET /last [] 0"));
        assert_true(strstr(reply, "/late") < strstr(reply, "/last"));
        struct fixture *fixture = *state;
        pthread_join(fixture->late, NULL);
        fixture->used_thread = false;
    }
}

static void refuses_what_could_smuggle(void **state)
{
    static const char *const bad[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET /%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
        "\x16\x03\x01 this is TLS\r\n\r\n",
    };
    char reply[4096];
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        talk(*state, bad[i], 100000, reply, sizeof(reply));
        if (strncmp(reply, "HTTP/1.1 4", 10) != 0)
            fail_msg("case %zu: %s", i, reply);
    }
}

static void limits_headers_and_zip_bombs(void **state)
{
    char reply[4096];
    static char big[64 * 1024];
    int len = snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(big + len, 'x', 40000);
    strncpy(big + len + 40000, "\r\n\r\n", 5);
    talk(*state, big, 100000, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 431", 12), 0);
}

static void puts_errors_into_json(void **state)
{
    char reply[4096];
    talk(*state, "GET /error HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 100000, reply,
         sizeof(reply));
    assert_non_null(strstr(reply, "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no \\\"x\\\"\"}}"));
    assert_non_null(strstr(reply, "nosniff"));
}

static void await_thread(struct fixture *fixture)
{
    pthread_join(fixture->late, NULL);
    fixture->used_thread = false;
}

/* Numbered lines in what came; their numbers must ascend. chunk frames are lines of other lengths. */
static int lines_of(const char *text)
{
    int count = 0, last = -1;
    for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
        if (end - at != PIECE_BYTES - 1)
            continue;
        int number = atoi(at);
        assert_true(number > last);
        last = number;
        count++;
    }
    return count;
}

static char streamed[PIECES * (PIECE_BYTES + 32) + 8192];

static void streams_in_chunks_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    talk(fixture,
         "GET /stream?wait=1 HTTP/1.1\r\nHost: a\r\n\r\n"
         "GET /behind HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         100000, streamed, sizeof(streamed));
    await_thread(fixture);
    assert_int_equal(fixture->refused, 0);
    assert_non_null(strstr(streamed, "Transfer-Encoding: chunked\r\n"));
    assert_null(strstr(strstr(streamed, "HTTP/1.1"), "Content-Length: 0"));
    assert_int_equal(lines_of(streamed), PIECES);
    const char *end = strstr(streamed, "\r\n0\r\n\r\nHTTP/1.1 200"); /* the next answer */
    assert_non_null(end);
    assert_non_null(strstr(end, "GET /behind"));
}

static void streams_to_old_clients_and_closes(void **state)
{
    struct fixture *fixture = *state;
    talk(fixture, "GET /stream?wait=1 HTTP/1.0\r\nHost: a\r\n\r\n", 100000, streamed,
         sizeof(streamed));
    await_thread(fixture);
    assert_null(strstr(streamed, "chunked"));
    const char *body = strstr(streamed, "\r\n\r\n");
    assert_int_equal(strlen(body + 4), PIECES * PIECE_BYTES);
    talk(fixture, "GET /stream?pieces=0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 100000,
         streamed, sizeof(streamed));
    await_thread(fixture);
    assert_non_null(strstr(streamed, "\r\n\r\n0\r\n\r\n"));
}

/* Who does not read makes nobody wait, and then gets whole pieces again. */
static void refuses_what_a_slow_reader_has_no_room_for(void **state)
{
    struct fixture *fixture = *state;
    char bytes[65536], request[128];
    int fd = dial(fixture);
    size_t body = 0;
    snprintf(request, sizeof(request), "GET /stream?pieces=%d HTTP/1.0\r\nHost: a\r\n\r\n",
             PIECES_TOO_MANY);
    assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    usleep(100000);
    await_thread(fixture); /* ends although nothing was read */
    assert_true(fixture->refused > 0 && fixture->ended_open);
    ssize_t n;
    bool in_body = false;
    while ((n = recv(fd, bytes, sizeof(bytes) - 1, 0)) > 0) {
        bytes[n] = '\0';
        const char *head_end = in_body ? NULL : strstr(bytes, "\r\n\r\n");
        body += in_body ? (size_t)n : head_end ? (size_t)(bytes + n - head_end - 4) : 0;
        in_body |= head_end != NULL;
    }
    close(fd);
    assert_int_equal(body, (size_t)(PIECES_TOO_MANY - fixture->refused) * PIECE_BYTES);
}

/* The first bytes of a long answer have come. */
static int ask_for_stream(struct fixture *fixture)
{
    static const char request[] = "GET /stream?wait=1&pieces=100000 HTTP/1.1\r\nHost: a\r\n\r\n";
    int fd = dial(fixture);
    char some[100];
    assert_true(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0);
    assert_true(recv(fd, some, sizeof(some), 0) > 0);
    return fd;
}

static void tells_that_the_reader_is_gone(void **state)
{
    struct fixture *fixture = *state;
    int fd = ask_for_stream(fixture);
    close(fd);
    await_thread(fixture);
    assert_false(fixture->ended_open);
}

/* The stream's own thread ends it behind the loop. */
static void outlives_the_loop(void **state)
{
    struct fixture *fixture = *state;
    int fd = ask_for_stream(fixture);
    net_loop_stop(fixture->loop);
    fixture->loop = NULL;
    await_thread(fixture);
    assert_false(fixture->ended_open);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_requests_whatever_the_cuts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_could_smuggle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_headers_and_zip_bombs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(puts_errors_into_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_in_chunks_and_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_to_old_clients_and_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_a_slow_reader_has_no_room_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_that_the_reader_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(outlives_the_loop, set_up, tear_down),
    };
    signal(SIGPIPE, SIG_IGN); /* as the server does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
