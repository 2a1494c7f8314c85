#pragma once
/*
 * app/gate_events: what the gate does becomes events of the stream `gate` (dataset hinomi.gate), into the
 * journal like everything else and without waiting for it, and goes to the timelines of incidents.
 * docs/gate.md names the fields.
 *
 * Threads  decided, approved: the gate's, which must not wait; policy: any. The context is the struct service.
 */
#include "gate/gate.h"

void gate_events_decided(void *context, const struct gate_request *request,
                         const struct gate_answer *answer);
void gate_events_approved(void *context, const struct gate_request *request,
                          const struct gate_approval *approval);
void gate_events_policy(void *context, const struct gate_policy_news *news);
