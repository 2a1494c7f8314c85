#pragma once
/*
 * flow/finding_sender: findings become events of their own (event.kind "alert", event.dataset
 * "hinomi.finding"), through the journal like what comes from outside.
 *
 * Each is a delivery keyed by the finding's id: one that is raised again after a restart is not
 * stored again. What the disk refuses is kept and sent again.
 *
 * Threads    One at a time (the walk's); answers come from the journal's thread.
 * Limits     Waits when the journal has no room for more at once.
 */
#include "base/clock.h"
#include "event/finding.h"
#include "store/journal.h"

/* hinomi.source of these deliveries: rules are not run on them. */
#define FINDING_SOURCE SLICE("hinomi.finding")

struct finding_sender;

MUST_USE struct finding_sender *finding_sender_new(struct journal *journal,
                                                   const struct hin_clock *clock);
/* Waits for answers that are due; what the disk refused comes again when the journal is read anew
 * from a checkpoint before it. NULL is fine. */
void finding_sender_free(struct finding_sender *sender);

MUST_USE int finding_sender_send(struct finding_sender *sender, const struct finding *finding,
                                 struct err *err);
/* Another event of the program's own, by the same way. */
struct finding_sender_event {
    struct slice source; /* a constant */
    struct slice stream; /* at most KIB */
    struct slice line;   /* of JSON */
    char id[33];         /* the key: the same is stored once */
};
MUST_USE int finding_sender_tell(struct finding_sender *sender, const struct finding_sender_event *event, struct err *err);
/* Sends again what was refused. */
MUST_USE int finding_sender_retry(struct finding_sender *sender, struct err *err);

struct finding_sender_counts {
    uint64_t sent;    /* handed to the journal, the first time */
    uint64_t durable; /* of these */
    uint64_t findings; /* of those that were sent */
};
struct finding_sender_counts finding_sender_counts(const struct finding_sender *sender);
