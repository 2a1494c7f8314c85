#pragma once
/*
 * gate/token: the proof of an allow, short-lived and bound to one request.
 *
 *   hgt1.<expiry, ns since 1970>.<keyed BLAKE2b-256 in hex>
 *
 * The key is 32 random bytes in a file of its own (0600); the same deployment checks what it gave.
 * What is authenticated: the canonical bytes of the request (docs/gate.md), then the expiry.
 *
 * Threads  token_key_load once; everything else is read-only.
 */
#include "gate/gate.h"

enum { TOKEN_KEY_SIZE = 32, GATE_TOKEN_SIZE = 96, REQUEST_DIGEST_SIZE = 32 };
#define GATE_TOKEN_LIFE_NS (60 * NS_PER_SECOND)

struct token_key {
    unsigned char bytes[TOKEN_KEY_SIZE];
};

/* Reads the key, or makes it. */
MUST_USE int token_key_load(const struct hin_io *io, const char *path, struct token_key *out,
                            struct err *err);

/* Fields in fixed order, each as a 4-byte little-endian length and its bytes; the payload only when there is one. */
void request_canonical(const struct gate_request *request, struct buffer *to);
/* BLAKE2b-256 of the canonical bytes; false when memory is out. */
MUST_USE bool request_digest(const struct gate_request *request,
                             unsigned char out[REQUEST_DIGEST_SIZE]);

/* A name for whoever has this key, that tells nothing about it. */
void token_gate_id(const struct token_key *key, char to[GATE_ID_SIZE]);

/* The length, or 0 when memory is out. */
size_t token_make(const struct token_key *key, const struct gate_request *request,
                  int64_t expiry_ns, char to[GATE_TOKEN_SIZE]);
MUST_USE int token_check(const struct token_key *key, const struct gate_request *request,
                         struct slice token, int64_t now_ns, struct err *err);
