#include "search/trial.h"

#include "search/redecoded.h"
#include "search/run_inside.h"

#include <stdlib.h>

/* ---- whose time it is --------------------------------------------------------------------- */

int64_t *trial_turn(struct search_trial *trial, int64_t *owner)
{
    struct trial_clock *clock = trial->clock;
    int64_t now = clock_thread_cpu_ns(), *before = clock->owner;
    if (before)
        *before += now - clock->last_ns;
    clock->last_ns = now;
    clock->owner = owner;
    return before;
}

struct search_trial *trial_sub(struct search_trial *trial)
{
    struct search_trial *sub = arena_calloc(trial->arena, sizeof(*sub));
    if (!sub)
        return NULL;
    *sub = (struct search_trial){.clock = trial->clock, .arena = trial->arena, .half = trial->half,
                                 .blocks_most = trial->blocks_most, .rows_most = trial->rows_most, .next = trial->subs};
    trial->subs = sub;
    return sub;
}

/* ---- which blocks ------------------------------------------------------------------------- */

enum { SAMPLE_SHARE = 8, SAMPLE_LEAST = 2 };

static int newest_time_first(const void *a, const void *b)
{
    const struct survey_block *x = a, *y = b;
    return (x->time_max < y->time_max) - (x->time_max > y->time_max);
}

/* Of each of count stretches with as many rows, streams one behind the other, the largest block: most
 * rows are in blocks like it. Of a search that asks for few rows the newest ones. */
static int choose(struct search_trial *trial, size_t most, bool newest)
{
    const struct scan_survey *survey = &trial->survey;
    size_t count = most < survey->count ? most : survey->count;
    struct survey_block *blocks = arena_array(trial->arena, survey->count + 1, sizeof(*blocks));
    struct survey_block *picks = arena_array(trial->arena, count + 1, sizeof(*picks));
    double total = 0, seen = 0;
    if (!blocks || !picks)
        return -1;
    for (size_t i = 0; i < survey->count; i++) {
        blocks[i] = survey->blocks[i];
        total += blocks[i].rows;
    }
    if (newest)
        qsort(blocks, survey->count, sizeof(*blocks), newest_time_first);
    for (size_t i = 0; i < survey->count && count; i++) {
        size_t at = newest ? i : (size_t)((seen + blocks[i].rows / 2) / total * (double)count);
        seen += blocks[i].rows;
        if (at < count && (newest || blocks[i].rows > picks[at].rows))
            picks[at] = blocks[i];
    }
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) /* a stretch within one block has none of its own */
        if (picks[i].rows > 0)
            picks[taken++] = picks[i];
    trial->sample = (struct scan_sample){picks, taken};
    return 0;
}

int trial_choose(struct search *search, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    const struct search_backend *backend = search->options.backend;
    struct search_request *request = &search->request;
    trial->has_source = true;
    trial->request = *request;
    request->threads = 1;
    if (!backend->survey)
        return 0;
    int64_t *before = trial_turn(trial, &trial->survey_ns);
    struct search_request ask = *request;
    bool failed;
    ask.filter = redecoded_filter(backend, request, trial->arena, &failed);
    if (failed)
        return run_nomem(&search->run, err);
    if (backend->survey(backend->context, &ask, trial->arena, &trial->survey, err) < 0)
        return -1;
    size_t most = trial->survey.count / SAMPLE_SHARE;
    most = most < SAMPLE_LEAST ? SAMPLE_LEAST : most;
    most = most < trial->blocks_most ? most : trial->blocks_most;
    if (choose(trial, trial->half && most > 1 ? most / 2 : most, request->rows_enough > 0) < 0)
        return run_nomem(&search->run, err);
    trial->surveyed = true;
    request->sample = &trial->sample;
    trial_turn(trial, before);
    return 0;
}

/* ---- what the stages do ------------------------------------------------------------------- */

struct count {
    struct search_trial *trial;
    struct trial_stage *stage;
};

static int count_push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct count *count = op->state;
    count->stage->rows += frame_weight(frame);
    count->stage->frames++;
    int64_t *before = trial_turn(count->trial, &count->stage->push_ns);
    int result = op->next->push(op->next, frame, err);
    trial_turn(count->trial, before);
    return result;
}

