#pragma once
/*
 * net/mail: one mail to one person, handed to a mail server by SMTP (RFC 5321) over libcurl. Blocks.
 *
 * Policy     smtps:// speaks TLS from the start, smtp:// must be taken over by STARTTLS, save on loopback. Certificates are
 *            verified; the host is resolved once and its addresses checked, as in net/target. Ports 25, 465, 587 and 2525,
 *            with allow_private any.
 * Ownership  Nothing is kept.
 * Threads    Any.
 * Limits     MAIL_TIMEOUT_MS for all of it.
 * Errors     -1 when the server did not take it; reply->status says what it said (0: nothing).
 */
#include "net/http_client.h"

enum { MAIL_TIMEOUT_MS = 8000, MAIL_LINE_SIZE = 200 };

struct mail_request {
    struct slice url; /* "smtps://host", "smtp://host:587" */
    struct slice user, password; /* none: without signing in */
    struct slice from, to;       /* addresses, without control characters, spaces and < > */
    struct slice message;        /* header and text, lines end in CRLF */
    const char *ca_file;         /* PEM; NULL: the system's */
    int64_t timeout_ms;          /* 0: MAIL_TIMEOUT_MS */
    bool allow_private;
};

struct mail_reply {
    int status;                /* of the last answer: 250, 451, 550 ...; 0: none */
    char line[MAIL_LINE_SIZE]; /* the last answer, printable */
};

MUST_USE int mail_send(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err);
/* Whether such a URL is asked at all. */
MUST_USE int mail_check(struct slice url, bool allow_private, struct err *err);
/* As in a network of the machine's own. */
int mail_real(const struct hin_net *net, const struct mail_request *request, struct mail_reply *reply, struct err *err);
