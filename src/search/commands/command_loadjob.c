/* loadjob: the rows of an earlier search. */
#include "search/commands/server_needed.h"
#include "search/rows.h"

struct loadjob_args {
    struct slice id, savedsearch, delegate;
    bool events, ignore_running;
    int64_t artifact_offset;
};

#define AT(f) offsetof(struct loadjob_args, f)
static const struct command_option options[] = {
    {.name = "events", OPTION_BOOL, AT(events), "the events themselves, not a table made of them",
     .standard = "false"},
    {.name = "savedsearch", OPTION_TEXT, AT(savedsearch), "the newest run of a scheduled search: \"user:app:name\""},
    {.name = "artifact_offset", OPTION_I64, AT(artifact_offset), "with savedsearch: so many runs before the newest",
     .standard = "0"},
    {.name = "ignore_running", OPTION_BOOL, AT(ignore_running), "with savedsearch: passes over runs that are not done",
     .standard = "true"},
    {.name = "job_delegate", OPTION_TEXT, AT(delegate), "accepted: only one's own searches can be loaded"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct loadjob_args *args = command_args(p, command, sizeof(*args));
    if (!args || spl_take_options(p, args) < 0)
        return -1;
    if (!args->savedsearch.ptr) {
        args->id = p->token.text;
        if (!spl_is_field(p))
            return spl_fail(p, "here the id of a search is needed, such as s17");
        if (spl_advance(p) < 0 || spl_take_options(p, args) < 0)
            return -1;
    }
    if (args->id.ptr && args->savedsearch.ptr)
        return err_set_at(p->err, ERR_CONFIG, command->start, command->end,
                          "loadjob takes the id of a search or savedsearch=, not both");
    return spl_expect_end(p);
}

static int finish(struct stage *op, struct err *err)
{
    const struct loadjob_args *args = op->command->args;
    const struct search_server *server;
    struct search_job job = {0};
    if (server_needed(op->run, op->command, &server, err) < 0)
        return -1;
    if (!server)
        return 0;
    if (server->job(server->context, args->id, op->run->arena, &job, err) < 0)
        return err && err->code == ERR_NOMEM ? run_nomem(op->run, err) : -1;
    if (args->events && !job.events)
        return err_set_at(err, ERR_CONFIG, op->command->start, op->command->end,
                          "the events behind the table of %.*s are not kept; run its search again without the "
                          "commands that made the table", SLICE_ARG(args->id));
    if (!job.complete)
        run_message(op->run, "incomplete", op->command, true,
                    "the answer of %.*s is not complete: only what was kept of it is loaded, %u rows",
                    SLICE_ARG(args->id), job.rows->row_count);
    return stage_emit(op, job.rows, NULL, job.rows->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct loadjob_args *args = command->args;
    if (args->savedsearch.ptr && run_has_place(run))
        return err_set_at(err, ERR_CONFIG, command->start, command->end,
                          "the rows of scheduled searches are not kept, so there is nothing to load for "
                          "%.*s; | rest /v1/schedules has its runs, and | savedsearch runs it now",
                          SLICE_ARG(args->savedsearch));
    return server_make(run, command, op, finish, err);
}

const struct command command_loadjob = {
    .name = "loadjob",
    .summary = "the rows of an earlier search of one's own",
    .syntax = "loadjob ID [options]",
    .notes = "Runs in a server: ID is what POST /v1/search answered, and the address of the console shows.\n"
             "A search that still runs, was forgotten or is another person's is an error.\n"
             "Rows of scheduled searches are not kept: savedsearch= is an error that says where their runs are.",
    .flags = COMMAND_GENERATES,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
};
