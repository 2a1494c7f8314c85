#include "test.h"

#include "base/thread.h"
#include "net/address_filter.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- addresses ---- */

enum verdict { FINE, BY_WORD, NEVER };

static const struct {
    const char *address;
    enum verdict verdict;
} forms[] = {
    {"8.8.8.8", FINE},            {"1.1.1.1", FINE},
    {"172.15.255.255", FINE},     {"172.32.0.0", FINE},
    {"100.63.255.255", FINE},     {"100.128.0.0", FINE},
    {"192.167.255.255", FINE},    {"192.169.0.0", FINE},
    {"11.0.0.0", FINE},           {"126.255.255.255", FINE},
    {"128.0.0.1", FINE},          {"223.255.255.255", FINE},
    {"169.253.255.255", FINE},    {"198.17.255.255", FINE},
    {"2606:4700::1111", FINE},    {"2a00:1450:4001::1", FINE},
    {"2001:200::1", FINE},        {"2400:cb00::1", FINE},
    {"127.0.0.1", BY_WORD},       {"127.255.255.254", BY_WORD},
    {"10.0.0.1", BY_WORD},        {"10.255.255.255", BY_WORD},
    {"172.16.0.1", BY_WORD},      {"172.31.255.255", BY_WORD},
    {"192.168.0.1", BY_WORD},     {"192.168.255.255", BY_WORD},
    {"100.64.0.1", BY_WORD},      {"100.127.255.255", BY_WORD},
    {"::1", BY_WORD},             {"fc00::1", BY_WORD},
    {"fdff:ffff::1", BY_WORD},    {"fd12:3456:789a::1", BY_WORD},
    {"0.0.0.0", NEVER},           {"0.1.2.3", NEVER},
    {"169.254.169.254", NEVER},   {"169.254.0.1", NEVER},
    {"169.254.170.2", NEVER},     {"100.100.100.200", NEVER},
    {"168.63.129.16", NEVER},     {"192.0.0.192", NEVER},
    {"192.0.0.8", NEVER},         {"192.0.2.1", NEVER},
    {"198.18.0.1", NEVER},        {"198.19.255.255", NEVER},
    {"198.51.100.7", NEVER},      {"203.0.113.9", NEVER},
    {"192.88.99.1", NEVER},       {"224.0.0.1", NEVER},
    {"239.255.255.255", NEVER},   {"240.0.0.1", NEVER},
    {"255.255.255.255", NEVER},   {"::", NEVER},
    {"::ffff:127.0.0.1", NEVER},  {"::ffff:10.0.0.1", NEVER},
    {"::ffff:8.8.8.8", NEVER},    {"::ffff:169.254.169.254", NEVER},
    {"::ffff:0:127.0.0.1", NEVER},{"::127.0.0.1", NEVER},
    {"::8.8.8.8", NEVER},         {"64:ff9b::7f00:1", NEVER},
    {"64:ff9b::808:808", NEVER},  {"64:ff9b:1::a00:1", NEVER},
    {"2002:7f00:1::", NEVER},     {"2002:a9fe:a9fe::1", NEVER},
    {"2001::1", NEVER},           {"2001:0:53aa:64c::1", NEVER},
    {"2001:db8::1", NEVER},       {"3fff::1", NEVER},
    {"fe80::1", NEVER},           {"febf:ffff::1", NEVER},
    {"fec0::1", NEVER},           {"ff02::1", NEVER},
    {"ff0e::1", NEVER},           {"fd00:ec2::254", NEVER},
    {"fd20:ce::254", NEVER},      {"4000::1", NEVER},
    {"100::1", NEVER},            {"2606:4700::5efe:7f00:1", NEVER},
    {"2606:4700::200:5efe:a00:1", NEVER},
};

static void parse(const char *text, struct net_address *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&out->address, &in, sizeof(in));
        out->len = sizeof(in);
        return;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    memcpy(&out->address, &in6, sizeof(in6));
    out->len = sizeof(in6);
}

static const char *refusal(const char *text, bool allow_private)
{
    struct net_address address;
    parse(text, &address);
    return address_refusal((const struct sockaddr *)(const void *)&address.address, allow_private);
}

static void every_form_of_address_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        bool closed = refusal(forms[i].address, false) != NULL;
        bool closed_by_word = refusal(forms[i].address, true) != NULL;
        if (closed != (forms[i].verdict != FINE) || closed_by_word != (forms[i].verdict == NEVER))
            fail_msg("%s: %d %d", forms[i].address, closed, closed_by_word);
    }
}

static void a_refusal_says_what_it_is(void **state)
{
    (void)state;
    assert_string_equal(refusal("127.0.0.1", false), "loopback");
    assert_string_equal(refusal("169.254.169.254", true), "a metadata service");
    assert_string_equal(refusal("2002:7f00:1::", true), "IPv4 within IPv6 (6to4)");
}

/* ---- URLs ---- */

