#pragma once
/*
 * gate/gate_rehearse: what a policy would answer to a history: the gate's own decisions, memory, stops and counts, on a clock that
 * the history sets, without journal, key, thread or doubts about the machine.
 *
 * Threads  One at a time.
 * Shadow   Answers are as if they counted.
 */
#include "gate/gate.h"

struct rehearsal;

/* The policy's text; name: what errors call it. ERR_CONFIG names its line. Text, which is YAML, and definitions outlive it. */
MUST_USE int rehearsal_open(const char *name, struct slice policy, const struct state_definitions *state, struct rehearsal **out,
                            struct err *err);
void rehearsal_close(struct rehearsal *rehearsal); /* NULL is fine */

/* Time goes on; it never goes back. */
void rehearsal_reach(struct rehearsal *rehearsal, int64_t time_ns);
int64_t rehearsal_now(const struct rehearsal *rehearsal);

/* Rows of this batch come next, of events and of findings in turn; it outlives them. */
enum rehearsal_source { REHEARSAL_EVENTS, REHEARSAL_FINDINGS };
MUST_USE int rehearsal_begin(struct rehearsal *rehearsal, enum rehearsal_source source, const struct batch *batch, struct err *err);
MUST_USE int rehearsal_observe(struct rehearsal *rehearsal, enum rehearsal_source source, uint32_t row, struct err *err);

/* Sets a stop, or changes its share (GATE_SHARE_WHOLE ends it). */
MUST_USE int rehearsal_stop(struct rehearsal *rehearsal, struct slice scope, struct slice target, struct slice by, uint32_t share,
                            struct err *err);
/* What is allowed counts. Texts of the answer live until the next question. */
void rehearsal_ask(struct rehearsal *rehearsal, const struct gate_request *request, struct gate_answer *out);
struct slice rehearsal_version(const struct rehearsal *rehearsal);
