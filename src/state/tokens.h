#pragma once
/*
 * state/tokens: what programs sign in with: hin_<kind>_<id>_<secret>. Only a hash of the secret is
 * kept; the whole is shown once.
 *
 * kind      "api" (a role), "hec" (ingest into one stream), "gate" (asks for decisions)
 * networks  "10.0.0.0/8,2001:db8::/32": where it may be used from; none: anywhere
 * Threads   any. tokens_find is quick enough for an event loop (one indexed read).
 */
#include "state/users.h"

enum { TOKEN_TEXT_SIZE = 128, TOKEN_NETWORKS_MAX = 64 };

struct token {
    struct slice id, name, kind, stream, dataset, networks;
    struct slice zone;         /* IANA, of the time stamps it delivers that name none */
    int64_t events_per_second; /* that it may deliver; 0: any number */
    enum role role;      /* of kind api */
    int64_t expires_ns;  /* 0: never */
    int64_t used_ns;     /* 0: not yet; to the minute */
    bool revoked;
};

/* ERR_CONFIG for a kind, role or network that is none. text gets the whole token. */
MUST_USE int tokens_add(struct database *database, const struct hin_clock *clock,
                        const struct token *token, char text[TOKEN_TEXT_SIZE], struct err *err);
/* peer: who shows it, "address:port". ERR_DENIED when it is unknown, revoked, expired or shown from
 * elsewhere than its networks. */
MUST_USE int tokens_find(struct database *database, const struct hin_clock *clock,
                         struct slice text, struct slice peer, struct arena *arena,
                         struct token *out, struct err *err);
/* The id within a token's whole text; SLICE_NONE when it is no token. */
struct slice tokens_id(struct slice text);
typedef void (*token_visit)(void *context, const struct token *token);
MUST_USE int tokens_list(struct database *database, struct arena *arena, token_visit visit,
                         void *context, struct err *err);
MUST_USE int tokens_revoke(struct database *database, struct slice id, struct err *err);
