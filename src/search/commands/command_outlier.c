/* outlier: numbers far from the middle are cut to a bound, or their rows removed. */
#include "search/commands/fences.h"
#include "search/hold.h"

struct outlier_args {
    struct fence_args fence;
    struct slice action, type;
    struct value param;
    struct field_list fields;
};

#define AT(field) offsetof(struct outlier_args, field)
static const struct command_option options[] = {
    {.name = "action", OPTION_TEXT, AT(action), "transform (tf) or remove (rm)"},
    {.name = "mark", OPTION_BOOL, AT(fence.mark), "000 before values that were cut (f)"},
    {.name = "param", OPTION_NUMBER, AT(param), "how many times the middle half's width (2.5)"},
    {.name = "uselower", OPTION_BOOL, AT(fence.lower), "small values too (f)"},
    {.name = "type", OPTION_TEXT, AT(type), "iqr"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct outlier_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->action = SLICE("transform");
    if (spl_take_fields_options(p, args, NULL, &args->fields) < 0)
        return -1;
    args->fence.remove =
        slice_is_nocase(args->action, "remove") || slice_is_nocase(args->action, "rm");
    if (!args->fence.remove && !slice_is_nocase(args->action, "transform") &&
        !slice_is_nocase(args->action, "tf"))
        return spl_fail(p, "action is transform (tf) or remove (rm)");
    if (args->type.ptr && !slice_is_nocase(args->type, "iqr"))
        return spl_fail(p, "type is iqr");
    args->fence.param = args->param.type ? value_to_f64(args->param) : 2.5;
    return args->fence.param >= 0 ? 0 : spl_fail(p, "param is not negative");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct outlier_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    wanted->all |= !args->fields.count;
}

static int finish(struct stage *op, struct err *err)
{
    const struct outlier_args *args = op->command->args;
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    if (fences_apply(op, &frame, &args->fence, &args->fields, frame.selected, err) < 0)
        return -1;
    return rows_emit_kept(op, &frame, frame.selected, err);
}

const struct command command_outlier = {
    .name = "outlier",
    .syntax = "outlier [options] [FIELD ...]",
    .summary = "extreme numbers are cut or their rows removed: outlier action=rm param=1.5 bytes",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
