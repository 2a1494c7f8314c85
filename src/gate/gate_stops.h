#pragma once
/*
 * gate/gate_stops: what must not move until people say so: an account, an asset, a wallet, an address, a partner, or all. Machines
 * (rules) and people set stops; only people reopen them, in steps: 1 %, 10 %, 100 % of what the policy's limits let pass.
 *
 *   share 0 ── approvals ──► 0.01 ── approvals ──► 0.10 ── approvals ──► 1: ended
 *           ◄── a new cause ──┘◄───────────────────┘
 *
 * A stop never ends by itself. A cause that set a stop once does not set it again, so that a finding which a restart raises anew
 * does not undo what people did. Every change is a record of the gate's journal and goes along when it rotates.
 *
 * Threads  The gate's own.
 * Limits   GATE_STOPS_MAX at once; one more cannot be told apart from the others any more: then everything is stopped.
 */
#include "base/buffer.h"
#include "gate/gate.h"
#include "gate/policy.h"

enum { STOP_REOPEN_APPROVALS = 2 };

struct stops;

MUST_USE struct stops *stops_new(void);
void stops_free(struct stops *stops); /* NULL is fine */

/* The tightest stop that touches a request; NULL: none. Lives until the stops change. The policy says
 * whose a destination is; a stop of a partner that it does not name touches everything. NULL: there is none. */
const struct gate_stop *stops_touching(const struct stops *stops, const struct policy *policy,
                                       const struct gate_request *request);
uint64_t stops_open(const struct stops *stops);

/* Instead of the one with its id, or beside the others, without a journal. False: memory, or no place; then everything is stopped. */
bool stops_add(struct stops *stops, const struct gate_stop *stop);
/* Of steps that are not reached yet. */
void stops_forget_approvals(struct stops *stops);
/* All that is known, as records for the journal with their lengths in front. */
void stops_encode(const struct stops *stops, struct buffer *payload);
/* 1 when the record was one of these, 0, or -1. */
MUST_USE int stops_replay(struct stops *stops, struct slice record, struct err *err);
