/* savedsearch: a search that has a name. */
#include "search/commands/saved.h"
#include "search/rows.h"

struct savedsearch_args {
    struct slice name;
    struct saved_value *values;
    size_t count;
};

static int take_value(struct spl_parser *p, struct savedsearch_args *args)
{
    args->values = spl_grow(p->arena, args->values, args->count, sizeof(*args->values));
    if (!args->values)
        return err_nomem(p->err);
    struct saved_value *value = &args->values[args->count++];
    value->name = p->token.text;
    return spl_advance(p) < 0 ? -1 : spl_take_value(p, &value->value);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct savedsearch_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    while (spl_is_field(p)) {
        if (spl_at_option(p)) {
            if (take_value(p, args) < 0)
                return -1;
        } else if (args->name.ptr) {
            return spl_expect_end(p);
        } else {
            args->name = p->token.text;
            if (spl_advance(p) < 0)
                return -1;
        }
    }
    return args->name.ptr ? spl_expect_end(p) : spl_fail(p, "here the name of a saved search is needed");
}

static int expand(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err)
{
    const struct savedsearch_args *args = command->args;
    return saved_expand(run, command, args->name, args->values, args->count, out, err);
}

const struct command command_savedsearch = {
    .name = "savedsearch",
    .summary = "a search that has a name: savedsearch \"daily logins\" user=bob",
    .flags = COMMAND_GENERATES | COMMAND_FREE_OPTIONS,
    .parse = parse,
    .expand = expand,
    .syntax = "savedsearch NAME [KEY=VALUE ...]",
};
