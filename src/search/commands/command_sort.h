#pragma once
/* search/command_sort: what the command before a sort may know of it. */
#include "search/command.h"
#include "search/sort_keys.h"

/* The first key of a sort that is followed by a limit, its own or a head's: *rows is how many rows
 * there can be after it. NULL: no sort, or all rows go on. */
const struct sort_key *sort_first_key(const struct spl_command *command, uint64_t *rows);
