/* xyseries and untable: reading the fields, writing a cell. */
#include "search/commands/xy_args.h"
#include "search/rows.h"

const struct command_option xy_options[] = {
    {.name = "grouped", OPTION_BOOL, offsetof(struct xy_args, grouped), "accepted, does nothing"},
    {.name = "sep",
     OPTION_TEXT,
     offsetof(struct xy_args, sep),
     "between value field and name",
     .standard = ": "},
    {.name = "format",
     OPTION_TEXT,
     offsetof(struct xy_args, format),
     "names from $AGG$ (the value field) and $VAL$ where there are several value fields"},
};

int xy_parse(struct spl_parser *p, struct spl_command *command)
{
    struct xy_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->sep = SLICE(": ");
    if (spl_take_options(p, args) < 0 || spl_take_fields(p, NULL, false, &args->fields) < 0)
        return -1;
    if (args->fields.count < 3)
        return spl_fail(p, "%s needs three fields: rows, names and values",
                        command->descriptor->name);
    return spl_expect_end(p);
}

int xy_put(struct stage *op, struct batch *out, uint32_t at, struct slice name, struct value v,
           struct err *err)
{
    struct column *to = batch_column(out, name);
    if (!to || column_add(out, to, at, v) < 0)
        return run_nomem(op->run, err);
    return 0;
}
