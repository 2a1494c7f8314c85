#pragma once
/*
 * collect/poll_state: how far a poller of an HTTP API has come: what is durable with the events, and what it remembers.
 *
 *   at        everything before is taken, but for what comes late
 *   from..to  the round under way; to 0: none
 *   part      of the round: which day and which of `each`
 *   next      of the part: the page to be asked for; empty: the first
 *   skip      of what next (or the entry with the hash skip_of) answers: so many records are taken
 *   cut       of the record with the hash cut_of: so many parts are taken
 *
 * Ownership  next is its own.
 * Threads    One.
 * Limits     POLL_NEXT_BYTES_MAX of next.
 */
#include "base/err.h"
#include "collect/remote/poll_seen.h"

struct poll_state {
    int64_t at_ns, from_ns, to_ns;
    uint64_t part, page, skip, skip_of, cut, cut_of;
    struct buffer next;
    struct poll_seen seen;
};

void poll_state_init(struct poll_state *state);
void poll_state_close(struct poll_state *state);
/* False: it is longer than POLL_NEXT_BYTES_MAX, or memory is out. */
MUST_USE bool poll_state_set_next(struct poll_state *state, struct slice next);
/* Nothing of the answer that comes is taken. */
void poll_state_forget_skip(struct poll_state *state);

void poll_state_save(const struct poll_state *state, struct buffer *to);
/* What poll_state_save() wrote. -1: it is none; the state is as after init. */
MUST_USE int poll_state_load(struct poll_state *state, struct slice bytes, struct err *err);
