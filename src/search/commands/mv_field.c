/* makemv, nomv, mvexpand, mvcombine: options and field. */
#include "search/commands/mv_field.h"
#include "search/rows.h"

#define AT(field) offsetof(struct mv_args, field)
const struct command_option mv_options[] = {
    {.name = "delim", OPTION_TEXT, AT(delim), "between the values", .standard = "makemv: a blank, mvcombine: a line break"},
    {.name = "tokenizer",
     OPTION_TEXT,
     AT(tokenizer),
     "a regular expression with one group: each match"},
    {.name = "allowempty",
     OPTION_BOOL,
     AT(allow_empty),
     "empty values between two delimiters count",
     .standard = "f"},
    {.name = "setsv", OPTION_BOOL, AT(setsv), "accepted, does nothing"},
    {.name = "limit", OPTION_I64, AT(limit), "values expanded; 0: all", .standard = "0"},
};

int mv_parse(struct spl_parser *p, struct spl_command *command)
{
    struct mv_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->field.ptr)
            return spl_expect_end(p);
        if (spl_take_field(p, &args->field) < 0)
            return -1;
    }
    if (!args->field.ptr)
        return spl_fail(p, "here the name of a field is needed");
    if (!args->delim.ptr && command->descriptor == &command_makemv)
        args->delim = SLICE(" ");
    if (args->tokenizer.ptr && regex_new_in(p->arena, args->tokenizer, 0, &args->regex, p->err) < 0)
        return -1;
    return 0;
}

void mv_want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct mv_args *)command->args)->field);
}

int mv_put(struct stage *op, struct frame *frame, struct column *to, struct err *err)
{
    if (frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}
