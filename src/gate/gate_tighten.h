#pragma once
/*
 * gate/gate_tighten: a machine may close the gate further, only people open it again.
 *
 * While it is tightened the policy's rows read `tightened` as true. A policy none of whose rows reads it lets nothing
 * pass meanwhile. Both changes are records of the gate's journal and go along when it rotates.
 *
 * Threads  The gate's own.
 */
#include "base/buffer.h"
#include "gate/gate.h"

enum { TIGHTEN_TEXT_MAX = 512 };

struct tightening { /* the last one */
    bool on;
    char cause[TIGHTEN_TEXT_MAX + 1]; /* the incident; stays after it was undone, so that it is not done again */
    char undone_by[TIGHTEN_TEXT_MAX + 1], reason[TIGHTEN_TEXT_MAX + 1];
    int64_t since_ns, undone_ns;
};

/* A record for the journal, with its length in front; nothing when there never was one. */
void tightening_encode(const struct tightening *tightening, struct buffer *payload);
/* 1 when the record was one of these, 0, or -1. */
MUST_USE int tightening_replay(struct tightening *tightening, struct slice record, struct err *err);
