#pragma once
/*
 * flow/patient_store: the pipeline's way to the store while the disk refuses. A full disk is not
 * the end: what was acknowledged is in the journal, so the pipeline waits and goes on when there
 * is room again. Meanwhile the journal refuses senders on its own (503), and the lag is seen by
 * the gate's health.
 *
 * Threads  The pipeline's.
 * Errors   Only what waiting cannot mend: memory, damage; ERR_CLOSED when stopped while waiting.
 */
#include "base/err.h"
#include "store/journal.h"
#include "store/store.h"

#include <stdatomic.h>

enum { PATIENCE_MS = 250 }; /* between tries */

struct patient_store {
    struct store *store;
    struct journal *journal;
    const atomic_bool *stopping;
    void (*note)(void *context, const char *text); /* NULL is fine */
    void *context;
    atomic_bool waiting; /* it was said that the disk refuses, and not yet that it does not any more */
};

/* Waits until the store has the batch. */
MUST_USE int patient_append(struct patient_store *patient, const struct batch *batch,
                            struct err *err);
/* These are tried again anyway: what the disk refuses is said and left. */
MUST_USE int patient_tick(struct patient_store *patient, struct err *err);
MUST_USE int patient_trim(struct patient_store *patient, uint64_t covered, struct err *err);
