#pragma once
/*
 * net/http_client: one HTTP request to somebody else, over libcurl. Blocks.
 *
 * Policy     The host is resolved once, every address is asked of net/address_filter, and only
 *            these addresses are connected to (no DNS rebinding). No redirects, no proxies from the
 *            environment, no cookies; certificates are verified. Plain http only with allow_private.
 * Ownership  The reply's body is the caller's buffer.
 * Threads    Any.
 * Limits     HTTP_FETCH_TIMEOUT_MS with looking the name up (NET_LOOKUP_MS of it; at least NET_TRANSFER_MIN_MS are left),
 *            HTTP_FETCH_REPLY_MAX bytes of body, or what the request asks for; what is over is cut and said.
 *            HTTP_HEADER_BYTES_MAX of header; more of it is not kept.
 * Errors     -1 when there is no answer; an answer with status 500 is an answer. ERR_CONFIG for a
 *            URL that is never asked, ERR_DENIED for a refused address, ERR_CANCELLED when the caller
 *            asked for it, ERR_IO for the rest.
 */
#include "base/buffer.h"
#include "base/err.h"

#include <sys/socket.h>

enum { HTTP_FETCH_ENDLESS = -1, HTTP_FETCH_SILENT_MAX_S = 30 };
enum { HTTP_FETCH_TIMEOUT_MS = 10000, HTTP_FETCH_REPLY_MAX = 64 * 1024, HTTP_FETCH_ADDRESSES = 16 };

struct http_fetch_header {
    const char *name;
    struct slice value; /* no control characters */
};

struct http_fetch_request {
    const char *method; /* "GET", "POST" ... */
    struct slice url;
    const struct http_fetch_header *headers;
    size_t header_count;
    struct slice body;    /* SLICE_NONE: none */
    const char *ca_file;  /* PEM; NULL: the system's */
    const char *cert_file, *key_file; /* PEM: who we are, for servers that ask; NULL: nobody */
    int64_t timeout_ms;   /* 0: HTTP_FETCH_TIMEOUT_MS; HTTP_FETCH_ENDLESS: until nothing came for
                             HTTP_FETCH_SILENT_MAX_S */
    /* Takes the body as it comes, however long, instead of reply->body; false ends the exchange, which
     * is no error. NULL: nobody does. */
    bool (*take)(void *context, struct slice bytes);
    void *take_context;
    /* Asked some times a second; false ends the exchange (ERR_CANCELLED). May be NULL. */
    bool (*going_on)(void *context);
    void *going_on_context;
    size_t reply_max;     /* bytes of body; 0: HTTP_FETCH_REPLY_MAX */
    bool allow_private;
    bool known_ports;     /* 443 and 8443 only, unless allow_private: for a URL in somebody else's words */
};

struct http_fetch_reply {
    int status;
    int64_t retry_after_s; /* Retry-After; 0: none */
    bool cut;              /* the body went on */
    struct buffer *body;   /* may be NULL: the body is not wanted */
    struct buffer *headers; /* may be NULL; the last header's lines as they came, status line included */
};

struct net_address {
    struct sockaddr_storage address;
    socklen_t len;
};

struct mail_request;
struct mail_reply;
struct wire_request;
struct wire;

/* The world outside as a parameter, for tests and simulations. */
struct hin_net {
    /* Addresses of a host name or literal (no brackets): how many, or -1. */
    int (*resolve)(const struct hin_net *net, const char *host, struct net_address *out, size_t max,
                   struct err *err);
    int (*fetch)(const struct hin_net *net, const struct http_fetch_request *request,
                 struct http_fetch_reply *reply, struct err *err);
    /* net/mail.h, net/wire.h */
    int (*mail)(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err);
    int (*wire)(const struct hin_net *net, const struct wire_request *request, struct wire **out, struct err *err);
    void *context;
};

/* The machine's network. Its functions may be put into another table one by one. */
const struct hin_net *net_real(void);

MUST_USE int http_fetch(const struct hin_net *net, const struct http_fetch_request *request,
                        struct http_fetch_reply *reply, struct err *err);

/* The value of the first header of that name among the lines of a reply; SLICE_NONE: none. */
struct slice http_fetch_header_of(struct slice headers, const char *name);

/* Whether http_fetch would ask such a URL at all; no name is resolved. */
MUST_USE int http_fetch_check(struct slice url, bool allow_private, struct err *err);
/* The same with known_ports. */
MUST_USE int http_fetch_check_ports(struct slice url, bool allow_private, struct err *err);
