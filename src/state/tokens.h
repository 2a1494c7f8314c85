#pragma once
/*
 * state/tokens: what programs sign in with: hin_<kind>_<id>_<secret>. Only a hash of the secret is
 * kept; the whole is shown once.
 *
 * kind   "api" (a role), "hec" (ingest into one stream), "gate" (asks for decisions)
 * Threads any. tokens_find is quick enough for an event loop (one indexed read).
 */
#include "state/users.h"

enum { TOKEN_TEXT_SIZE = 128 };

struct token {
    struct slice id, name, kind, stream, dataset;
    enum role role;      /* of kind api */
    int64_t expires_ns;  /* 0: never */
    int64_t used_ns;     /* 0: not yet; to the minute */
    bool revoked;
};

/* ERR_CONFIG for a kind or role that is none. text gets the whole token. */
MUST_USE int tokens_add(struct database *database, const struct hin_clock *clock,
                        const struct token *token, char text[TOKEN_TEXT_SIZE], struct err *err);
/* ERR_DENIED when unknown, revoked or expired. */
MUST_USE int tokens_find(struct database *database, const struct hin_clock *clock,
                         struct slice text, struct arena *arena, struct token *out,
                         struct err *err);
typedef void (*token_visit)(void *context, const struct token *token);
MUST_USE int tokens_list(struct database *database, struct arena *arena, token_visit visit,
                         void *context, struct err *err);
MUST_USE int tokens_revoke(struct database *database, struct slice id, struct err *err);
