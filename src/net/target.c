#include "net/target.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/address_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const struct net_scheme https_schemes[] = {{"https", false}, {"http", true}, {NULL, false}};
static const uint16_t https_ports[] = {443, 8443, 0};
const struct net_rule net_rule_https = {https_schemes, NULL, "https://host/path"};
const struct net_rule net_rule_https_ports = {https_schemes, https_ports, "https://host/path"};

bool net_plain_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return true;
}

/* ---- the URL ---- */

static int judge_scheme(const struct net_target *target, const struct net_rule *rule, struct err *err)
{
    const struct net_scheme *scheme = rule->schemes;
    while (scheme->name && strcmp(scheme->name, target->scheme) != 0)
        scheme++;
    if (!scheme->name)
        return err_set(err, ERR_CONFIG, "only %s URLs are asked, not %s", rule->schemes[0].name, target->scheme);
    if (scheme->by_word && !target->allow_private)
        return err_set(err, ERR_CONFIG, "only %s URLs are asked; %s needs allow_private", rule->schemes[0].name, scheme->name);
    return 0;
}

static int judge_port(struct net_target *target, const struct net_rule *rule, struct err *err)
{
    uint64_t number = 0;
    char list[80] = "";
    if (!slice_to_u64(slice_text(target->port), &number) || number == 0 || number > 65535)
        return err_set(err, ERR_CONFIG, "the URL's port is a number from 1 to 65535");
    target->number = (uint16_t)number;
    if (!rule->ports || target->allow_private)
        return 0;
    for (size_t i = 0, len = 0; rule->ports[i]; i++) {
        if (rule->ports[i] == number)
            return 0;
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%u", i ? ", " : "", rule->ports[i]);
    }
    return err_set(err, ERR_CONFIG, "port %s is not asked: without allow_private only %s", target->port, list);
}

static int judge(struct net_target *target, const struct net_rule *rule, struct err *err)
{
    size_t len = strlen(target->host);
    bool brackets = target->host[0] == '[' && len > 2;
    if (target->user)
        return err_set(err, ERR_CONFIG, "a URL with a user name or password in it is not asked");
    if (judge_scheme(target, rule, err) < 0)
        return -1;
    if (len == 0 || len >= sizeof(target->name))
        return err_set(err, ERR_CONFIG, "the URL's host name is empty or too long");
    snprintf(target->name, sizeof(target->name), "%.*s", (int)(brackets ? len - 2 : len), target->host + (brackets ? 1 : 0));
    return judge_port(target, rule, err);
}

static bool take_part(const struct late_curl *lib, CURLU *parsed, CURLUPart part, char **to)
{
    bool there = lib->url_get(parsed, part, to, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (!there)
        *to = NULL;
    return there;
}

static int take_parts(const struct late_curl *lib, CURLU *parsed, const struct net_rule *rule, struct net_target *target, struct err *err)
{
    if (lib->url_set(parsed, CURLUPART_URL, target->url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        !take_part(lib, parsed, CURLUPART_SCHEME, &target->scheme) || !take_part(lib, parsed, CURLUPART_HOST, &target->host))
        return err_set(err, ERR_CONFIG, "\"%s\" is not a URL such as %s", target->url, rule->example);
    if (judge_scheme(target, rule, err) < 0)
        return -1;
    if (!take_part(lib, parsed, CURLUPART_PORT, &target->port))
        return err_set(err, ERR_CONFIG, "\"%s\" has no port; it is a URL such as %s", target->url, rule->example);
    if (!take_part(lib, parsed, CURLUPART_USER, &target->user))
        (void)take_part(lib, parsed, CURLUPART_PASSWORD, &target->user);
    return 0;
}

int net_target_read(struct slice url, const struct net_rule *rule, bool allow_private, struct net_target *out, struct err *err)
{
    const struct late_curl *lib = late_curl(err);
    *out = (struct net_target){.allow_private = allow_private, .begun_ns = clock_mono_ns(clock_real())};
    if (!lib)
        return -1;
    if (url.len == 0 || url.len >= sizeof(out->url) || !net_plain_text(url))
        return err_set(err, ERR_CONFIG, "the URL is empty, longer than %d bytes or has control characters", NET_URL_MAX - 1);
    memcpy(out->url, url.ptr, url.len);
    out->url[url.len] = '\0';
    CURLU *parsed = lib->url();
    if (!parsed)
        return err_nomem(err);
    int result = take_parts(lib, parsed, rule, out, err) < 0 ? -1 : judge(out, rule, err);
    lib->url_cleanup(parsed);
    if (result < 0)
        net_target_close(out);
    return result;
}

void net_target_close(struct net_target *target)
{
    struct err err;
    const struct late_curl *lib = late_curl(&err);
    if (!lib)
        return;
    lib->free(target->scheme);
    lib->free(target->host);
    lib->free(target->port);
    lib->free(target->user);
    lib->slist_free_all(target->resolve);
    target->scheme = target->host = target->port = target->user = NULL;
    target->resolve = NULL;
}

/* ---- addresses ---- */

static const struct sockaddr *as_sockaddr(const struct net_address *address)
{
    return (const struct sockaddr *)(const void *)&address->address;
}

/* The address alone, without port and scope, so that two of them can be compared. */
static bool address_text(const struct sockaddr *address, char to[INET6_ADDRSTRLEN])
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        return inet_ntop(AF_INET, &in.sin_addr, to, INET6_ADDRSTRLEN) != NULL;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&in6, address, sizeof(in6));
    return inet_ntop(AF_INET6, &in6.sin6_addr, to, INET6_ADDRSTRLEN) != NULL;
}

