#pragma once
/*
 * app/gate_teller: reads the gate's journal and tells its decisions to the event stream. How far it has told is the cursor of what
 * it delivers, durable together with it: no decision is missing and none is told twice, whenever the server dies.
 *
 * It waits for the pipeline, so that a flood of decisions never puts the events behind on which the gate depends; what is not told
 * yet is in the journal.
 *
 * Threads  A thread of its own. gate_teller_committed: the gate's.
 */
#include "base/attr.h"
#include "base/err.h"

#include <stdint.h>

struct service;
struct gate_teller;

/* Before the gate starts; nothing is read before gate_teller_run(). */
MUST_USE int gate_teller_new(struct service *service, struct gate_teller **out, struct err *err);
/* When engine and gate have started. */
MUST_USE int gate_teller_run(struct gate_teller *teller, struct err *err);
/* gate_config.committed */
void gate_teller_committed(struct gate_teller *teller, uint64_t number);
/* Tells what is there for two seconds at most and ends the thread; the rest is told after the next start. NULL is fine. */
void gate_teller_stop(struct gate_teller *teller);
/* After the gate has stopped. NULL is fine. */
void gate_teller_free(struct gate_teller *teller);
