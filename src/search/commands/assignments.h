#pragma once
/* search/commands/assignments: fields from expressions; eval and fieldformat. */
#include "search/stage.h"

int assignments_parse(struct spl_parser *p, struct spl_command *command);
void assignments_want(const struct spl_command *command, struct wanted *wanted);
int assignments_push(struct stage *op, struct frame *frame, struct err *err);
