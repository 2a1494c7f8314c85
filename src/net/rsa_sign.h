#pragma once
/*
 * net/rsa_sign: a signature with a private key of RSA (RSASSA-PKCS1-v1_5 with SHA-256, which is RS256 of RFC 7518), by GnuTLS.
 *
 * Ownership  Nothing is kept.
 * Threads    Any.
 * Errors     ERR_CONFIG: the key is none that this can use.
 */
#include "base/buffer.h"
#include "base/err.h"

/* pem: PKCS #8 ("PRIVATE KEY") or PKCS #1 ("RSA PRIVATE KEY"), without a password. Appends the signature of data. */
MUST_USE int rsa_sign_sha256(struct slice pem, struct slice data, struct buffer *to, struct err *err);
