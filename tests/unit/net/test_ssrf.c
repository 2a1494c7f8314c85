/* ssrf_urls.txt: URLs that a webhook must not be pointed at, one a line behind a letter: w reaches a private address and needs
 * allow_private, p needs it for its port or scheme, n is never reached, x is never reached however it is read. None of them may
 * lead to a connection: each is refused while there is nothing but words (ERR_CONFIG), or by its address (ERR_DENIED), or its
 * name is none (ERR_IO of the resolver). */
#include "test.h"

#include "base/attr.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *name, *addresses[2];
} names[] = {{"localhost", {"127.0.0.1", "::1"}}, {"loopback.test", {"127.0.0.2"}},        {"private.test", {"10.1.2.3"}},
             {"cgnat.test", {"100.64.1.1"}},      {"ula.test", {"fd12::1"}},               {"metadata.test", {"169.254.169.254"}},
             {"mapped.test", {"::ffff:7f00:1"}},  {"both.test", {"8.8.8.8", "169.254.169.254"}}, {"nat64.test", {"64:ff9b::7f00:1"}},
             {"multicast.test", {"224.0.0.1"}},   {"zero.test", {"0.0.0.0"}},              {"hooks.example", {"203.0.113.1"}}};

static void put_address(const char *text, struct net_address *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memset(out, 0, sizeof(*out));
    out->len = inet_pton(AF_INET, text, &in.sin_addr) == 1 ? sizeof(in) : sizeof(in6);
    if (out->len == sizeof(in))
        memcpy(&out->address, &in, sizeof(in));
    else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        memcpy(&out->address, &in6, sizeof(in6));
}

/* Numbers as the machine reads them; the names above; no other name is one. */
static int resolve(const struct hin_net *net, const char *host, struct net_address *out, size_t max, struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *list = NULL;
    (void)net, (void)max;
    if (getaddrinfo(host, NULL, &hints, &list) == 0) {
        memcpy(&out->address, list->ai_addr, list->ai_addrlen);
        out->len = list->ai_addrlen;
        freeaddrinfo(list);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcasecmp(host, names[i].name) == 0) {
            int count = 0;
            for (; count < 2 && names[i].addresses[count]; count++)
                put_address(names[i].addresses[count], &out[count]);
            return count;
        }
    return err_set(err, ERR_IO, "no such name");
}

static enum err_code ask(const char *url, bool allow_private)
{
    struct hin_net net = *net_real();
    struct http_fetch_reply reply = {0};
    struct err err = {0};
    net.resolve = resolve;
    const struct http_fetch_request request = {.method = "POST", .url = slice_text(url), .body = SLICE("x"), .timeout_ms = 300,
                                               .allow_private = allow_private, .known_ports = true};
    if (http_fetch(&net, &request, &reply, &err) == 0)
        fail_msg("%s answered %d", url, reply.status);
    if (err.code == ERR_IO && strcmp(err.text, "no such name") != 0)
        fail_msg("%s: it was tried: %s", url, err.text);
    return err.code;
}

static void no_url_leads_inside(void **state)
{
    (void)state;
    char line[1024];
    int count = 0;
    FILE *file = fopen("tests/unit/net/ssrf_urls.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        enum err_code code = ask(line + 2, false);
        if (line[0] == 'p' ? code != ERR_CONFIG : line[0] != 'x' && code != ERR_DENIED && !(line[0] == 'w' && code == ERR_CONFIG))
            fail_msg("%s: %d", line, code);
        if (line[0] == 'n' && ask(line + 2, true) != ERR_DENIED)
            fail_msg("%s: reached by word", line);
        count++;
    }
    fclose(file);
    assert_true(count >= 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_url_leads_inside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
