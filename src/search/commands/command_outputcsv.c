/* outputcsv: the rows into a CSV file in the folder csv; they go on as well. */
#include "search/commands/csv_file.h"
#include "search/hold.h"

#include <unistd.h>

struct outputcsv_args {
    bool append, create_empty, override_empty, dispatch, xml, single;
    struct slice name;
};

#define AT(f) offsetof(struct outputcsv_args, f)
static const struct command_option options[] = {
    {.name = "append", OPTION_BOOL, AT(append), "behind the rows that the file has (f)"},
    {.name = "create_empty", OPTION_BOOL, AT(create_empty), "a file even when there are no rows (f)"},
    {.name = "override_if_empty", OPTION_BOOL, AT(override_empty), "no rows remove what is there (t)"},
    {.name = "dispatch", OPTION_BOOL, AT(dispatch), "accepted"},
    {.name = "usexml", OPTION_BOOL, AT(xml), "accepted: it is CSV"},
    {.name = "singlefile", OPTION_BOOL, AT(single), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct outputcsv_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->override_empty = true;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->name = p->token.text;
    if (!spl_is_field(p))
        return spl_fail(p, "here the name of a CSV file is needed");
    if (spl_advance(p) < 0 || spl_take_options(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

/* The file's rows, then ours. */
static int with_old(struct stage *op, struct slice path, const struct batch **rows, struct err *err)
{
    struct row_store both;
    struct batch *old;
    row_store_init(&both, op->run->arena);
    if (csv_file_read(op->run, path, &old, err) < 0)
        return -1;
    const struct batch *parts[] = {old, *rows};
    for (int i = 0; i < 2; i++) {
        struct frame frame;
        if (!parts[i])
            continue;
        if (frame_share(&frame, parts[i], NULL, op->run->arena) < 0 ||
            row_store_add(&both, &frame) < 0)
            return run_nomem(op->run, err);
    }
    *rows = both.batch;
    return 0;
}

static int write_rows(struct stage *op, const struct batch *rows, struct err *err)
{
    const struct outputcsv_args *args = op->command->args;
    struct slice path;
    if (csv_file_path(op->run, args->name, &path, err) < 0)
        return -1;
    bool there = access(path.ptr, F_OK) == 0, empty = !rows || !rows->row_count;
    if (empty && args->append && there)
        return 0;
    if (empty && !args->create_empty) {
        if (!there || !args->override_empty || unlink(path.ptr) == 0)
            return 0;
        return err_set(err, ERR_IO, "%s cannot be removed", path.ptr);
    }
    if (empty && there && !args->override_empty)
        return 0;
    if (args->append && there && with_old(op, path, &rows, err) < 0)
        return -1;
    rows = rows ? rows : frame_batch_new(op->run->arena, 0);
    return rows ? csv_file_write(op->run, path, rows, err) : run_nomem(op->run, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct batch *rows = ((struct hold *)op->state)->rows.batch;
    if (!op->run->preview && write_rows(op, rows, err) < 0)
        return -1;
    return rows ? stage_emit(op, rows, NULL, rows->row_count, err) : 0;
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct outputcsv_args *args = command->args;
    struct slice path;
    if (csv_file_path(run, args->name, &path, err) < 0)
        return -1;
    return stage_hold(run, op, 0, finish, err);
}

const struct command command_outputcsv = {
    .name = "outputcsv",
    .syntax = "outputcsv [options] FILE",
    .summary = "the rows into a file in the folder csv: outputcsv append=t found",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
