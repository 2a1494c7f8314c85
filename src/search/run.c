#include "search/run_inside.h"

#include "base/mem.h"
#include "event/schema.h"
#include "search/cost.h"
#include "search/expand.h"
#include "search/inline_text.h"
#include "search/lookup_call.h"
#include "search/macro.h"
#include "search/naive.h"
#include "search/parser.h"
#include "search/parts.h"
#include "search/trial.h"

enum { PROGRESS_MS = 200 };
enum { SLICE_ROWS = 8192 };

/* What the pushed filter still has to do, and the order. */
static int filter_push(struct stage *op, struct frame *frame, struct err *err)
{
    bool naive = op->run->options->naive;
    if (naive && naive_frame(op->run, frame, op->state, err) < 0)
        return -1;
    if (!naive && op->state && run_filter(op->run, frame, op->state, err) < 0)
        return -1;
    return bits_any(frame->selected, frame->batch->row_count) ? stage_push(op, frame, err) : 0;
}

static const struct slice *shown_names(const struct run *run, const struct batch *rows,
                                       struct arena *arena)
{
    struct slice *names = arena_array(arena, rows->column_count + 1U, sizeof(*names));
    for (uint32_t i = 0; names && i < rows->column_count; i++)
        names[i] = spl_field_shown(rows->columns[i]->name, run->query);
    return names;
}

/* The rows that count, packed, to who asked for them. */
static int take_frame(void *context, struct frame *frame, struct err *err)
{
    struct search *search = context;
    struct run *run = &search->run;
    struct arena *arena = frame->batch->arena;
    uint32_t count = frame_count(frame), n = 0;
    uint32_t *rows = arena_alloc(arena, (count + 1U) * sizeof(*rows));
    struct frame packed;
    for (uint32_t row = frame_next(frame, 0); rows && n < count; row = frame_next(frame, row + 1))
        rows[n++] = row;
    if (!rows || frame_gather(&packed, frame->batch, rows, count, arena) < 0)
        return run_nomem(run, err);
    struct search_result part = {.rows = packed.batch,
                                 .row_count = count,
                                 .names = shown_names(run, packed.batch, arena)};
    return part.names ? search->options.take(search->options.take_context, &part, err)
                      : run_nomem(run, err);
}

static int take_into(void *context, struct frame *frame, struct err *err)
{
    return sorter_add(context, frame, err);
}

/* Whether rows meet anything but statistics, which are quicker with whole blocks: a dictionary is
 * looked at once a frame. */
static bool makes_columns(const struct spl_command *command)
{
    const struct command *first = command ? command->descriptor : NULL;
    return !(first && (first->flags & COMMAND_TRANSFORMS) && (first->flags & COMMAND_HOLDS));
}

static int build(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    struct pipeline *pipeline = &search->pipeline;
    search->in_slices =
        search->has_source && !search->options.naive && makes_columns(search_rest(search));
    if (pipeline_build(pipeline, run, search_rest(search), err) < 0)
        return -1;
    pipeline->rows_max = (uint64_t)search->options.rows_max;
    pipeline->rows->memory_only = run->depth > 0 || !search->options.rows_on_disk;
    if (search->options.take && run->depth == 0) {
        pipeline->take = take_frame;
        pipeline->take_context = search;
    }
    if (search->into) {
        pipeline->take = take_into;
        pipeline->take_context = search->into;
    }
    bool sort = search->has_source && !search->source.ordered && search->request.newest_first;
    size_t more = search->has_source ? 1U + sort : 0;
    struct stage *all = arena_array(run->arena, pipeline->count + more + 1, sizeof(*all));
    if (!all)
        return run_nomem(run, err);
    memcpy(all + more, pipeline->stages, (pipeline->count + 1) * sizeof(*all));
    if (search->has_source) {
        bool done = search->source.filtered && !search->options.naive;
        const struct expr *left = done ? NULL : search->pushed;
        all[0] = (struct stage){.push = filter_push,
                                .run = run,
                                .command = run->query->commands,
                                .state = (void *)(uintptr_t)left};
        if (sort &&
            stage_newest_first(run, &all[1], (uint64_t)search->request.rows_enough,
                               &search->wanted_behind, err) < 0)
            return -1;
        search->newest = sort ? &all[1] : NULL;
    }
    pipeline->stages = all;
    pipeline->count += more;
    for (size_t i = 0; i < pipeline->count; i++)
        all[i].next = &all[i + 1];
    if (search->options.trial)
        return trial_watch(search, err);
    return parts_plan(search, err);
}

