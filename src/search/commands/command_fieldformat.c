/* fieldformat: a field as it is shown. */
#include "search/commands/assignments.h"

const struct command command_fieldformat = {
    .name = "fieldformat",
    .summary = "a field as it is shown",
    .syntax = "fieldformat FIELD=EXPRESSION",
    .notes = "It sets the field, so that commands behind it see the text.",
    .flags = COMMAND_STREAMS | COMMAND_FREE_OPTIONS,
    .parse = assignments_parse,
    .want = assignments_want,
    .push = assignments_push,
};
