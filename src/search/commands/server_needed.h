#pragma once
/* search/commands/server_needed: commands that ask the server that the search runs in; loadjob, rest. */
#include "search/stage.h"

/* *out NULL: the search is only planned, for no place. -1 where there is no server. */
MUST_USE int server_needed(const struct run *run, const struct spl_command *command,
                           const struct search_server **out, struct err *err);
/* What is at work in a command that makes its rows in finish(). */
MUST_USE int server_make(struct run *run, const struct spl_command *command, struct stage *op,
                         int (*finish)(struct stage *op, struct err *err), struct err *err);
