#pragma once
/*
 * search/expand: commands that stand for others. When a search is planned, a first command with an
 * expand function is replaced by what it makes:
 *
 *   tstats count from datamodel=M where M.a=1 by M.b     search a=1 | (fields of M) | stats count by M.b
 */
#include "search/stage.h"

struct spl_expansion {
    struct spl_command *first, *last; /* none: the command stays as it is */
    const struct spl_command *rest; /* what follows; expand may skip what it has taken over */
    struct slice earliest, latest;  /* used where the query has none of its own */
};

/* *out may be query itself. Subsearches inside of what is expanded run here. */
MUST_USE int query_expand(struct run *run, const struct spl_query *query,
                          const struct spl_query **out, struct err *err);

/* One more at the end of the list; its place in the text is that of from. */
MUST_USE int expansion_add(struct run *run, struct spl_expansion *expansion,
                           const struct spl_command *from, const struct command *descriptor,
                           const void *args, struct err *err);
/* The commands of a text ("search a=1 | bin _time span=1h"), macros replaced. what says in errors where
 * it is from. */
MUST_USE int expansion_add_text(struct run *run, struct spl_expansion *expansion,
                                const struct spl_command *from, struct slice text, const char *what,
                                struct err *err);
