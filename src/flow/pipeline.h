#pragma once
/*
 * flow/pipeline: the walk of an event, in one thread and in arrival order:
 *
 *   journal ──► decode ──► detect ──► store
 *      ▲                     └──► findings: to whoever responds, and as events of their own
 *      └──────────────────────────────────┘ (dataset hinomi.finding) back into the journal
 *
 * What is acknowledged is in the journal. A restart reads it from where both the store's segments
 * and the checkpoint of the rules end; each leaves out what it has already, so nothing is lost or
 * doubled (docs/decisions/restart.md). A delivery that killed the program twice is quarantined raw.
 * Threads    start makes one thread; stop joins it. The rest may be called from any thread.
 */
#include "decode/decode.h"
#include "detect/detector.h"
#include "flow/checkpoint.h"
#include "flow/rule_reports.h"
#include "flow/sources.h"
#include "store/journal.h"
#include "store/store.h"

struct pipeline;

struct pipeline_config {
    struct journal *journal;
    struct store *store;
    const struct decoders *decoders;
    struct rulebook *book;                 /* NULL: detect nothing. The pipeline takes a hold of its own */
    struct checkpoint *checkpoint;         /* NULL: what rules remember ends with the program */
    int64_t checkpoint_ms;                 /* at least so long between two; 0: 15000 */
    const char *crash_path;                /* see crash_mark.h; NULL: none. Lives as long */
    struct sources *sources;               /* NULL: nothing is learned of who sends. Given to the pipeline's thread */
    const struct hin_clock *clock;
    /* From the pipeline's thread, both may be NULL. After a crash a finding may come again, with the
     * same id; batches before the checkpoint do not. */
    void (*found)(void *context, const struct finding *finding, const struct rule *rule);
    void (*passed)(void *context, const struct batch *batch); /* each batch, after detection */
    void (*note)(void *context, const char *text);
    void *context;
};

struct pipeline_counts {
    uint64_t events, not_understood, decode_errors, findings, batches;
    uint64_t quarantined, not_detected;
    uint64_t position;      /* of the journal, read so far */
    int64_t last_event_ns;  /* newest @timestamp seen */
    int64_t lag_ns;         /* receipt to stored, of the last batch */
    bool disk_refuses;      /* it waits until the store may write again */
    bool failed;            /* stopped by an error; see note */
};

/* Opens the reader and starts the thread. */
MUST_USE int pipeline_start(const struct pipeline_config *config, struct pipeline **out,
                            struct err *err);
/* Takes in what the journal holds, seals nothing; NULL is fine. */
void pipeline_stop(struct pipeline *pipeline);
struct pipeline_counts pipeline_counts(struct pipeline *pipeline);
/* Waits until everything up to the journal position has passed; false after wait_ms or a failure. */
bool pipeline_wait(struct pipeline *pipeline, uint64_t position, int64_t wait_ms);
/* These rules run from the next batch on, with what the old ones remembered as far as both know it; no
 * event is missed or seen twice. Takes a hold. What cannot be taken over is noted, and the old rules stay. */
void pipeline_change_rules(struct pipeline *pipeline, struct rulebook *book);
/* The rules that run; to be released. NULL when it detects nothing. */
struct rulebook *pipeline_hold_rules(struct pipeline *pipeline);
/* Event time by now (8 bytes, little-endian) and what the rules of risk know (detector_save_risks), laid out by the pipeline's thread between two deliveries.
 * ERR_CANCELLED after wait_ms, ERR_NOMEM. to stays empty when it detects nothing. */
MUST_USE int pipeline_risks(struct pipeline *pipeline, int64_t wait_ms, struct buffer *to, struct err *err);
/* Their ledger, not older than a few seconds; to be released. NULL before the first, or when memory was out. */
struct rule_reports *pipeline_hold_reports(struct pipeline *pipeline);
