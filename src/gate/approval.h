#pragma once
/*
 * gate/approval: a person's signature under one hold, made anywhere (hinomi approve) and checked here.
 *
 *   signed bytes   "hinomi gate approval 1", gate id, hold id, digest of the request, approver, expiry
 *                  each as a 4-byte little-endian length and its bytes; the digest is the BLAKE2b-256 of the
 *                  request's canonical bytes (32 bytes), the expiry decimal nanoseconds since 1970
 *
 * The first field keeps a signature from meaning anything elsewhere, the gate id keeps it from counting at
 * another gate with the same approvers.
 *
 * Sources  Ed25519 (RFC 8032) through libsodium; docs/gate.md.
 * Threads  Any.
 */
#include "gate/policy.h"
#include "gate/token.h"

enum { APPROVER_SEED_SIZE = 32 };
#define APPROVAL_LIFE_MAX_NS (30 * NS_PER_MINUTE) /* a signature that lies around must not count for long */

struct approval_text { /* what is signed; slices are borrowed */
    struct slice gate_id, hold_id, approver;
    const unsigned char *digest; /* REQUEST_DIGEST_SIZE */
    int64_t expires_ns;
    struct slice break_glass; /* why the glass is broken: then "hinomi gate break-glass 1" is first, and this last; none: an approval */
};

/* What the journal keeps of a signature. */
enum { PROOF_SIZE = APPROVER_KEY_SIZE + 8 + GATE_SIGNATURE_SIZE };
void approval_put_proof(const unsigned char key[APPROVER_KEY_SIZE], const struct gate_signature *signature, char to[PROOF_SIZE]);

/* What is signed for a step of a stop's reopening, instead of a request's digest; hold_id is then the stop's. BLAKE2b-256 of
 * "hinomi gate reopening 1", scope, target, share (hundredths of a percent) and when the stop was last changed (decimal ns), each
 * as a 4-byte little-endian length and its bytes: an approval of one step is none of the next, nor after a new stop. False when memory is out. */
MUST_USE bool reopening_digest(const struct gate_stop *stop, uint32_t share, unsigned char out[REQUEST_DIGEST_SIZE]);

/* The public half of a secret seed. */
void approval_public_key(const unsigned char seed[APPROVER_SEED_SIZE],
                         unsigned char key[APPROVER_KEY_SIZE]);
/* False when memory is out. */
MUST_USE bool approval_sign(const struct approval_text *text,
                            const unsigned char seed[APPROVER_SEED_SIZE],
                            unsigned char signature[GATE_SIGNATURE_SIZE]);
/* Of any bytes; their first field says what for. */
void approval_sign_bytes(struct slice bytes, const unsigned char seed[APPROVER_SEED_SIZE],
                         unsigned char signature[GATE_SIGNATURE_SIZE]);
/* ERR_DENIED: the signature is not this approver's under exactly this, or its time is over. */
MUST_USE int approval_check(const struct approval_text *text,
                            const unsigned char key[APPROVER_KEY_SIZE],
                            const unsigned char signature[GATE_SIGNATURE_SIZE], int64_t now_ns,
                            struct err *err);
