#pragma once
/*
 * respond/notify/signature: how a receiver of our requests knows that they are ours (docs/incidents.md, Webhooks):
 * v1,<Unix seconds>,<nonce>,<HMAC-SHA256(secret, "t.nonce.body") in hex>[,<the same by the next secret>]
 */
#include "base/err.h"
#include "base/rand.h"
#include "base/slice.h"

enum { SIGNATURE_SIZE = 240, SIGNATURE_SECRET_MIN = 16, SIGNATURE_AGE_MAX_S = 300 };

/* next: signs as well while the secret is changed; none: one signature. */
void signature_make(struct slice secret, struct slice next, struct slice body, int64_t now_ns, const struct hin_rand *rand,
                    char to[SIGNATURE_SIZE]);
/* The same by somebody who asks us: by either secret, and at most SIGNATURE_AGE_MAX_S away. *nonce is a part of the header. ERR_DENIED. */
MUST_USE int signature_check(struct slice secret, struct slice next, struct slice header, struct slice body, int64_t now_ns,
                             struct slice *nonce, struct err *err);
