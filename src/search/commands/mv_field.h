#pragma once
/*
 * search/commands/mv_field: a field with several values; makemv, nomv, mvexpand, mvcombine.
 */
#include "search/stage.h"

struct mv_args {
    struct slice field, delim, tokenizer;
    bool allow_empty, setsv;
    int64_t limit;
    struct regex *regex;
};

/* delim (mvcombine), tokenizer, allowempty, setsv (makemv: these four), limit (mvexpand) */
extern const struct command_option mv_options[5];
int mv_parse(struct spl_parser *p, struct spl_command *command);
void mv_want(const struct spl_command *command, struct wanted *wanted);
/* Puts the column and pushes the frame on. */
int mv_put(struct stage *op, struct frame *frame, struct column *to, struct err *err);
