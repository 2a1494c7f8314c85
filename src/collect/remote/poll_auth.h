#pragma once
/*
 * collect/poll_auth: how a poller of an HTTP API says who it is: the headers of a request.
 *
 *   none, basic (RFC 7617), token (Authorization: Bearer TOKEN, or another scheme or header), aws (Signature Version 4),
 *   oauth2 (client credentials, RFC 6749 4.4), service_account (a signed assertion, RFC 7523 2.1): the token is asked for
 *   once and kept until shortly before it expires. The client of oauth2 shows its secret in the form, as Basic, or signs
 *   (RFC 7523 2.2).
 *
 * Ownership  The settings outlive it. Headers live in the arena that is given.
 * Threads    One: the reader's.
 * Errors     ERR_CANCELLED when the reader is to stop, ERR_DENIED when the server of tokens refuses (with its status in
 *            the sentence), as net/http_client.h else.
 */
#include "collect/remote/reader_thread.h"
#include "net/http_client.h"

enum { POLL_AUTH_HEADERS = 4 };

struct poll_auth {
    struct reader_thread *reader;
    struct buffer token;     /* of OAuth2 */
    int64_t renew_at_ns;     /* by the clock that never goes back; 0: there is none */
    int64_t retry_after_s;   /* what the server of tokens asked for when it refused; 0: nothing */
};

void poll_auth_init(struct poll_auth *auth, struct reader_thread *reader);
void poll_auth_close(struct poll_auth *auth);

/* Of the settings: what has to be given for the way that was chosen. */
MUST_USE int poll_auth_check(const struct collector_settings *settings, struct err *err);

/* Sets at most POLL_AUTH_HEADERS. */
MUST_USE int poll_auth_headers(struct poll_auth *auth, const char *method, struct slice url, struct slice body,
                               struct arena *arena, struct http_fetch_header *to, size_t *count, struct err *err);

/* The server said 401: true when a fresh token may help. */
bool poll_auth_renew(struct poll_auth *auth);

/* What every request of the reader has: certificates, timeout, an end when it is to stop. The rest is the caller's. */
void poll_request_init(struct reader_thread *reader, struct http_fetch_request *out);
