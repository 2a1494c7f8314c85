/* search/run_sub: searches and pipelines within a search. */
#include "search/cost.h"
#include "search/run_inside.h"
#include "search/trial.h"

enum { SUBSEARCH_ROWS_MAX = 100000 };

static struct batch *rows_of(struct search *search)
{
    struct batch *rows = search->pipeline.rows->rows.batch;
    return rows ? rows : frame_batch_new(search->run.arena, 0);
}

/* A search inside of run. */
static struct search sub_search(const struct run *run)
{
    struct search sub = {.options = *run->options};
    sub.run.memory = run->memory;
    sub.run.scope.now_ns = run->scope.now_ns;
    sub.run.cancelled = run->cancelled;
    sub.run.deadline_ns = run->deadline_ns;
    sub.run.preview = run->preview;
    sub.run.depth = run->depth + 1;
    sub.options.progress = NULL;
    if (sub.options.trial)
        sub.options.trial = trial_sub(sub.options.trial);
    return sub;
}

int search_plan_only(struct run *run, const struct spl_query *query, struct err *err)
{
    struct search sub = sub_search(run);
    int result = search_start(&sub, query, run->arena, err);
    search_close_all(&sub);
    return result;
}

/* From start to end within the range of run, whose messages it adds to; rows_max 0: no bound. */
static int run_sub(struct run *run, const struct spl_query *query, int64_t rows_max,
                   struct search *sub, struct err *err)
{
    sub->options.rows_max = rows_max;
    if (!query->earliest.ptr)
        sub->options.from_ns = run->from_ns;
    if (!query->latest.ptr && run->to_ns != INT64_MAX)
        sub->options.to_ns = run->to_ns;
    if (run->options->trial && !sub->options.trial)
        return run_nomem(run, err);
    int result = search_start(sub, query, run->arena, err);
    if (result == 0)
        result = search_run(sub, err);
    cost_add_sub(run->progress, &sub->progress);
    if (result == 0 && rows_max && sub->pipeline.rows_seen > (uint64_t)rows_max)
        run_message(run, "subsearch-limit", NULL, true, "a subsearch was cut after %lld rows",
                    (long long)rows_max);
    for (const struct search_message *m = sub->run.messages; m; m = m->next)
        run_message(run, m->code, NULL, sub->run.incomplete, "%.*s", SLICE_ARG(m->text));
    return result;
}

static int64_t sub_rows_max(const struct run *run)
{
    return run->options->subsearch_rows_max ? run->options->subsearch_rows_max : SUBSEARCH_ROWS_MAX;
}

int run_subsearch(struct run *run, const struct spl_query *query, struct batch **rows,
                  struct err *err)
{
    struct search sub = sub_search(run);
    *rows = NULL;
    if (run->options->plan_only) { /* all of them are planned with the query that they stand in */
        *rows = frame_batch_new(run->arena, 0);
        return *rows ? 0 : run_nomem(run, err);
    }
    int result = run_sub(run, query, sub_rows_max(run), &sub, err);
    if (result == 0 && !(*rows = rows_of(&sub)))
        result = run_nomem(run, err);
    search_close_all(&sub);
    return result;
}

int run_subsearch_into(struct run *run, const struct spl_query *query, struct sorter *to,
                       struct err *err)
{
    struct search sub = sub_search(run);
    sub.into = to;
    if (run->options->plan_only)
        return 0;
    /* a preview has no file for its rows */
    bool bound = run->preview || run->options->subsearch_rows_max;
    int result = run_sub(run, query, bound ? sub_rows_max(run) : 0, &sub, err);
    search_close_all(&sub);
    return result;
}

int run_pipeline(struct run *run, const struct spl_query *query, const struct batch *from,
                 struct batch **rows, struct err *err)
{
    struct search sub = {.options = *run->options, .run = *run};
    *rows = NULL;
    sub.run.query = query;
    sub.run.frames = arena_new_within(&run->memory->budget);
    sub.run.scratch = arena_new_within(&run->memory->budget);
    sub.run.scope.scratch = sub.run.scratch;
    int result = sub.run.frames && sub.run.scratch ? 0 : err_nomem(err);
    if (result == 0)
        result = pipeline_build(&sub.pipeline, &sub.run, query->commands, err);
    struct stage head = {.run = &sub.run, .next = sub.pipeline.stages};
    if (result == 0)
        result = stage_emit(&head, from, NULL, from->row_count, err);
    if (result == 0)
        result = pipeline_finish(&sub.pipeline, 0, err);
    if (result == 0 && !(*rows = rows_of(&sub)))
        result = run_nomem(run, err);
    run->messages = sub.run.messages;
    run->incomplete |= sub.run.incomplete;
    run->scope.regex_limits = sub.run.scope.regex_limits;
    search_close_all(&sub);
    return result;
}