static void urls_are_read_as_libcurl_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool fine, fine_by_word;
    } urls[] = {
        {"https://hooks.example/a?b=c", true, true},
        {"https://[2606:4700::1111]:8443/", true, true},
        {"http://hooks.example/", false, true},
        {"ftp://hooks.example/", false, false},
        {"file:///etc/passwd", false, false},
        {"gopher://hooks.example/", false, false},
        {"https://user@hooks.example/", false, false},
        {"https://user:secret@hooks.example/", false, false},
        {"https://good.example@169.254.169.254/", false, false},
        {"hooks.example/a", false, false},
        {"https://", false, false},
        {"https:///path", true, true}, /* the host "path", as libcurl has it */
        {"https://hooks.example/\r\nX: y", false, false},
        {"https://hooks.example:99999/", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        for (int word = 0; word < 2; word++) {
            struct err err;
            bool fine = http_fetch_check(slice_text(urls[i].url), word, &err) == 0;
            if (fine != (word ? urls[i].fine_by_word : urls[i].fine))
                fail_msg("%s: %d", urls[i].url, fine);
        }
}

/* ---- a server that sends fixed bytes and counts who came ---- */

struct peer {
    int listener;
    uint16_t port;
    const char *answer;
    size_t pad; /* bytes of body after the answer */
    int connections;
    char request[4096];
    pthread_t thread;
};

static void *serve(void *context)
{
    struct peer *peer = context;
    static const char zeros[4096] = {0};
    int fd;
    while ((fd = accept(peer->listener, NULL, NULL)) >= 0) {
        ssize_t len = recv(fd, peer->request, sizeof(peer->request) - 1, 0);
        peer->request[len > 0 ? len : 0] = '\0';
        peer->connections++;
        if (send(fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL) > 0)
            for (size_t sent = 0; sent < peer->pad; sent += sizeof(zeros))
                if (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) < 0)
                    break;
        close(fd);
    }
    return NULL;
}

static void peer_start(struct peer *peer, const char *answer, size_t pad)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    *peer = (struct peer){.answer = answer, .pad = pad, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(peer->listener, 8), 0);
    getsockname(peer->listener, (struct sockaddr *)&at, &len);
    peer->port = ntohs(at.sin_port);
    pthread_create(&peer->thread, NULL, serve, peer);
}

