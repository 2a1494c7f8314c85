#pragma once
/*
 * gate/gate_payload: the bytes to be signed within the gate: judged once a decision.
 *
 * Threads  The gate's own.
 */
#include "base/buffer.h"
#include "gate/gate_book.h"
#include "gate/payload.h"

struct gate;

/* Puts payload_kind, payload_effects, payload_differs and payload_fee into the gate's row; nothing without a payload. */
MUST_USE bool payload_describe(struct gate *gate, const struct gate_request *request);
/* payload_matches as a truth value; false: another name. */
bool payload_find(const struct gate *gate, struct slice name, struct value_list *out);
/* Whether a request that the policy may not have looked at must not pass: what it would sign is something else. */
bool payload_forbids(const struct policy *policy, const struct gate_request *request, struct slice row, struct arena *arena);
