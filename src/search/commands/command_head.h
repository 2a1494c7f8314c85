#pragma once
/* search/command_head: what planning asks of a head command. */
#include "search/command.h"

/* The number of rows after which it wants no more; -1 for any other command and for head (expr). */
int64_t head_limit(const struct spl_command *command);
