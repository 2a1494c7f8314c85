/* fromjson: the members of a JSON object in a field become fields: scalars as they are, a list as
 * several values, and what is nested deeper as its text. */
#include "cut/json_tree.h"
#include "search/rows.h"

struct fromjson_args {
    struct slice field, prefix;
};

static const struct command_option options[] = {
    {.name = "prefix", OPTION_TEXT, offsetof(struct fromjson_args, prefix), "before the names"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct fromjson_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0 || spl_take_field(p, &args->field) < 0 ||
        spl_take_options(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct fromjson_args *)command->args)->field);
}

static struct value member_value(const struct json_node *node, struct arena *arena)
{
    if (node->kind == JSON_NULL)
        return value_null();
    if (node->kind == JSON_NUMBER)
        return value_from_number_text(node->text, arena);
    return value_string(node->text); /* nested ones and true, false as written */
}

static int put_members(struct spread *spread, uint32_t row, const struct json_node *root,
                       struct slice prefix)
{
    struct arena *arena = spread->frame->batch->arena;
    for (const struct json_node *member = root->first; member; member = member->next) {
        bool list = member->kind == JSON_ARRAY;
        struct slice name =
            arena_printf(arena, "%.*s%.*s", SLICE_ARG(prefix), SLICE_ARG(member->key));
        if (!name.ptr)
            return -1;
        name = spl_field_alias(name);
        const struct json_node *one = list ? member->first : member;
        for (; one; one = list ? one->next : NULL) {
            struct value v = member_value(one, arena);
            if (v.type != VALUE_NULL && spread_put(spread, row, name, v) < 0)
                return -1;
        }
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fromjson_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct spread spread;
    spread_init(&spread, frame);
    for (uint32_t row = frame_next(frame, 0); from && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        const struct json_node *root;
        struct slice text = rows_text(column_first(from, row), frame->batch->arena);
        if (!text.ptr || json_tree_parse(text, frame->batch->arena, &root, NULL) < 0 ||
            root->kind != JSON_OBJECT)
            continue;
        if (put_members(&spread, row, root, args->prefix) < 0)
            return run_nomem(op->run, err);
    }
    if (spread_finish(&spread) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_fromjson = {
    .name = "fromjson",
    .syntax = "fromjson FIELD [options]",
    .summary = "fields of a JSON object: fromjson body prefix=b_",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = push,
    .want = want,
};