static void peer_stop(struct peer *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static int fetch(const struct hin_net *net, const char *host, uint16_t port, bool allow_private,
                 struct buffer *body, struct http_fetch_reply *reply, struct err *err)
{
    char url[128];
    snprintf(url, sizeof(url), "http://%s:%u/hook", host, port);
    const struct http_fetch_header header = {"X-Test", SLICE("yes")};
    const struct http_fetch_request request = {
        .method = "POST", .url = slice_text(url), .headers = &header, .header_count = 1,
        .body = SLICE("{\"a\":1}"), .timeout_ms = 3000, .allow_private = allow_private};
    *reply = (struct http_fetch_reply){.body = body};
    return http_fetch(net, &request, reply, err);
}

static void posts_and_reads_the_answer(void **state)
{
    (void)state;
    struct peer peer;
    struct http_fetch_reply reply;
    struct buffer body;
    struct err err = {0};
    buffer_init(&body, HTTP_FETCH_REPLY_MAX);
    peer_start(&peer, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nhi", 0);
    if (fetch(net_real(), "127.0.0.1", peer.port, true, &body, &reply, &err) < 0)
        fail_msg("%s", err.text);
    peer_stop(&peer);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_s, 7);
    assert_true(slice_is(buffer_slice(&body), "hi"));
    assert_non_null(strstr(peer.request, "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(peer.request, "X-Test: yes\r\n"));
    buffer_close(&body);
}

static void loopback_needs_the_word(void **state)
{
    (void)state;
    static const char *const spellings[] = {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1",
                                            "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"};
    struct peer peer;
    peer_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        char url[128];
        struct http_fetch_reply reply = {0};
        struct err err;
        snprintf(url, sizeof(url), "https://%s:%u/", spellings[i], peer.port);
        const struct http_fetch_request request = {.method = "GET", .url = slice_text(url)};
        assert_int_equal(http_fetch(net_real(), &request, &reply, &err), -1);
        assert_int_equal(err.code, ERR_DENIED);
    }
    peer_stop(&peer);
    assert_int_equal(peer.connections, 0);
}

static void redirects_are_answers(void **state)
{
    (void)state;
    struct peer peer;
    struct http_fetch_reply reply;
    struct err err;
    peer_start(&peer, "HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\n"
                      "Content-Length: 0\r\n\r\n", 0);
    assert_int_equal(fetch(net_real(), "127.0.0.1", peer.port, true, NULL, &reply, &err), 0);
    peer_stop(&peer);
    assert_int_equal(reply.status, 301);
    assert_int_equal(peer.connections, 1);
}

static void a_huge_answer_is_cut(void **state)
{
    (void)state;
    struct peer peer;
    struct http_fetch_reply reply;
    struct buffer body;
    struct err err;
    buffer_init(&body, HTTP_FETCH_REPLY_MAX);
    peer_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", (size_t)1 << 30);
    assert_int_equal(fetch(net_real(), "127.0.0.1", peer.port, true, &body, &reply, &err), 0);
    peer_stop(&peer);
    assert_int_equal(reply.status, 200);
    assert_true(reply.cut);
    assert_int_equal(body.len, HTTP_FETCH_REPLY_MAX);
    buffer_close(&body);
}

/* ---- names that change their mind ---- */

static int resolves;

static int resolve_once(const struct hin_net *net, const char *host, struct net_address *out,
                        size_t max, struct err *err)
{
    (void)host;
    (void)max;
    (void)err;
    const char *const *addresses = net->context;
    int count = 0;
    resolves++;
    for (; addresses[count]; count++)
        parse(addresses[count], &out[count]);
    return count;
}

static void the_checked_address_is_the_one_connected_to(void **state)
{
    (void)state;
    const char *const addresses[] = {"127.0.0.1", NULL};
    struct hin_net net = *net_real();
    struct peer peer;
    struct http_fetch_reply reply;
    struct err err = {0};
    net.resolve = resolve_once;
    net.context = (void *)(uintptr_t)addresses;
    resolves = 0;
    peer_start(&peer, "HTTP/1.1 204 No\r\n\r\n", 0);
    if (fetch(&net, "hooks.invalid", peer.port, true, NULL, &reply, &err) < 0) /* no such name */
        fail_msg("%s", err.text);
    peer_stop(&peer);
    assert_int_equal(reply.status, 204);
    assert_int_equal(resolves, 1);
}

static void names_and_numbers_are_looked_up(void **state)
{
    (void)state;
    struct net_address found[HTTP_FETCH_ADDRESSES];
    struct err err;
    const struct hin_net *net = net_real();
    assert_int_equal(net->resolve(net, "127.0.0.1", found, HTTP_FETCH_ADDRESSES, &err), 1);
    assert_int_equal(found[0].address.ss_family, AF_INET);
    assert_int_equal(net->resolve(net, "::1", found, HTTP_FETCH_ADDRESSES, &err), 1);
    assert_int_equal(found[0].address.ss_family, AF_INET6);
    assert_true(net->resolve(net, "localhost", found, HTTP_FETCH_ADDRESSES, &err) >= 1); /* by a thread */
    assert_int_equal(net->resolve(net, "localhost", found, 0, &err), 0);
    thread_fail_after(0);
    assert_int_equal(net->resolve(net, "localhost", found, HTTP_FETCH_ADDRESSES, &err), -1);
    thread_fail_after(-1);
    assert_string_equal(err.text, "localhost: no thread can be started to look it up");
    assert_int_equal(net->resolve(net, "no name at all", found, HTTP_FETCH_ADDRESSES, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

static void known_ports_are_asked_of_others(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(http_fetch_check_ports(SLICE("https://hooks.example/"), false, &err), 0);
    assert_int_equal(http_fetch_check_ports(SLICE("https://hooks.example:8443/"), false, &err), 0);
    assert_int_equal(http_fetch_check_ports(SLICE("https://hooks.example:6379/"), false, &err), -1);
    assert_string_equal(err.text, "port 6379 is not asked: without allow_private only 443, 8443");
    assert_int_equal(http_fetch_check_ports(SLICE("http://hooks.example:6379/"), true, &err), 0);
    assert_int_equal(http_fetch_check(SLICE("https://hooks.example:6379/"), false, &err), 0);
}

static void one_bad_address_refuses_the_name(void **state)
{
    (void)state;
    const char *const addresses[] = {"8.8.8.8", "169.254.169.254", NULL};
    struct hin_net net = *net_real();
    struct http_fetch_reply reply;
    struct err err;
    net.resolve = resolve_once;
    net.context = (void *)(uintptr_t)addresses;
    assert_int_equal(fetch(&net, "hooks.invalid", 80, true, NULL, &reply, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_string_equal(err.text, "hooks.invalid is not asked: its address is a metadata service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_address_is_judged),
        cmocka_unit_test(a_refusal_says_what_it_is),
        cmocka_unit_test(urls_are_read_as_libcurl_reads_them),
        cmocka_unit_test(posts_and_reads_the_answer),
        cmocka_unit_test(loopback_needs_the_word),
        cmocka_unit_test(redirects_are_answers),
        cmocka_unit_test(a_huge_answer_is_cut),
        cmocka_unit_test(the_checked_address_is_the_one_connected_to),
        cmocka_unit_test(one_bad_address_refuses_the_name),
        cmocka_unit_test(names_and_numbers_are_looked_up),
        cmocka_unit_test(known_ports_are_asked_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
