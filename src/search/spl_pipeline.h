#pragma once
/* search/pipeline: the stages of one query in a row, with the store of rows at its end. */
#include "search/sorter.h"

struct pipeline {
    struct stage *stages; /* count, then the sink */
    size_t count;
    struct sorter *rows; /* what came out; lives in run->arena */
    uint64_t rows_max;  /* 0: no limit */
    uint64_t rows_seen;
    /* Takes the rows instead, when set. */
    int (*take)(void *context, struct frame *frame, struct err *err);
    void *take_context;
};

/* Stages for the commands from command on (NULL: none). */
MUST_USE int pipeline_build(struct pipeline *pipeline, struct run *run,
                            const struct spl_command *command, struct err *err);
MUST_USE int pipeline_push(struct pipeline *pipeline, struct frame *frame, struct err *err);
bool pipeline_satisfied(const struct pipeline *pipeline);
/* Finishes one stage, then gives its memory back. */
MUST_USE int pipeline_finish_one(struct stage *op, struct err *err);
/* Finishes the stages from number first on. */
MUST_USE int pipeline_finish(struct pipeline *pipeline, size_t first, struct err *err);

/* commands/command_stats.c: of a command that transforms all rows: its answer goes by their order, as
 * first(), last() and list() do. */
bool stats_need_order(const struct spl_command *command);
/* It only groups and counts, so values are needed once per code. */
bool stats_reads_codes(const struct spl_command *command);
/* It can be run for parts of the rows, each by a thread; its stage then takes in the groups of another, whose
 * arenas live as long as it does. */
bool stats_merge(const struct spl_command *command);
MUST_USE int stats_take_in(struct stage *op, const struct stage *part, struct err *err);
/* commands/model_fields.c: it only gives columns other names. */
bool model_fields_rename(const struct spl_command *command);
/* timechart: only whole minutes are told apart, and rows are only counted. */
bool chart_counts_minutes(const struct spl_command *command);

/* commands/row_filter.c: the filter of a search or where command with its subsearches run; *out NULL
 * when everything passes. -1, or 0 with *is_filter false for any other command. */
MUST_USE int command_filter(struct run *run, const struct spl_command *command,
                            const struct expr **out, bool *is_filter, struct err *err);