int trial_watch(struct search *search, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    struct pipeline *pipeline = &search->pipeline;
    struct run *run = &search->run;
    size_t count = pipeline->count;
    struct stage *all = arena_array(run->arena, 2 * (count + 1), sizeof(*all));
    struct count *counts = arena_array(run->arena, count + 1, sizeof(*counts));
    trial->stages = arena_array(trial->arena, count + 1, sizeof(*trial->stages));
    if (!all || !counts || !trial->stages)
        return run_nomem(run, err);
    trial->stage_count = count + 1;
    for (size_t i = 0; i <= count; i++) {
        const struct stage *stage = &pipeline->stages[i];
        const struct command *descriptor =
            stage->command && i < count ? stage->command->descriptor : NULL;
        trial->stages[i] = (struct trial_stage){
            .command = i < count ? stage->command : NULL,
            .in_rows = i == count || (descriptor && descriptor->flags & COMMAND_STREAMS) ||
                       stage == search->newest,
            .holds = stage->finish != NULL};
        counts[i] = (struct count){trial, &trial->stages[i]};
        all[2 * i] = (struct stage){.push = count_push, .run = run, .state = &counts[i]};
        all[2 * i + 1] = *stage;
        if (stage == search->newest)
            search->newest = &all[2 * i + 1];
    }
    pipeline->stages = all;
    pipeline->count = 2 * count + 1;
    for (size_t i = 0; i <= 2 * count; i++)
        all[i].next = &all[i + 1];
    return 0;
}

/* ---- the run ------------------------------------------------------------------------------ */

static uint64_t weight_of(const struct search_rows *rows)
{
    struct frame frame = {.batch = (struct batch *)(uintptr_t)rows->batch,
                          .selected = (uint64_t *)(uintptr_t)rows->selected,
                          .weights = rows->weights};
    return rows->selected ? frame_weight(&frame) : rows->batch->row_count;
}

/* The rows of a batch, or in slices only the first ones; newest first the last ones. */
static int push_some(struct search *search, const struct search_rows *rows, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    uint32_t count = rows->batch->row_count, step = search_slice(search, count);
    uint64_t from = search->progress.rows_read;
    bool alone = trial->half && trial->sample.count < 2; /* the whole sample may have no more blocks */
    uint32_t most = alone ? trial->rows_most / 2 : trial->rows_most;
    if (search->in_slices && step > most)
        step = most;
    uint32_t slices = (count + step - 1) / step;
    for (uint32_t i = 0; i < slices && search->progress.rows_read - from < most; i++) {
        uint32_t at = (search->newest ? slices - 1 - i : i) * step, left = count - at;
        if (search_push_rows(search, rows, at, left < step ? left : step, err) < 0)
            return -1;
        if (pipeline_satisfied(&search->pipeline) && !search->options.naive) {
            trial->satisfied = true;
            return 0;
        }
    }
    return 1;
}

static int read_all(struct search *search, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    struct search_rows rows = {0};
    int more = 1;
    while (more > 0) {
        trial_turn(trial, &trial->source_ns);
        more = search->source.next(search->source.context, &rows, err);
        trial_turn(trial, &trial->fixed_ns);
        if (more <= 0) /* a source that was stopped does not know why */
            return more < 0 && run_check(&search->run, err) < 0 ? -1 : more;
        if (run_check(&search->run, err) < 0)
            return -1;
        trial->rows_given += weight_of(&rows);
        trial->batches++;
        more = push_some(search, &rows, err);
    }
    return more;
}

static int finish_all(struct search *search, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    struct pipeline *pipeline = &search->pipeline;
    for (size_t i = 1; i < pipeline->count; i += 2) {
        trial_turn(trial, &trial->stages[i / 2].finish_ns);
        if (pipeline_finish_one(&pipeline->stages[i], err) < 0)
            return -1;
    }
    return 0;
}

int trial_run(struct search *search, struct err *err)
{
    struct search_trial *trial = search->options.trial;
    int64_t *before = trial_turn(trial, &trial->fixed_ns);
    if (search->has_source && read_all(search, err) < 0)
        return -1;
    const struct scan_stats *stats = search_source_stats(search);
    if (stats)
        trial->stats = *stats;
    trial->rows_pushed = search->progress.rows_read;
    trial->held_bytes = search->run.memory->budget.bytes_held;
    trial->held_max = search->run.memory->budget.bytes_max;
    if (finish_all(search, err) < 0)
        return -1;
    trial->spilled = search->run.memory->spilled > 0;
    search->finished = true;
    trial_turn(trial, before);
    return 0;
}
