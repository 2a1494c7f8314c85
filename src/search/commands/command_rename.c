/* rename: columns under other names. */
#include "search/rows.h"
#include "search/stage.h"

struct renaming {
    struct slice from, to;
};

struct rename_args {
    const struct renaming *list;
    size_t count;
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct rename_args *args = command_args(p, command, sizeof(*args));
    struct renaming *list = NULL;
    if (!args)
        return -1;
    while (p->token.kind != SPL_END) {
        list = spl_grow(p->arena, list, args->count, sizeof(*list));
        if (!list)
            return err_nomem(p->err);
        struct renaming *one = &list[args->count++];
        if (spl_take_field(p, &one->from) < 0)
            return -1;
        if (!spl_at_word(p, "as"))
            return spl_fail(p, "here AS and the new name are missing");
        if (spl_advance(p) < 0 || spl_take_field(p, &one->to) < 0)
            return -1;
        bool wild_from = slice_find_char(one->from, '*') >= 0;
        if (wild_from != (slice_find_char(one->to, '*') >= 0))
            return spl_fail(p, "both names need the star, or none");
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    args->list = list;
    return args->count ? 0 : spl_fail(p, "here the name of a field is needed");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct rename_args *args = command->args;
    for (size_t i = args->count; i-- > 0;) {
        wanted_drop(wanted, args->list[i].to);
        wanted_add(wanted, args->list[i].from);
    }
}

static int rename_one(struct stage *op, struct frame *frame, struct slice from, struct slice to,
                      struct err *err)
{
    struct batch *batch = frame->batch;
    struct column **columns = arena_array(batch->arena, batch->column_count + 1U, sizeof(*columns));
    if (!columns)
        return run_nomem(op->run, err);
    if (slice_equal(from, to))
        return 0;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        columns[i] = batch->columns[i];
        if (slice_equal(columns[i]->name, to))
            columns[i] = NULL; /* a missing source clears the target */
        else if (slice_equal(columns[i]->name, from) &&
                 !(columns[i] = frame_copy_as(frame, columns[i], to)))
            return run_nomem(op->run, err);
    }
    return frame_keep(frame, columns, batch->column_count) < 0 ? run_nomem(op->run, err) : 0;
}

/* w* as x*: what the stars stood for goes into the new name, from left to right. */
static struct slice wild_target(struct arena *arena, const struct renaming *one, struct slice name)
{
    ptrdiff_t star = slice_find_char(one->from, '*'), place = slice_find_char(one->to, '*');
    struct slice before = slice_sub(one->from, 0, (size_t)star);
    struct slice after = slice_from(one->from, (size_t)star + 1);
    if (slice_find_char(after, '*') >= 0 || name.len < before.len + after.len)
        after = SLICE("");
    struct slice part = slice_sub(name, before.len, name.len - before.len - after.len);
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(slice_sub(one->to, 0, (size_t)place)),
                        SLICE_ARG(part), SLICE_ARG(slice_from(one->to, (size_t)place + 1)));
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct rename_args *args = op->command->args;
    for (size_t i = 0; i < args->count; i++) {
        const struct renaming *one = &args->list[i];
        if (slice_find_char(one->from, '*') < 0) {
            if (rename_one(op, frame, one->from, one->to, err) < 0)
                return -1;
            continue;
        }
        const struct batch *batch = frame->batch;
        for (uint32_t c = 0; c < batch->column_count; c++) {
            struct slice name = batch->columns[c]->name;
            if (!slice_matches_stars(name, one->from) || name.ptr[0] == '@' ||
                slice_is(name, "event.original"))
                continue;
            struct slice to = wild_target(frame->batch->arena, one, name);
            if (!to.ptr || rename_one(op, frame, name, to, err) < 0)
                return to.ptr ? -1 : run_nomem(op->run, err);
        }
    }
    return stage_push(op, frame, err);
}

const struct command command_rename = {
    .name = "rename",
    .summary = "other names for fields",
    .syntax = "rename FIELD as NEW[, FIELD as NEW ...]",
    .notes = "A source that is not there clears the target.",
    .flags = COMMAND_STREAMS | COMMAND_SPREADS,
    .parse = parse,
    .want = want,
    .push = push,
};
