#pragma once
/*
 * net/jws: a signed text as base64url(head).base64url(payload).base64url(signature): the compact form of RFC 7515, with RS256.
 *
 * What the head says about the algorithm is for whoever reads it to refuse; nothing here is chosen by it.
 * Ownership  Parts live in the arena.
 * Threads    Any.
 * Errors     ERR_INPUT: it is no such text. ERR_CONFIG: the private key is none.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

struct jws {
    struct slice signed_part; /* of the text: what the signature is over */
    struct slice head, payload, signature; /* decoded */
};

/* Strictly: three parts, the alphabet of base64url, no padding, no bits left over. */
MUST_USE int jws_split(struct slice text, struct arena *arena, struct jws *out, struct err *err);
/* Appends the text, signed by a private key of RSA in PEM. */
MUST_USE int jws_sign_rs256(struct slice pem, struct slice head, struct slice payload, struct buffer *to, struct err *err);
