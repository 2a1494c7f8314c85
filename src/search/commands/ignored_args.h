#pragma once
/* search/commands/ignored_args: commands that steer how a search is run elsewhere; here they are
 * accepted and change nothing: noop, localop, redistribute. */
#include "search/rows.h"

/* Whatever stands there. */
int ignored_args_parse(struct spl_parser *p, struct spl_command *command);