/* A name with one refused address is refused whole: which one is used would be chance. */
static int look_up(const struct hin_net *net, struct net_target *target, struct err *err)
{
    char text[INET6_ADDRSTRLEN];
    int count = net->resolve(net, target->name, target->addresses, NET_ADDRESSES, err);
    if (count < 0)
        return -1;
    if (count == 0)
        return err_set(err, ERR_IO, "%s has no address", target->name);
    for (int i = 0; i < count; i++) {
        const struct sockaddr *address = as_sockaddr(&target->addresses[i]);
        const char *what = address_refusal(address, target->allow_private);
        if (what || !address_text(address, text))
            return err_set(err, ERR_DENIED, "%s is not asked: its address is %s", target->name, what ? what : "of no known family");
    }
    target->address_count = (size_t)count;
    return 0;
}

/* libcurl's "host:port:address,address": the names it may not look up again. */
static int pin(const struct late_curl *lib, struct net_target *target, struct err *err)
{
    struct buffer line;
    if (target->host[0] == '[')
        return 0;
    buffer_init(&line, 4096);
    buffer_printf(&line, "%s:%s:", target->host, target->port);
    for (size_t i = 0; i < target->address_count; i++) {
        char text[INET6_ADDRSTRLEN];
        const struct sockaddr *address = as_sockaddr(&target->addresses[i]);
        if (address_text(address, text))
            buffer_printf(&line, address->sa_family == AF_INET6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
    }
    buffer_put_char(&line, '\0');
    if (!buffer_failed(&line))
        target->resolve = lib->slist_append(NULL, line.ptr);
    buffer_close(&line);
    return target->resolve ? 0 : err_nomem(err);
}

int net_target_open(const struct hin_net *net, struct slice url, const struct net_rule *rule, bool allow_private,
                    struct net_target *out, struct err *err)
{
    if (net_target_read(url, rule, allow_private, out, err) < 0)
        return -1;
    if (look_up(net, out, err) == 0 && pin(late_curl(err), out, err) == 0)
        return 0;
    net_target_close(out);
    return -1;
}

static bool is_loopback(const struct sockaddr *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    memcpy(&in6, address, sizeof(in6));
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

bool net_target_is_loopback(const struct net_target *target)
{
    for (size_t i = 0; i < target->address_count; i++)
        if (!is_loopback(as_sockaddr(&target->addresses[i])))
            return false;
    return target->address_count > 0;
}

/* ---- a transfer ---- */

long net_target_left_ms(const struct net_target *target, int64_t timeout_ms)
{
    int64_t left = timeout_ms - (clock_mono_ns(clock_real()) - target->begun_ns) / NS_PER_MS;
    int64_t least = timeout_ms < NET_TRANSFER_MIN_MS ? timeout_ms : NET_TRANSFER_MIN_MS;
    return (long)(left > least ? left : least);
}

/* The last word before connecting: only an address that was looked up and checked. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct net_target *target = context;
    char want[INET6_ADDRSTRLEN], have[INET6_ADDRSTRLEN];
    (void)purpose;
    bool known = false;
    const char *what = address_refusal(&to->addr, target->allow_private);
    for (size_t i = 0; i < target->address_count && !known; i++)
        known = address_text(&to->addr, want) && address_text(as_sockaddr(&target->addresses[i]), have) && strcmp(want, have) == 0;
    if (what || !known) {
        target->refused = what ? what : "another one than before";
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void net_target_hold(struct net_target *target, CURL *curl, const char *ca_file)
{
    const struct late_curl *lib = late_curl(NULL); /* loaded: the target is open */
    lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    lib->easy_setopt(curl, CURLOPT_PROXY, "");
    lib->easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    lib->easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    lib->easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    lib->easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    lib->easy_setopt(curl, CURLOPT_RESOLVE, target->resolve);
    lib->easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    lib->easy_setopt(curl, CURLOPT_OPENSOCKETDATA, target);
    if (ca_file)
        lib->easy_setopt(curl, CURLOPT_CAINFO, ca_file);
}

int net_target_fail(const struct net_target *target, CURLcode code, const char *text, struct err *err)
{
    const struct late_curl *lib = late_curl(err);
    if (target->refused)
        return err_set(err, ERR_DENIED, "%s is not asked: its address is %s", target->name, target->refused);
    return err_set(err, ERR_IO, "%s: %s", target->name, text[0] ? text : lib->easy_strerror(code));
}
