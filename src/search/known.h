#pragma once
/*
 * search/known: commands of the language that can be read but not run yet. One gets its own
 * commands/command_X.c and a line in commands.def, and its row here goes.
 */
#include "search/command.h"

const struct command *known_command_at(size_t index); /* NULL at the end */
