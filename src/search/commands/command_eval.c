/* eval: fields from expressions. */
#include "search/commands/assignments.h"

const struct command command_eval = {
    .name = "eval",
    .summary = "fields from expressions: eval kb=bytes/1024, slow=if(ms>500, 1, 0)",
    .flags = COMMAND_STREAMS | COMMAND_FREE_OPTIONS,
    .parse = assignments_parse,
    .want = assignments_want,
    .push = assignments_push,
};
