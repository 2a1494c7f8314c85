#pragma once
/* search/commands/totals: sums across rows and columns; addtotals and addcoltotals. */
#include "search/stage.h"

extern const struct command_option totals_options[5];
/* columns: without options the columns are summed, not the rows. */
int totals_parse(struct spl_parser *p, struct spl_command *command, bool columns);
void totals_want(const struct spl_command *command, struct wanted *wanted);
int totals_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err);
