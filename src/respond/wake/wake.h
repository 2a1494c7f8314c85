#pragma once
/*
 * respond/wake/wake: the waking plan in force, and the thread that brings pages on.
 *
 * Threads  Any; a plan that is held stays as it is while another one comes into force.
 */
#include "respond/wake/page.h"

struct wake;
struct plan_held;

struct wake_hooks {
    /* A finding about the waking itself: a drill that was missed. */
    void (*raise)(void *context, const struct finding *finding, const struct respond_texts *texts);
    /* A drill's or a test's incident has done its work. */
    int (*close)(void *context, int64_t incident, struct slice comment, struct err *err);
    void *context;
};

/* The configuration and outbox are borrowed. A plan that was saved is read again; one that cannot be is said and nobody is
 * woken. calendars may be NULL. */
MUST_USE int wake_open(const struct respond_config *config, const struct pace *pace, struct outbox *outbox,
                       const struct wake_hooks *hooks, struct wake **out, struct err *err);
MUST_USE int wake_start(struct wake *wake, struct err *err);
void wake_stop(struct wake *wake); /* NULL is fine */

/* Something changed: look now. */
void wake_now(struct wake *wake);
/* One round of the thread, for a simulation: brings pages and drills on. */
MUST_USE int wake_run(struct wake *wake, int64_t *next_pace, struct err *err);

struct pager *wake_pager(struct wake *wake);
/* NULL when there is no plan; give it back. */
struct plan_held *wake_plan(struct wake *wake);
const struct plan *wake_plan_of(const struct plan_held *held); /* NULL of NULL */
void wake_plan_release(struct plan_held *held); /* NULL is fine */
/* Checks it, keeps it as the newest version and puts it in force. The same text as now changes nothing. */
MUST_USE int wake_plan_save(struct wake *wake, struct slice text, struct slice by, struct err *err);
/* Of the plan in force: who saved it when. 0: there is none. */
MUST_USE int wake_plan_saved(struct wake *wake, struct arena *arena, struct slice *by, int64_t *saved_ns, struct err *err);
/* When the thread last went through, by the monotonic clock; 0: never. For health. */
int64_t wake_last_run_mono(const struct wake *wake);

/* Inside a transaction: page_put() by the plan in force. */
MUST_USE int wake_put(struct wake *wake, const struct incident *incident, const struct page_cause *cause,
                      struct arena *arena, struct err *err);
