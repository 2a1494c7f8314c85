#pragma once
/*
 * app/engine: journal, store, decoders, rules and pipeline of one data folder, opened and closed
 * together; what `import` and `serve` share.
 *
 *   DATA/content/rules (own rules)  DATA/journal  DATA/store  DATA/memory  DATA/state.db  DATA/tls  DATA/gate  DATA/lock
 */
#include "app/cli.h"
#include "flow/pipeline.h"
#include "flow/redecode.h"

enum { ENGINE_PATH_MAX = 4400 };

struct engine {
    const char *dir;
    bool detect;
    struct store_config store_config; /* what the configuration says of it; the rest is set here */
    struct rhythm_week week; /* whose hours and holidays sources keep */
    bool know_sources;       /* learn when they send; off for imports */
    /* From the pipeline's thread; may be NULL. */
    void (*found)(void *context, const struct finding *finding, const struct rule *rule);
    void (*passed)(void *context, const struct batch *batch);
    void *context;
    /* set by engine_open */
    int lock_fd;
    struct store *store;
    struct journal *journal;
    struct decoders *decoders;
    struct redecode *redecode; /* what these would make of stored events */
    struct rulebook *book; /* that it was opened with; the pipeline may have a newer one */
    uint64_t rules_seen;   /* what the files looked like */
    uint64_t lookups_seen; /* likewise of the lookups that placeholders stand for */
    int64_t looked_ns;     /* monotonic */
    struct checkpoint *checkpoint;
    struct sources *sources; /* NULL: !know_sources */
    struct pipeline *pipeline;
    uint64_t caught_up_at; /* journal position at the start: before it everything is the past */
    char crash_path[ENGINE_PATH_MAX], sources_path[ENGINE_PATH_MAX];
};

/* The fields above set_by are filled by the caller; the rest zero. ERR_CONFLICT when another
 * program has the folder open. On failure engine_close() is still called. */
MUST_USE int engine_open(struct engine *engine, struct err *err);
/* What the rules remembered at the checkpoint, for the gate (state_load); between open and start. */
struct slice engine_state(const struct engine *engine);
/* Starts reading the journal. */
MUST_USE int engine_start(struct engine *engine, struct err *err);
/* Everything acknowledged is in segments when it returns 0; the pipeline has stopped. */
MUST_USE int engine_finish(struct engine *engine, struct err *err);
void engine_close(struct engine *engine);
/* Rules that changed in the content folder or in DATA/content/rules run from the next batch on. On
 * failure those that run stay. */
MUST_USE int engine_reload_rules(struct engine *engine, struct err *err);
/* The same when a file has changed since; call it every second or so, it looks every
 * five. What fails is noted once. */
void engine_tick(struct engine *engine);
/* Why what is remembered cannot be trusted now, or NULL: the start's replay, or a lost checkpoint. */
const char *engine_doubt(struct engine *engine);

void engine_note(void *context, const char *text); /* a sentence on standard error */
