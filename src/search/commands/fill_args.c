/* fillnull and filldown: reading the list of fields. */
#include "search/commands/fill_args.h"
#include "search/rows.h"

#include "event/schema.h"

int fill_parse(struct spl_parser *p, struct spl_command *command)
{
    struct fill_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->value = SLICE("0");
    if (spl_take_options(p, args) < 0 || spl_take_fields(p, NULL, true, &args->fields) < 0)
        return -1;
    return spl_expect_end(p);
}

void fill_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct fill_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    if (args->fields.count == 0)
        wanted->all = true;
}

bool fill_is_listed(const struct fill_args *args, struct slice name)
{
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_matches_stars(name, args->fields.names[i]))
            return true;
    return args->fields.count == 0 && !slice_equal(name, FIELD_TIMESTAMP) &&
           !slice_equal(name, FIELD_ORIGINAL);
}
