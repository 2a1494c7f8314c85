#pragma once
/* search/commands/fill_args: which fields are filled; fillnull and filldown. */
#include "search/stage.h"

struct fill_args {
    struct slice value;
    struct field_list fields;
};

int fill_parse(struct spl_parser *p, struct spl_command *command);
void fill_want(const struct spl_command *command, struct wanted *wanted);
/* Without a list all but _time and _raw are. */
bool fill_is_listed(const struct fill_args *args, struct slice name);
