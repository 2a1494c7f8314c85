/* table: these columns, in this order. */
#include "search/commands/field_choice.h"

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct field_choice *args = command->args;
    if (!wanted->all) {
        wanted_only(wanted, &args->list, NULL);
        return;
    }
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->list);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct field_choice *args = op->command->args;
    struct column **columns;
    uint32_t count;
    if (field_choice_columns(op, frame, &args->list, &columns, &count, err) < 0)
        return -1;
    return field_choice_keep(op, frame, columns, count, err);
}

const struct command command_table = {
    .name = "table",
    .summary = "these columns in this order",
    .syntax = "table FIELD ...",
    .flags = COMMAND_TRANSFORMS,
    .parse = field_choice_parse,
    .want = want,
    .push = push,
};
