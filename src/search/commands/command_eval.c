/* eval: fields from expressions. */
#include "search/commands/assignments.h"

const struct command command_eval = {
    .name = "eval",
    .summary = "fields from expressions",
    .syntax = "eval FIELD=EXPRESSION[, FIELD=EXPRESSION ...]",
    .notes = "true and false cannot be kept in a field: use if(condition, 1, 0).\n"
             "Numbers are exact; only / and functions such as sqrt() give doubles.",
    .flags = COMMAND_STREAMS | COMMAND_FREE_OPTIONS | COMMAND_SPREADS,
    .parse = assignments_parse,
    .want = assignments_want,
    .push = assignments_push,
};
