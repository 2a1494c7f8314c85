#pragma once
/*
 * net/rsa_verify: whether a signature is of a public key of RSA (RSASSA-PKCS1-v1_5 with SHA-256, which is RS256 of RFC 7518), by GnuTLS.
 *
 * Ownership  Who reads a key frees it.
 * Threads    A key is read-only.
 * Limits     RSA_BITS_MIN: smaller keys are refused.
 * Errors     ERR_CONFIG: the key is none that this can use. ERR_DENIED: the signature is not of this key and these bytes.
 */
#include "base/err.h"
#include "base/slice.h"

enum { RSA_BITS_MIN = 2048 };

struct rsa_public;

/* pem: "PUBLIC KEY" or "CERTIFICATE". */
MUST_USE int rsa_public_read(struct slice pem, struct rsa_public **out, struct err *err);
void rsa_public_free(struct rsa_public *key); /* NULL is fine */
MUST_USE int rsa_verify_sha256(const struct rsa_public *key, struct slice data, struct slice signature, struct err *err);
