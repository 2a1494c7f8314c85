/*
 * tags: the tags of each row's values. For each tagged field a column tag::FIELD, and tag with all of
 * them; with outputfield only that one, where inclname and inclvalue say whose tag it is.
 */
#include "search/commands/label_rows.h"
#include "search/rows.h"

struct tags_args {
    struct slice output;
    bool name, value, allowed;
    struct field_list fields;
};

static const struct command_option options[] = {
    {.name = "outputfield", OPTION_FIELD, offsetof(struct tags_args, output), "all tags go into this field"},
    {.name = "inclname", OPTION_BOOL, offsetof(struct tags_args, name), "as field::tag, with outputfield"},
    {.name = "inclvalue", OPTION_BOOL, offsetof(struct tags_args, value),
     "as field::value::tag, with outputfield"},
    {.name = "allowed_tags", OPTION_BOOL, offsetof(struct tags_args, allowed), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct tags_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    return spl_take_fields_options(p, args, NULL, &args->fields) < 0 ? -1 : spl_expect_end(p);
}

struct tags {
    struct label_list list;
    struct column **columns; /* by label, of the frame at hand: where its tags go */
    uint64_t **bits;         /* likewise: the rows it is about */
};

static bool is_meant(const struct tags_args *args, const struct label *label)
{
    bool meant = args->fields.count == 0;
    for (size_t i = 0; i < args->fields.count && !meant; i++)
        meant = slice_matches_stars(spl_field_alias(label->field), args->fields.names[i]);
    return meant && label->tag_count > 0;
}

/* One column for each field, shared by its labels. */
static int find_columns(struct stage *op, struct frame *frame, struct column **all, struct err *err)
{
    const struct tags_args *args = op->command->args;
    struct tags *tags = op->state;
    struct arena *arena = frame->batch->arena;
    *all = frame_column(frame, args->output.ptr ? args->output : SLICE("tag"));
    for (size_t i = 0; *all && i < tags->list.count; i++) {
        const struct label *label = &tags->list.labels[i];
        struct slice name = arena_printf(arena, "tag::%.*s", SLICE_ARG(label->field));
        tags->columns[i] = NULL;
        for (size_t k = 0; k < i && !args->output.ptr; k++)
            if (tags->columns[k] && slice_equal(tags->list.labels[k].field, label->field))
                tags->columns[i] = tags->columns[k];
        if (!args->output.ptr && !tags->columns[i] &&
            (!name.ptr || !(tags->columns[i] = frame_column(frame, name))))
            return run_nomem(op->run, err);
        if (!(tags->bits[i] = label_rows(op->run, frame, label, err)))
            return -1;
    }
    return *all ? 0 : run_nomem(op->run, err);
}

static struct slice shown(const struct tags_args *args, const struct label *label, struct slice tag,
                          struct arena *arena)
{
    if (!args->output.ptr || (!args->name && !args->value))
        return tag;
    if (!args->value)
        return arena_printf(arena, "%.*s::%.*s", SLICE_ARG(label->field), SLICE_ARG(tag));
    if (!args->name)
        return arena_printf(arena, "%.*s::%.*s", SLICE_ARG(label->name), SLICE_ARG(tag));
    return arena_printf(arena, "%.*s::%.*s::%.*s", SLICE_ARG(label->field), SLICE_ARG(label->name),
                        SLICE_ARG(tag));
}

static int add_row(struct stage *op, struct frame *frame, uint32_t row, struct column *all)
{
    const struct tags_args *args = op->command->args;
    const struct tags *tags = op->state;
    for (size_t i = 0; i < tags->list.count; i++) {
        const struct label *label = &tags->list.labels[i];
        if (!bits_get(tags->bits[i], row) || !is_meant(args, label))
            continue;
        for (size_t k = 0; k < label->tag_count; k++) {
            struct slice text = shown(args, label, label->tags[k], frame->batch->arena);
            if (!text.ptr || label_add(frame, all, row, text) < 0 ||
                (tags->columns[i] && label_add(frame, tags->columns[i], row, label->tags[k]) < 0))
                return -1;
        }
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct tags *tags = op->state;
    struct column *all;
    if (find_columns(op, frame, &all, err) < 0)
        return -1;
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        if (add_row(op, frame, row, all) < 0)
            return run_nomem(op->run, err);
    for (size_t i = 0; i < tags->list.count; i++)
        if (tags->columns[i] && tags->columns[i]->count && frame_put(frame, tags->columns[i]) < 0)
            return run_nomem(op->run, err);
    return frame_put(frame, all) < 0 ? run_nomem(op->run, err) : stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct tags *tags = arena_calloc(run->arena, sizeof(*tags));
    (void)command;
    op->push = push;
    op->state = tags;
    if (!tags)
        return run_nomem(run, err);
    if (label_rows_list(run, true, &tags->list, err) < 0)
        return -1;
    tags->columns = arena_array(run->arena, tags->list.count + 1, sizeof(*tags->columns));
    tags->bits = arena_array(run->arena, tags->list.count + 1, sizeof(*tags->bits));
    return tags->columns && tags->bits ? 0 : run_nomem(run, err);
}

const struct command command_tags = {
    .name = "tags",
    .summary = "the tags of each row's values: tags outputfield=tag user host",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = label_want_all,
    .syntax = "tags [options] [FIELD ...]",
};