const struct scan_stats *search_source_stats(const struct search *search)
{
    const struct search_source *source = &search->source;
    return source->close && source->stats ? source->stats(source->context) : NULL;
}

/* What it cost and lacks is the search's from now on. */
static void close_source(struct search *search)
{
    struct search_source *source = &search->source;
    const struct scan_stats *stats = search_source_stats(search);
    if (stats) {
        cost_add(&search->progress, stats);
        cost_tell_damage(&search->run, stats);
        search->run.scope.regex_limits += stats->regex_limits;
    }
    if (source->close)
        source->close(source->context);
    source->close = NULL;
}

/* Subsearches that would only run later, with the rows. */
static int plan_parts(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    for (const struct spl_part_list *part = run->query->parts; part; part = part->next) {
        struct pipeline pipeline;
        if (part->part == PART_SUBSEARCH ? search_plan_only(run, part->query, err) < 0
                                         : pipeline_build(&pipeline, run, part->query->commands,
                                                          err) < 0)
            return -1;
    }
    return 0;
}

static int plan(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    if (run->depth > SUBSEARCH_DEPTH_MAX) /* a saved search in its own subsearch, say */
        return err_set(err, ERR_LIMIT, "subsearches are nested deeper than %d", SUBSEARCH_DEPTH_MAX);
    if (run->query->has_macros)
        return err_set(err, ERR_CONFIG, "the macro %.*s is not defined",
                       SLICE_ARG(run->query->macro));
    if (query_replace_inlines(run, run->query, &run->query, err) < 0 ||
        query_expand(run, run->query, &run->query, err) < 0 ||
        query_replace_inlines(run, run->query, &run->query, err) < 0 || search_plan_range(search, err) < 0)
        return -1;
    if (query_has_source(run->query) && search_open_source(search, err) < 0)
        return -1;
    if (build(search, err) < 0)
        return -1;
    return run->options->plan_only ? plan_parts(search, err) : 0;
}

int search_start(struct search *search, const struct spl_query *query, struct arena *arena,
                 struct err *err)
{
    struct run *run = &search->run;
    const struct hin_clock *clock = search->options.clock ? search->options.clock : clock_real();
    run->query = query;
    run->options = &search->options;
    run->progress = &search->progress;
    if (!run->cancelled)
        run->cancelled = search->options.cancelled ? search->options.cancelled : &search->cancelled;
    run->arena = arena;
    run->frames = arena_new_within(&run->memory->budget);
    run->scratch = arena_new_within(&run->memory->budget);
    if (!run->frames || !run->scratch)
        return err_nomem(err);
    search->started_ns = search->told_ns = clock_mono_ns(clock);
    if (!run->scope.now_ns)
        run->scope.now_ns = clock_wall_ns(clock);
    run->scope.scratch = run->scratch;
    run->scope.clock = clock;
    run->scope.rand = rand_real();
    run->scope.zone = search->options.zone;
    if (lookup_call_bind(run) < 0)
        return err_nomem(err);
    run->scope.stop = run_is_over;
    run->scope.stop_context = run;
    if (search->options.time_max_ms && !run->deadline_ns)
        run->deadline_ns = search->started_ns + search->options.time_max_ms * NS_PER_MS;
    struct search_trial *trial = search->options.trial;
    if (!trial)
        return plan(search, err);
    int64_t *before = trial_turn(trial, &trial->plan_ns);
    int result = plan(search, err);
    trial_turn(trial, before);
    return result;
}

/* Whoever ran out of memory could not say whose, nor what to do. */
static int explained(struct run *run, int result, struct err *err)
{
    return result < 0 && err && err->code == ERR_NOMEM ? run_nomem(run, err) : result;
}

