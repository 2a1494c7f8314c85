#pragma once
/*
 * app/engine: journal, store, decoders, rules and pipeline of one data folder, opened and closed
 * together; what `import` and `serve` share.
 *
 *   DATA/journal  DATA/store  DATA/state.db  DATA/tls  DATA/gate  DATA/lock
 */
#include "app/cli.h"
#include "flow/pipeline.h"

struct engine {
    const char *dir;
    bool detect;
    uint32_t retention_days; /* 0: for ever */
    /* From the pipeline's thread; may be NULL. */
    void (*found)(void *context, const struct finding *finding, const struct rule *rule);
    void (*passed)(void *context, const struct batch *batch);
    void *context;
    /* set by engine_open */
    int lock_fd;
    struct store *store;
    struct journal *journal;
    struct decoders *decoders;
    struct arena *arena;
    const struct state_definitions *state;
    struct rule_set *rules;
    struct pipeline *pipeline;
};

/* The fields above set_by are filled by the caller; the rest zero. ERR_CONFLICT when another
 * program has the folder open. On failure engine_close() is still called. */
MUST_USE int engine_open(struct engine *engine, struct err *err);
/* Starts reading the journal. */
MUST_USE int engine_start(struct engine *engine, struct err *err);
/* Everything acknowledged is in segments when it returns 0; the pipeline has stopped. */
MUST_USE int engine_finish(struct engine *engine, struct err *err);
void engine_close(struct engine *engine);

void engine_note(void *context, const char *text); /* a sentence on standard error */
