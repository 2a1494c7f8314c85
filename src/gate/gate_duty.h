#pragma once
/*
 * gate/gate_duty: whoever changed the policy does not approve under it for a day: holds and reopenings need other people.
 * A record of the gate's journal, kept over restarts and rotations. Times are gate_steady_ns().
 *
 * Threads  The gate's own.
 * Limits   DUTIES_MAX people a day; one more change of the policy is refused.
 */
#include "base/buffer.h"
#include "gate/gate.h"

enum { DUTIES_MAX = 16 };
#define DUTY_NS (24 * NS_PER_HOUR)

struct duty {
    char person[GATE_STOP_TEXT_MAX + 1];
    int64_t since_ns;
};

struct duties {
    struct duty list[DUTIES_MAX];
    size_t count;
};

/* Durable when it returns 0. -1: the policy must not be taken. */
MUST_USE int duty_begin(struct gate *gate, struct slice person, struct err *err);
/* ERR_DENIED says until when. */
MUST_USE int duty_check(const struct gate *gate, struct slice person, struct err *err);

/* Records for the journal, with their lengths in front. */
void duties_encode(const struct duties *duties, struct buffer *payload);
/* 1 when the record was one of these, 0, or -1. */
MUST_USE int duties_replay(struct duties *duties, struct slice record, struct err *err);
