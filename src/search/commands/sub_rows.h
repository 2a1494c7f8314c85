#pragma once
/*
 * search/commands/sub_rows: rows of subsearches; append, appendcols, appendpipe, multisearch,
 * union and, for rows of a table, inputlookup.
 */
#include "search/hold.h"
#include "search/rows.h"

struct sub_args {
    bool override, append;
    int64_t max_rows, max_time, timeout, start;
    struct slice table;
    struct spl_search where;
    const struct spl_query **queries;
    size_t count;
};

/* extendtimerange (append), maxtime, maxout, timeout (union: these three; append: these four),
 * override (appendcols: these five), run_in_preview (appendpipe) */
extern const struct command_option sub_options[6];
/* NULL: no memory. */
struct sub_args *sub_args_new(struct spl_parser *p, struct spl_command *command);
/* Options and one [subsearch]; pipeline: one that has no source of its own. */
int sub_parse_one(struct spl_parser *p, struct spl_command *command, bool pipeline);
/* Options and any number of subsearches. */
int sub_parse_many(struct spl_parser *p, struct spl_command *command);

/* Pushes the first most rows; 0: all. */
int sub_emit(struct stage *op, const struct batch *rows, int64_t most, struct err *err);
/* A stage that passes rows on and has those of its subsearches follow. */
int sub_make(struct run *run, const struct spl_command *command, struct stage *op, struct err *err);
