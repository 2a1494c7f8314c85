#pragma once
/*
 * collect/dialect: a protocol that senders speak over the one HTTP ingest port. What can be added is
 * `const struct dialect dialect_NAME` in dialect_NAME.c and a line in dialects.def: its routes, and how it says
 * no. Tokens, quotas, idempotency, room and durability are the port's (collect/collector_http.h).
 *
 *   request ─► token ─► quota ─► route's handle() ─► ingest_take() ─► journal ─► answer()
 *                 └──────┴─────────────┴────────────────┴─────────► refuse()
 *
 * Ownership  A call lives until its one answer: http_reply*() on call->request, from handle(), answer() or refuse().
 *            Slices of a call live as long as the request; call->arena is the request's.
 * The token stands in the Authorization header, but for osquery, which has it in the body: "Splunk T", "Bearer T", "Basic" (its password, or its user when that is
 * empty), "ApiKey" (base64 of id:T).
 * Threads    handle() on the loop's thread; it must not block. answer() and refuse() on that or the journal's thread.
 */
#include "collect/sink.h"
#include "net/http.h"

/* What a token may do; filled by authorise. Slices live in the request's arena. */
struct ingest_grant {
    struct slice id;      /* the token's public part, stored with each event */
    struct slice stream;  /* hinomi.stream of what it delivers */
    struct slice dataset; /* decoder, or none */
    struct slice zone;    /* IANA zone of stamps without one, or none */
    uint64_t events_per_second; /* 0: as many as come */
};

enum authorise_result { AUTHORISE_OK, AUTHORISE_UNKNOWN, AUTHORISE_DISABLED };

/* Why nothing of a request was kept; the sender still holds it. */
enum ingest_refusal {
    INGEST_NO_TOKEN,      /* 401 */
    INGEST_BAD_TOKEN,     /* 401: an Authorization header that holds none */
    INGEST_UNKNOWN_TOKEN, /* 403 (401 where senders expect that) */
    INGEST_DISABLED_TOKEN,
    INGEST_METHOD,        /* 405 */
    INGEST_TOO_LARGE,     /* 413 */
    INGEST_QUOTA,         /* 429 */
    INGEST_BUSY,          /* 503: no room now */
    INGEST_FAILED,        /* 503: could not be made durable (a full disk too) */
    INGEST_CONFLICT,      /* 409: the Idempotency-Key was used with other content */
    INGEST_BAD_KEY,       /* 400: the Idempotency-Key is too long */
};

struct dialect;
struct collector_http;

struct ingest_call {
    struct http_request *request;
    struct arena *arena;
    struct slice wild; /* the path segment that '*' of the route stood for, else SLICE_NONE */
    struct ingest_grant grant;
    void *state; /* the dialect's own, from the arena, for its answer */
    /* What the dialect knows the batch by when the sender gave no Idempotency-Key, or none; set before ingest_take(). The
     * same bytes again are acknowledged and not doubled. */
    struct slice key;
    /* the port's */
    const struct dialect *dialect;
    struct collector_http *collector;
    void (*answer)(struct ingest_call *call, const struct sink_ack *ack);
};

struct dialect_route {
    enum http_method method; /* HTTP_OTHER_METHOD: any; GET stands for HEAD too */
    const char *path;        /* whole; a segment "*" stands for any one segment */
    void (*handle)(struct ingest_call *call);
    bool open;               /* no token is needed (health, version) and call->grant is empty */
};

struct dialect {
    const char *name; /* hinomi.source of its events, e.g. "hec" */
    const char *summary;
    const struct dialect_route *routes;
    size_t route_count;
    /* Answers the request in the dialect's own form; text is a sentence for people, retry_s > 0 goes into
     * Retry-After (ingest_retry_header). */
    void (*refuse)(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s);
};

/* All dialects; NULL at the end. Of routes that fit the same path the first one's dialect answers. */
extern const struct dialect *const dialects[];

/* Of an open route whose protocol has its token elsewhere: fills call->grant; false: it was refused. SLICE_NONE: there is none. */
bool ingest_enter(struct ingest_call *call, struct slice token);
/* Hands count events over as RECORDS (event/delivery.h). answer() is called once they are durable (SINK_STORED or
 * SINK_DUPLICATE); everything else becomes refuse(). The records are copied. */
void ingest_take(struct ingest_call *call, struct slice records, uint32_t count,
                 void (*answer)(struct ingest_call *call, const struct sink_ack *ack));
/* Refuses, with the status' usual sentence when text is NULL. */
void ingest_refuse(struct ingest_call *call, enum ingest_refusal why, const char *text);
int ingest_status(enum ingest_refusal why);
const char *ingest_code(enum ingest_refusal why); /* a word for programs, such as unknown_token */
/* "Retry-After: N\r\n", or none for 0. */
struct slice ingest_retry_header(struct ingest_call *call, int retry_s);
