#pragma once
/* search/commands/frequent: values by how often they come; top and rare. */
#include "search/stage.h"

extern const struct command_option frequent_options[7];
int frequent_parse(struct spl_parser *p, struct spl_command *command);
void frequent_want(const struct spl_command *command, struct wanted *wanted);
/* rare: the least frequent ones come first. */
int frequent_make(struct run *run, const struct spl_command *command, struct stage *op, bool rare,
                  struct err *err);
