#pragma once
/*
 * gate/policy_owner: the owner's signature under a policy's file, so that whoever can write the file cannot change what may leave.
 *
 *   FILE.sig       the signature in base64 and a line's end
 *   signed bytes   "hinomi gate policy 1" and the BLAKE2b-256 of the file (32 bytes), each as a 4-byte little-endian length and its bytes
 *
 * Sources  Ed25519 (RFC 8032) through libsodium.
 * Threads  Any.
 */
#include "gate/approval.h"

enum { POLICY_SIGNATURE_TEXT_SIZE = 96 };

/* The text of FILE.sig. False when memory is out. */
MUST_USE bool policy_owner_sign(const struct policy *policy, const unsigned char seed[APPROVER_SEED_SIZE],
                                char to[POLICY_SIGNATURE_TEXT_SIZE]);
/* ERR_DENIED: there is no signature beside the file, or it is not this key's under exactly this file. */
MUST_USE int policy_owner_check(const char *path, const struct policy *policy, const unsigned char key[APPROVER_KEY_SIZE],
                                struct err *err);
/* A public key in base64. */
MUST_USE bool policy_owner_key(struct slice text, unsigned char key[APPROVER_KEY_SIZE]);
