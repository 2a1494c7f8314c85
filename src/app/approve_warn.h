#pragma once
/* app/approve_warn: what a person must know before signing a held request, from its canonical fields, the bytes to be signed, the
 * policy's assets and what this person approved before. Nothing else of the file is trusted. On standard error. */
#include "app/approve_known.h"
#include "gate/payload.h"

struct approve_warn {
    const struct gate_request *request;
    const struct policy *policy;  /* of the approver's own; NULL: none was given */
    const struct known *known;
    int64_t now_ns;
};

/* Amount and destination in full, in groups and in base units. */
void approve_warn_amounts(const struct approve_warn *warn);
/* Every effect of the payload. ERR_DENIED: it is not what was asked for, or that cannot be told; nothing must be signed. */
MUST_USE int approve_warn_payload(const struct approve_warn *warn, struct arena *arena, struct err *err);
/* True: the address looks like another, so a yes is not enough. */
bool approve_warn_person(const struct approve_warn *warn);
