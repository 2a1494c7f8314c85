#pragma once
/*
 * collect/poll_fetch: an answer of an HTTP API, asked for until it comes.
 *
 *   2xx                   the answer, unpacked when it is gzip
 *   401                   once more with a fresh OAuth2 token
 *   429, 503, 403 ...     after Retry-After (seconds or a date), or the X-RateLimit-Reset of some; else after a wait that grows
 *   400, 404, 410         the caller's matter when it said so: a page or object that is not there any more
 *   5xx, no answer        after a wait that grows
 *
 * Credentials are sent to the hosts of the configuration only.
 *
 * Ownership  An answer lives until the next one.
 * Threads    One: the reader's.
 * Limits     POLL_ANSWER_BYTES_MAX; READER_WAIT_MAX_S and READER_ASKED_WAIT_MAX_S between tries.
 */
#include "collect/remote/poll_auth.h"

enum poll_result {
    POLL_GOT,
    POLL_GONE, /* only when asked with may_be_gone */
    POLL_STOP, /* the reader is to stop */
};

struct poll_fetch {
    struct reader_thread *reader;
    const struct hin_rand *rand;
    struct poll_auth auth;
    struct http_fetch_header *headers; /* of the configuration */
    size_t header_count;
    struct arena *arena;               /* one request */
    struct buffer body, plain, answer_headers;
    unsigned failures;
    int status; /* of the last answer */
};

struct poll_request {
    const char *method;
    struct slice url, body; /* body: SLICE_NONE for none */
    bool may_be_gone;
    bool is_object;         /* of a list: gone when its answer is larger than it may be, kept as it came when it is damaged */
};

MUST_USE int poll_fetch_init(struct poll_fetch *fetch, struct reader_thread *reader, struct err *err);
void poll_fetch_close(struct poll_fetch *fetch); /* zeroed memory is fine */

enum poll_result poll_fetch_get(struct poll_fetch *fetch, const struct poll_request *request);
struct slice poll_fetch_body(const struct poll_fetch *fetch);
struct slice poll_fetch_headers(const struct poll_fetch *fetch);
/* Waits as after so many failures, and says why; false: it is to stop. The next answer sets it back. */
bool poll_fetch_fail(struct poll_fetch *fetch, const char *sentence);

/* Of the settings: `headers`. */
MUST_USE int poll_fetch_check(const struct collector_settings *settings, struct err *err);
