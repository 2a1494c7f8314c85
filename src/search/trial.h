#pragma once
/*
 * search/trial: a search run over a sample of its blocks, with a count of rows and processor time for each
 * of its stages; search/estimate.h makes of two of them what the whole search will cost.
 *
 *   source ─ count ─► stage ─ count ─► stage ... ─ count ─► answer
 *
 * A trial changes nothing: what writes (outputlookup, collect, outputcsv) only makes its bytes. Searches
 * within the search are trials, too.
 *
 * Ownership  All of it lives in the trial's arena, which outlives the search.
 * Threads    The search's; blocks are read on it, too.
 */
#include "search/run.h"
#include "store/scan_survey.h"

struct stage;

/* Whose time it is. One for all trials of an estimate. */
struct trial_clock {
    int64_t last_ns;
    int64_t *owner; /* where time since last_ns goes; NULL: nowhere */
};

struct trial_stage {
    const struct spl_command *command; /* NULL: the source's filter and order, or the answer */
    bool in_rows; /* row by row: what comes out follows what comes in */
    bool holds;   /* has something to do when all rows are there */
    uint64_t rows, frames;
    int64_t push_ns, finish_ns;
};

struct search_trial {
    struct trial_clock *clock;
    struct arena *arena;
    bool half;          /* of the sample, to see how groups grow */
    size_t blocks_most; /* of the sample */
    uint32_t rows_most; /* of a block that go through the stages, where these take rows in slices */
    /* what came of it */
    bool has_source, surveyed;
    struct scan_survey survey;
    int64_t survey_ns;
    struct scan_sample sample;
    struct scan_stats stats;          /* of reading the sample */
    struct search_request request;
    uint64_t rows_given, rows_pushed; /* by the source; of them into the first stage */
    uint64_t batches;
    bool satisfied; /* the answer was there before the sample was at its end */
    int64_t plan_ns, source_ns, fixed_ns; /* fixed: what does not grow with rows, as lookup tables */
    struct trial_stage *stages;
    size_t stage_count;
    size_t held_bytes, held_max;
    bool spilled; /* even rows of the sample went to the temporary file */
    struct search_trial *subs, *next; /* searches within it, the last one first */
};

/* Time goes to owner from now on; the owner so far is returned. */
int64_t *trial_turn(struct search_trial *trial, int64_t *owner);
/* A search within the one of trial. NULL: memory is out. */
MUST_USE struct search_trial *trial_sub(struct search_trial *trial);
/* Chooses the blocks of the request. */
MUST_USE int trial_choose(struct search *search, struct err *err);
/* Puts the counts between the stages. */
MUST_USE int trial_watch(struct search *search, struct err *err);
/* Instead of search_run(). */
MUST_USE int trial_run(struct search *search, struct err *err);
