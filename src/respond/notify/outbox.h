#pragma once
/*
 * respond/notify/outbox: notifications that are owed. A row is written in the
 * transaction of what it tells about, so neither exists without the other; one
 * thread a notifier sends, and the receipt is a row of the incident's timeline.
 *
 *   put ─> pending ── sent ───────────────> done
 *            │  ^ └── refused three times ─> done, failed
 *            └──┘ else again after 1 s ... 5 min, doubled each time, less up to half by chance
 *
 * Each is sent at least once (a crash between sending and noting it sends it again, under the same
 * idempotency key), in order for one incident and notifier.
 */
#include "respond/incidents/incident.h"
#include "respond/respond.h"

struct outbox;

/* The configuration is borrowed. ERR_CONFIG says what is wrong with a notifier. */
MUST_USE int outbox_start(const struct respond_config *config, struct outbox **out, struct err *err);
void outbox_stop(struct outbox *outbox); /* NULL is fine; waits for what is being sent */

/* Inside a transaction. event: "opened", "severity", "closed". */
MUST_USE int outbox_put(struct outbox *outbox, const struct incident *incident, const char *event,
                        struct arena *arena, struct err *err);
/* After the commit. */
void outbox_wake(struct outbox *outbox);
