#pragma once
/*
 * gate/gate_break_glass: signatures that release a hold past its approvals, by people that the policy names for that alone.
 *
 * Threads  The gate's own.
 */
#include "base/buffer.h"
#include "gate/gate_book.h"

/* A record for the journal of the i-th signature, with its length in front. */
void break_glass_encode(const struct record *record, uint32_t i, struct buffer *payload);
/* 1 when the record was one of these, 0, or -1. */
MUST_USE int break_glass_replay(struct book *book, struct slice bytes, struct err *err);
