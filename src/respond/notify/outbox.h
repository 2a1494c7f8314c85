#pragma once
/*
 * respond/notify/outbox: notifications that are owed. A row is written in the
 * transaction of what it tells about, so neither exists without the other; one
 * thread a notifier sends, and the receipt is a row of the incident's timeline.
 *
 *   put ─> pending ── sent ───────────────> done
 *            │  ^ └── refused three times ─> done, failed
 *            │  └──── else again after 1 s ... 5 min, doubled each time, less up to half by chance
 *            └─────── withdrawn ───────────> done (somebody answered meanwhile)
 *
 * Each is sent at least once (a crash between sending and noting it sends it again, under the same
 * idempotency key), in order for one incident, notifier and address. Those to a person go first, and are
 * tried again after at most half a minute.
 */
#include "respond/incidents/incident.h"
#include "respond/notify/notice.h"
#include "respond/respond.h"
#include "respond/wake/pace.h"

struct outbox;

struct outbox_hooks {
    /* Inside the transaction that notes it: the message to a person was taken (failed none), or an attempt failed and
     * why. May be NULL. */
    int (*told)(void *context, int64_t waking, struct slice receipt, struct slice failed, struct err *err);
    void (*after)(void *context); /* that transaction is through; may be NULL */
    void *context;
};

/* The configuration, pace and hooks are borrowed. ERR_CONFIG says what is wrong with a notifier. */
MUST_USE int outbox_open(const struct respond_config *config, const struct pace *pace, const struct outbox_hooks *hooks,
                         struct outbox **out, struct err *err);
/* Begins to send. A simulation leaves it out and calls outbox_step() itself. */
MUST_USE int outbox_start(struct outbox *outbox, struct err *err);
/* Sends nothing any more, after what is being sent; who puts messages in may go on until outbox_stop(). */
void outbox_halt(struct outbox *outbox); /* NULL is fine */
void outbox_stop(struct outbox *outbox); /* NULL is fine; halts it first */

/* The next due message of a notifier, by its place in the configuration: 1 when there was one, 0, or -1. */
MUST_USE int outbox_step(struct outbox *outbox, size_t notifier, struct err *err);
/* When the next one of any notifier is due, by pace; INT64_MAX: none waits. */
MUST_USE int outbox_due(struct outbox *outbox, int64_t *pace_ns, struct err *err);

/* Inside a transaction: news for every notifier that takes them. event: "opened", "severity", "closed". */
MUST_USE int outbox_put(struct outbox *outbox, const struct incident *incident, const char *event,
                        struct arena *arena, struct err *err);
/* Inside a transaction: to one person. The row and the notice carry the waking's number. */
MUST_USE int outbox_put_waking(struct outbox *outbox, int64_t incident, int64_t waking, struct slice notifier,
                               struct slice address, const struct notice *notice, struct err *err);
/* Inside a transaction: what the gate did, for every notifier that is told of it; once for a key. A refusal ends nothing there:
 * it is tried until it is taken, and in its order. */
MUST_USE int outbox_put_gate(struct outbox *outbox, const struct respond_gate_call *call, struct arena *arena, struct err *err);
/* Inside a transaction: what is still owed to persons about this page is not sent any more. */
MUST_USE int outbox_withdraw(struct outbox *outbox, int64_t page, const char *why, struct err *err);
/* After the commit. */
void outbox_wake(struct outbox *outbox);
