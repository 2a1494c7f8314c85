#pragma once
/*
 * search/stage: a command at work. Rows are pushed from stage to stage; when there are
 * no more, the stages are finished in order, and those that held rows push what they made.
 *
 *   source -> search -> eval -> stats ...(holds)... finish -> sort ...(holds)... finish -> result
 *
 * finish() must leave what is held as it was: a preview asks for it while rows are still coming.
 *
 * Memory     run->arena for what is held; the frame's own (frame->batch->arena) for columns that
 *            are put into it; run->scratch for a moment. All of them share one budget. Rows that
 *            may be many go through a sorter (search/sorter.h), which has a file behind it.
 */
#include "search/frame.h"
#include "search/lexer.h"
#include "search/run.h"
#include "search/wanted.h"

struct stage {
    int (*push)(struct stage *op, struct frame *frame, struct err *err);
    int (*finish)(struct stage *op, struct err *err); /* NULL: nothing is held */
    void (*release)(struct stage *op); /* after the last finish: its memory is free for those
                                          behind; NULL: it goes with the search */
    struct stage *next;
    struct run *run;
    const struct spl_command *command;
    void *state;
    bool satisfied; /* wants no more rows: the source can stop */
    bool late; /* holds only what memory had no room for: a preview shows what stages behind have */
};

struct search_memory; /* search/spill.h */
struct sorter;        /* search/sorter.h */

struct run {
    const struct spl_query *query;
    const struct search_options *options;
    struct search_memory *memory; /* what all arenas draw from, and the temporary file */
    struct arena *arena;          /* of the search */
    struct arena *frames;         /* reset after each frame that is pushed from the start */
    struct arena *scratch;        /* reset whenever a stage likes */
    struct expr_scope scope; /* its scratch is run->scratch */
    int64_t from_ns, to_ns;  /* the range that was asked for; to INT64_MAX: open */
    struct search_message *messages;
    bool incomplete;
    bool preview; /* an answer so far, asked for while rows come */
    bool *cancelled;
    int64_t deadline_ns; /* mono, 0: none */
    int depth;           /* of subsearches */
    bool is_part;        /* other runs have the other rows: search/parts.h */
    bool groups_given;   /* the first stats has handed on some of its groups */
    const char *part_failed; /* why that cannot go on; NULL: it can */
    struct search_progress *progress; /* of the search, or of the subsearch */
};

/* It is known where the search will run, also while it is only planned: what that place does not have or
 * allow is an error. */
static inline bool run_has_place(const struct run *run)
{
    return !run->options->plan_only || run->options->backend;
}

/* Pushes rows of batch in the order of rows (NULL: as they are) as frames of FRAME_ROWS_MAX. */
MUST_USE int stage_emit(struct stage *op, const struct batch *batch, const uint32_t *rows,
                        uint32_t count, struct err *err);

/* Runs a subsearch to its end; the rows live in run->arena. */
MUST_USE int run_subsearch(struct run *run, const struct spl_query *query, struct batch **rows,
                           struct err *err);
/* Its rows to a sorter as they come, as many as there are. */
MUST_USE int run_subsearch_into(struct run *run, const struct spl_query *query, struct sorter *to,
                                struct err *err);
/* Pushes rows through the commands of a query that has no source of its own (appendpipe). */
MUST_USE int run_pipeline(struct run *run, const struct spl_query *query, const struct batch *from,
                          struct batch **rows, struct err *err);
/* The definition of a lookup, or NULL: its name is that of a table. */
const struct know_lookup *run_lookup(const struct run *run, struct slice name);
/* All rows of a lookup table, by its definition's or its own name, read once a search. */
MUST_USE int run_table(struct run *run, struct slice name, struct batch **rows, struct err *err);

PRINTF_LIKE(5, 6)
void run_message(struct run *run, const char *code, const struct spl_command *command,
                 bool incomplete, const char *format, ...);
/* -1 with the sentence for a search that needs more memory than it may have. */
int run_nomem(struct run *run, struct err *err);
/* The same as a yes or no, of a struct run; any thread. */
bool run_is_over(void *run);
/* -1 when the search was cancelled or its time is up. */
MUST_USE int run_check(struct run *run, struct err *err);

/* Pushes to the stage behind, unless the search is to end. */
static inline int stage_push(struct stage *op, struct frame *frame, struct err *err)
{
    return run_check(op->run, err) < 0 ? -1 : op->next->push(op->next, frame, err);
}

/* The expression's value in every selected row, as a new column called name (not yet put). */
MUST_USE int run_eval(struct run *run, struct frame *frame, const struct expr *expr,
                      struct slice name, struct column **out, struct err *err);
MUST_USE int run_filter(struct run *run, struct frame *frame, const struct expr *expr,
                        struct err *err);
