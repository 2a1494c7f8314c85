#pragma once
/*
 * net/target: where a request to somebody else goes: a URL, and the addresses of its host, each asked of
 * net/address_filter. The name is resolved once, and only these addresses are connected to (no DNS rebinding).
 *
 * Ownership  Between net_target_open() and net_target_close(), which is fine with one that failed to open.
 * Threads    One at a time.
 * Limits     NET_URL_MAX bytes of a URL, NET_ADDRESSES of a name.
 * Errors     ERR_CONFIG: never asked; ERR_DENIED: a refused address; ERR_IO: the name has none.
 */
#include "net/http_client.h"
#include "net/late_curl.h"

enum { NET_URL_MAX = 16 * 1024, NET_ADDRESSES = HTTP_FETCH_ADDRESSES };

struct net_scheme {
    const char *name;
    bool by_word; /* with allow_private only: it is not encrypted */
};

/* Which URLs may be asked. */
struct net_rule {
    const struct net_scheme *schemes; /* ends with a NULL name; the first is the one to recommend */
    const uint16_t *ports;            /* ends with 0; NULL: any. With allow_private any */
    const char *example;
};
extern const struct net_rule net_rule_https;       /* https, http by word; any port */
extern const struct net_rule net_rule_https_ports; /* the same, 443 and 8443 only */

struct net_target {
    char *scheme, *host, *port, *user; /* the parts as libcurl reads them, so that both mean the same host */
    char name[256];                    /* the host without brackets */
    uint16_t number;                   /* of the port */
    char url[NET_URL_MAX];
    bool allow_private;
    struct net_address addresses[NET_ADDRESSES];
    size_t address_count;
    int64_t begun_ns; /* when it was opened, on the clock that never goes back */
    struct curl_slist *resolve;
    const char *refused; /* an address that was not among those checked */
};

/* Reads the URL only; no name is resolved. */
MUST_USE int net_target_read(struct slice url, const struct net_rule *rule, bool allow_private, struct net_target *out, struct err *err);
/* Reads it, resolves the name and checks what it is. */
MUST_USE int net_target_open(const struct hin_net *net, struct slice url, const struct net_rule *rule, bool allow_private,
                             struct net_target *out, struct err *err);
void net_target_close(struct net_target *target);
bool net_target_is_loopback(const struct net_target *target); /* all of its addresses are */

/* Of so much time for all, what looking up has left; NET_TRANSFER_MIN_MS at least. */
long net_target_left_ms(const struct net_target *target, int64_t timeout_ms);

/* The handle connects to the target and to nothing else, by no proxy; TLS verified, 1.2 at least. The target outlives it. */
void net_target_hold(struct net_target *target, CURL *curl, const char *ca_file);
/* An error of a transfer as a sentence: "host: why"; a refused address is ERR_DENIED. text: CURLOPT_ERRORBUFFER. */
int net_target_fail(const struct net_target *target, CURLcode code, const char *text, struct err *err);

/* No control characters. */
bool net_plain_text(struct slice text);
