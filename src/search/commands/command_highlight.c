/* highlight: words that a screen marks. */
#include "search/rows.h"

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct field_list *words = command_args(p, command, sizeof(*words));
    return words ? spl_take_fields(p, NULL, false, words) : -1;
}

const struct command command_highlight = {
    .name = "highlight",
    .syntax = "highlight WORD ...",
    .summary = "words that a screen marks; the rows stay as they are",
    .flags = COMMAND_STREAMS,
    .parse = parse,
    .push = stage_pass,
};