int search_new(const struct spl_query *query, const struct search_options *options,
               struct search **out, struct err *err)
{
    *out = NULL;
    struct search *search = mem_calloc(1, sizeof(*search));
    if (!search)
        return err_nomem(err);
    search->options = *options;
    search->asked = query;
    size_t max = options->memory_max ? (size_t)options->memory_max : MEMORY_QUERY_MAX;
    search_memory_init(&search->memory, max / 8 * HELD_EIGHTHS, options->spill_folder);
    search->run.memory = &search->memory;
    struct arena *arena = arena_new_within(&search->memory.budget);
    if (!arena) {
        mem_free(search);
        return err_nomem(err);
    }
    int64_t before = clock_thread_cpu_ns();
    int result = explained(&search->run, search_start(search, query, arena, err), err);
    search->progress.cpu_ns += clock_thread_cpu_ns() - before;
    if (result < 0) {
        macro_place(query->expanded, err);
        search->run.arena = arena;
        search_free(search);
        return -1;
    }
    *out = search;
    return 0;
}

/* ---- running ---- */

/* source is the file's path, else the configured input (CONTRACT 7). */
static int add_source_column(struct search *search, struct frame *frame)
{
    struct batch *batch = frame->batch;
    if (!wanted_has(&search->wanted, SLICE("source")) || batch_find(batch, SLICE("source")))
        return 0;
    const struct column *path = batch_find(batch, FIELD_PATH);
    const struct column *input = batch_find(batch, FIELD_SOURCE);
    if (!path && !input)
        return 0;
    struct column *to = frame_column(frame, SLICE("source"));
    for (uint32_t row = frame_next(frame, 0); to && row < batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value v = path ? column_first(path, row) : value_null();
        if (v.type == VALUE_NULL && input)
            v = column_first(input, row);
        if (v.type != VALUE_NULL && column_add(batch, to, row, v) < 0)
            return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

/* What can follow rows from first on: earlier ones of the batch, or later batches. */
static int64_t later_than(const struct search *search, const struct search_rows *rows,
                          uint32_t first)
{
    const struct column *times = batch_find(rows->batch, FIELD_TIMESTAMP);
    int64_t later = search->source.sweeps ? rows->later_max : INT64_MAX;
    uint32_t at = times && first ? column_entry(times, first) : 0;
    struct value v = at ? column_value(times, at - 1) : value_null();
    return v.type == VALUE_TIME && v.i64 > later ? v.i64 : later;
}

int search_push_rows(struct search *search, const struct search_rows *rows, uint32_t first,
                     uint32_t count, struct err *err)
{
    struct run *run = &search->run;
    struct frame frame;
    if (search->newest && !search->options.naive)
        newest_note(search->newest, later_than(search, rows, first));
    arena_reset(run->frames);
    bool whole = count == rows->batch->row_count;
    int result = whole ? frame_share(&frame, rows->batch, rows->selected, run->frames)
                       : frame_slice(&frame, rows->batch, rows->selected, first, count, run->frames);
    if (result < 0 || add_source_column(search, &frame) < 0)
        return run_nomem(run, err);
    frame.weights = rows->weights ? rows->weights + first : NULL;
    uint64_t weight = frame_weight(&frame);
    if (bits_any(frame.selected, count) && pipeline_push(&search->pipeline, &frame, err) < 0)
        return -1;
    search->progress.rows_read += weight;
    return 0;
}

/* Fewer where memory is small. */
uint32_t search_slice(const struct search *search, uint32_t rows)
{
    bool slices = search->in_slices || (search->run.is_part && parts_near_end(search));
    return slices ? SLICE_ROWS / FRAME_ROWS_MAX * search_memory_rows(search->run.memory) : rows + !rows;
}

static int next_rows(struct search *search, struct search_rows *rows, struct err *err)
{
    const struct search_source *source = &search->source;
    return search->run.is_part ? source->next_part(source->context, search->part, rows, err)
                               : source->next(source->context, rows, err);
}

int search_read_batch(struct search *search, struct err *err)
{
    struct search_rows rows = {0};
    search->in_batch = false;
    int more = next_rows(search, &rows, err);
    if (more <= 0) /* a source that was stopped does not know why */
        return more < 0 && run_check(&search->run, err) < 0 ? -1 : more;
    uint32_t count = rows.batch->row_count, step = search_slice(search, count);
    uint32_t slices = (count - rows.first + step - 1) / step;
    search->progress.batches += rows.first == 0;
    search->in_batch = true;
    search->next_row = rows.first;
    for (uint32_t i = 0; i < slices; i++) { /* newest first: rows of a batch ascend */
        uint32_t at = rows.first + (search->newest ? slices - 1 - i : i) * step, left = count - at;
        uint32_t n = left < step ? left : step;
        if (search_push_rows(search, &rows, at, n, err) < 0)
            return -1;
        search->next_row = at + n;
        if (search->run.is_part && at + n < count && parts_stop(search))
            return 1;
        if (pipeline_satisfied(&search->pipeline) && !search->options.naive)
            return 0;
        if (search->in_slices && run_check(&search->run, err) < 0)
            return -1;
    }
    search->in_batch = false;
    return 1;
}

static int tell(struct search *search, struct err *err)
{
    int64_t now = clock_mono_ns(search->run.scope.clock);
    int64_t every = search->options.progress_ms ? search->options.progress_ms : PROGRESS_MS;
    search->progress.elapsed_ms = (now - search->started_ns) / NS_PER_MS;
    if (!search->options.progress || now - search->told_ns < every * NS_PER_MS)
        return 0;
    search->told_ns = now;
    if (search->options.progress(search->options.progress_context, search, &search->progress) != 0)
        return err_set(err, ERR_CANCELLED, "the search was cancelled");
    return 0;
}

static int step(struct search *search, struct err *err)
{
    if (search->finished)
        return 0;
    if (run_check(&search->run, err) < 0)
        return -1;
    if (search->has_source && !search->drained) {
        int more = search->parts ? parts_read(search, err) : search_read_batch(search, err);
        if (more < 0 || tell(search, err) < 0)
            return -1;
        if (more == 0) {
            search->drained = true;
            close_source(search);
        }
        return 1;
    }
    if (pipeline_finish(&search->pipeline, 0, err) < 0) {
        parts_note_end(search, err);
        return -1;
    }
    cost_tell_regex(&search->run);
    search->finished = true;
    search->progress.elapsed_ms =
        (clock_mono_ns(search->run.scope.clock) - search->started_ns) / NS_PER_MS;
    return 0;
}

/* On one thread, as of the first step; what was read so far stays counted as a cost. */
static int begin_anew(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    int64_t started = search->started_ns, told = search->told_ns;
    search->given_up = parts_given_up(search);
    search_close_all(search);
    arena_free(run->arena);
    run->arena = arena_new_within(&search->memory.budget);
    if (!run->arena)
        return err_nomem(err);
    search->drained = false;
    search->request = (struct search_request){0};
    search->pushed = NULL;
    search->pushed_commands = 0;
    search->progress.rows_read = 0;
    run->messages = NULL;
    run->incomplete = false;
    run->scope.regex_limits = 0;
    err_clear(err);
    if (search_start(search, search->asked, run->arena, err) < 0)
        return -1;
    search->started_ns = started;
    search->told_ns = told;
    return 1;
}

int search_step(struct search *search, struct err *err)
{
    int64_t before = clock_thread_cpu_ns();
    int more = step(search, err);
    if (more < 0 && parts_given_up(search))
        more = begin_anew(search, err);
    more = explained(&search->run, more, err);
    if (search->run.depth == 0) /* a subsearch is part of a step */
        search->progress.cpu_ns += clock_thread_cpu_ns() - before;
    if (more < 0)
        macro_place(search->run.query->expanded, err);
    return more;
}

int search_run(struct search *search, struct err *err)
{
    int more;
    if (search->options.trial)
        return explained(&search->run, trial_run(search, err), err);
    while ((more = search_step(search, err)) > 0)
        continue;
    return more;
}

static bool gives_events(const struct spl_query *query)
{
    for (const struct spl_command *c = query->commands; c; c = c->next)
        if (c->descriptor && (c->descriptor->flags & COMMAND_TRANSFORMS))
            return false;
    return query_has_source(query);
}

static int fill_result(const struct run *run, const struct pipeline *pipeline, struct arena *arena,
                       struct search_result *out)
{
    static const struct batch none;
    const struct batch *rows = sorter_rows(pipeline->rows);
    if (pipeline->rows->part_count)
        rows = pipeline->rows->names;
    const struct slice *names = shown_names(run, rows ? rows : &none, arena);
    *out = (struct search_result){.rows = rows ? rows : &none,
                                  .row_count = pipeline->rows->count,
                                  .names = names,
                                  .events = gives_events(run->query),
                                  .complete = !run->incomplete,
                                  .messages = run->messages};
    return names ? 0 : -1;
}

const struct search_result *search_result(struct search *search)
{
    struct run *run = &search->run;
    struct pipeline *pipeline = &search->pipeline;
    if (pipeline->rows_max && pipeline->rows_seen > pipeline->rows_max)
        run_message(run, "limit", NULL, true, "only the first %llu rows are kept",
                    (unsigned long long)pipeline->rows_max);
    if (fill_result(run, pipeline, run->arena, &search->result) < 0)
        run_message(run, "memory", NULL, true, "no memory was left for the names of the columns");
    search->result.complete &= search->finished;
    search->result.progress = search->progress;
    return &search->result;
}

struct row_taker {
    struct search *search;
    int (*take)(void *context, const struct search_result *part, struct err *err);
    void *context;
};

static int take_part(void *context, const struct batch *rows, struct err *err)
{
    const struct row_taker *taker = context;
    struct run *run = &taker->search->run;
    struct search_result part = {.rows = rows, .row_count = rows->row_count};
    arena_reset(run->frames);
    part.names = shown_names(run, rows, run->frames);
    return part.names ? taker->take(taker->context, &part, err) : run_nomem(run, err);
}

int search_rows(struct search *search,
                int (*take)(void *context, const struct search_result *part, struct err *err),
                void *context, struct err *err)
{
    struct row_taker taker = {search, take, context};
    return sorter_each(search->pipeline.rows, take_part, &taker, err);
}

/* The first stage that holds rows is finished into fresh stages behind it. */
int search_preview(struct search *search, struct arena *arena, struct search_result *out,
                   struct err *err)
{
    struct pipeline *pipeline = &search->pipeline;
    struct run copy = search->run;
    size_t at = search->newest ? (size_t)(search->newest - pipeline->stages) + 1 : 0;
    while (at < pipeline->count &&
           (!pipeline->stages[at].finish || pipeline->stages[at].late))
        at++;
    if (!search->has_source) /* rows that are made are made once: there are none before the last step */
        at = pipeline->count;
    struct pipeline after = *pipeline;
    copy.arena = arena;
    copy.preview = true;
    copy.is_part = false; /* what stands behind has all rows that there are */
    int result = 0;
    if (at < pipeline->count) {
        struct stage *holder = &pipeline->stages[at];
        const struct spl_command *rest = holder->command ? holder->command->next : NULL;
        if (pipeline_build(&after, &copy, rest, err) < 0)
            return -1;
        struct stage *next = holder->next;
        holder->next = &after.stages[0];
        holder->run = &copy;
        result = holder->finish(holder, err);
        holder->next = next;
        holder->run = &search->run;
        if (result == 0)
            result = pipeline_finish(&after, 0, err);
    }
    if (result < 0 || fill_result(&copy, &after, arena, out) < 0)
        return -1;
    out->complete = false;
    out->progress = search->progress;
    const struct scan_stats *stats = search_source_stats(search);
    if (stats)
        cost_add(&out->progress, stats);
    return 0;
}

void search_cancel(struct search *search)
{
    __atomic_store_n(search->run.cancelled, true, __ATOMIC_RELAXED);
}

void search_close_all(struct search *search)
{
    parts_free(search);
    if (search->has_source)
        close_source(search);
    search->has_source = false;
    arena_free(search->run.frames);
    arena_free(search->run.scratch);
    search->run.frames = search->run.scratch = NULL;
}

size_t search_bytes(const struct search *search)
{
    return search->memory.budget.bytes_held;
}

void search_free(struct search *search)
{
    if (!search)
        return;
    search_close_all(search);
    arena_free(search->run.arena);
    search_memory_close(&search->memory);
    mem_free(search);
}
