#pragma once
/* search/commands/xy_args: rows to a table and back; xyseries and untable. */
#include "search/stage.h"

struct xy_args {
    bool grouped;
    struct slice sep, format;
    struct field_list fields; /* x, name, values ... */
};

extern const struct command_option xy_options[3];
int xy_parse(struct spl_parser *p, struct spl_command *command);
int xy_put(struct stage *op, struct batch *out, uint32_t row, struct slice name, struct value v,
           struct err *err);
