#pragma once
/*
 * app/gate_events: what the gate does becomes events of the stream `gate` (dataset hinomi.gate), into the
 * journal like everything else and without waiting for it. docs/gate.md names their fields.
 *
 * Threads  decided: the gate's; policy: any. The context is the struct service.
 */
#include "gate/gate.h"

void gate_events_decided(void *context, const struct gate_request *request,
                         const struct gate_answer *answer);
void gate_events_policy(void *context, const struct gate_policy_news *news);
