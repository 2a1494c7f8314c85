#pragma once
/*
 * collect/jwt_assertion: who we are as a signed text: a JSON Web Token (RS256) for a server that gives tokens.
 *
 *   {"alg":"RS256","typ":"JWT","kid":KEY_ID} . {"iss","sub","scope","aud","iat","exp","jti"} . signature
 *
 * Keys    A PEM text, or the JSON file that Google gives for a service account (private_key, private_key_id and client_email
 *         of it are used).
 * Errors  ERR_CONFIG: the key is none.
 * Source  RFC 7519 (JWT), RFC 7515 (JWS), RFC 7523 (for OAuth2).
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

enum { JWT_ASSERTION_SECONDS = 3600 }; /* that it is valid; what Google takes at most */

struct jwt_key {
    struct slice pem;
    struct slice key_id; /* or SLICE_NONE */
    struct slice issuer; /* of the JSON file, or SLICE_NONE */
};

struct jwt_claims {
    struct slice issuer, subject, scope, audience; /* what is empty is left out */
    struct slice id;                               /* jti: never the same twice */
    int64_t time_ns;
};

/* Slices of out live in the arena, or are those of text. */
MUST_USE int jwt_key_read(struct slice text, struct arena *arena, struct jwt_key *out, struct err *err);
/* Appends the token. */
MUST_USE int jwt_assertion(const struct jwt_key *key, const struct jwt_claims *claims, struct buffer *to, struct err *err);
