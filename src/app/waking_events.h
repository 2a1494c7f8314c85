#pragma once
/*
 * app/waking_events: what was done to wake people becomes events of the stream `waking` (dataset hinomi.waking), into the
 * journal like everything else and without waiting for it; and the waking plan that the configuration names.
 *
 * Threads  Any. The context is the struct service.
 */
#include "base/err.h"
#include "base/slice.h"
#include "respond/notify/mailbox.h"

struct service;

void waking_events_add(void *context, struct slice json);
int waking_tighten(void *context, struct slice incident_id, struct err *err);
int waking_begin_playbook(void *context, struct slice playbook, struct slice incident_id, struct err *err);
/* A mail that answers a page (respond/notify/mailbox.h); it is in the audit trail with where it came from. */
enum mailbox_result waking_reply(void *context, struct slice token, struct slice from);
/* Reads the file of the configuration's `waking`, if it names one, and puts the plan in force. */
MUST_USE int waking_read_plan(struct service *service, struct err *err);
