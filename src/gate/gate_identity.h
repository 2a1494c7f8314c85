#pragma once
/*
 * gate/gate_identity: whose journal it is. A journal names the gate that writes it, by the gate's id, which comes from its key. `hinomi
 * restore` leaves the key out, so that a gate over restored files finds another name there than its own. What was approved, stopped
 * and paid since the backup is not known then: all approvals are void, everything is stopped until people reopen it, and requests
 * from before are held (row "restored"). Signatures and tokens from before name another gate, so none of them counts.
 *
 *   record   | kind 31 | id of the gate | since when it is the one, ns; 0: from the beginning |
 *
 * A folder that was copied back together with its key cannot be told from one that was never away.
 *
 * Threads  The gate's own.
 */
#include "base/buffer.h"
#include "gate/gate.h"

struct gate_identity {
    char id[GATE_ID_SIZE]; /* "": the journal names nobody */
    int64_t restored_ns;   /* 0: never */
};

/* The record for the journal, with its length in front; it goes before all others when the journal rotates. */
void identity_encode(const struct gate_identity *identity, struct buffer *payload);
/* 1 when the record was one of these, 0, or -1. Another name than before: approvals made until here are void. */
MUST_USE int identity_replay(struct gate *gate, struct slice record, struct err *err);
/* After the journal was read: puts the own name there. When it cannot be written the gate holds everything. */
void identity_begin(struct gate *gate);
bool identity_is_older(const struct gate_identity *identity, const struct gate_request *request);
