#include "search/run.h"

#include "base/mem.h"
#include "base/time_modifier.h"
#include "event/schema.h"
#include "search/cost.h"
#include "search/expand.h"
#include "search/lookup_call.h"
#include "search/macro.h"
#include "search/naive.h"
#include "search/newest.h"
#include "search/parser.h"
#include "search/spill.h"
#include "search/spl_pipeline.h"

#include <stdio.h>

enum { PROGRESS_MS = 200, SUBSEARCH_ROWS_MAX = 100000 };
enum { HELD_EIGHTHS = 5 }; /* of the memory; the rest is for reading */
enum { SLICE_ROWS = 8192 };

struct search {
    struct run run;
    struct search_memory memory; /* of a subsearch: its search's is used */
    struct search_options options;
    struct pipeline pipeline;
    struct search_source source;
    bool has_source;
    bool drained;
    bool in_slices; /* stages make columns: a block in slices needs less memory for them, and is sooner
                       at its end when it is to be cancelled */
    struct sorter *into;  /* of a subsearch: takes its rows as they come; NULL: they are kept */
    struct stage *newest; /* puts rows in order; NULL when the source is, or no order is needed */
    bool finished;
    const struct expr *pushed; /* the filter given to the source */
    size_t pushed_commands;    /* leading commands that are in it */
    struct search_request request;
    struct wanted wanted;
    struct search_progress progress;
    struct search_result result;
    int64_t started_ns, told_ns;
    bool cancelled;
};

/* ---- planning ---- */

static bool needs_order(const struct spl_command *command)
{
    for (; command; command = command->next) {
        unsigned flags = command->descriptor ? command->descriptor->flags : 0;
        if ((flags & COMMAND_TRANSFORMS) && (flags & COMMAND_HOLDS))
            return stats_need_order(command);
        if (!(flags & COMMAND_STREAMS) && !(flags & COMMAND_TRANSFORMS))
            return true;
    }
    return true;
}

static struct slice test_pattern(const struct expr *expr, struct arena *arena)
{
    struct slice text = expr->test.text;
    switch (expr->test.kind) {
    case TEST_EXISTS:
        return SLICE("*");
    case TEST_EQUAL:
        return text;
    case TEST_PREFIX:
        return arena_printf(arena, "%.*s*", SLICE_ARG(text));
    case TEST_SUFFIX:
        return arena_printf(arena, "*%.*s", SLICE_ARG(text));
    case TEST_CONTAINS:
        return arena_printf(arena, "*%.*s*", SLICE_ARG(text));
    case TEST_WILDCARD:
        return text;
    case TEST_NULL:
    case TEST_REGEX:
    case TEST_CIDR:
    case TEST_LESS:
    case TEST_LESS_EQUAL:
    case TEST_GREATER:
    case TEST_GREATER_EQUAL:
    case TEST_TERM:
    case TEST_FIELD_EQUAL:
    case TEST_FIELD_PREFIX:
    case TEST_FIELD_SUFFIX:
    case TEST_FIELD_CONTAINS:
    case TEST_TIME_PART:
        break;
    }
    return SLICE_NONE;
}

/* index=a, or index=a OR index=b: these become the request's, and leave the filter. */
static bool is_index_test(const struct expr *expr)
{
    if (expr->kind == EXPR_TEST)
        return slice_equal(expr->field, FIELD_STREAM) && expr->test.kind <= TEST_WILDCARD &&
               expr->test.kind != TEST_NULL;
    if (expr->kind != EXPR_OR)
        return false;
    for (size_t i = 0; i < expr->arg_count; i++)
        if (!is_index_test(expr->args[i]))
            return false;
    return true;
}

static int add_indexes(struct search_request *request, const struct expr *expr, struct arena *arena)
{
    if (expr->kind == EXPR_OR) {
        for (size_t i = 0; i < expr->arg_count; i++)
            if (add_indexes(request, expr->args[i], arena) < 0)
                return -1;
        return 0;
    }
    struct slice *list = (struct slice *)(uintptr_t)request->indexes;
    list = spl_grow(arena, list, request->index_count, sizeof(*list));
    struct slice pattern = test_pattern(expr, arena);
    if (!list || !pattern.ptr)
        return -1;
    list[request->index_count++] = pattern;
    request->indexes = list;
    return 0;
}

/* Takes the index tests out of a filter; NULL when nothing is left. */
static const struct expr *without_indexes(struct search_request *request, const struct expr *expr,
                                          struct arena *arena, bool *failed)
{
    if (!expr)
        return NULL;
    if (request->index_count == 0 && is_index_test(expr)) {
        *failed |= add_indexes(request, expr, arena) < 0;
        return NULL;
    }
    if (expr->kind != EXPR_AND)
        return expr;
    const struct expr **args = arena_array(arena, expr->arg_count, sizeof(*args));
    size_t count = 0;
    for (size_t i = 0; args && i < expr->arg_count; i++) {
        const struct expr *one = without_indexes(request, expr->args[i], arena, failed);
        if (one)
            args[count++] = one;
    }
    *failed |= !args;
    if (!args || count < 2)
        return args && count ? args[0] : NULL;
    return expr_list(arena, EXPR_AND, args, count);
}

static int plan_filter(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    const struct spl_command *command = run->query->commands;
    for (; command; command = command->next) {
        const struct expr *filter;
        bool is_filter;
        if (command_filter(run, command, &filter, &is_filter, err) < 0)
            return -1;
        if (!is_filter || (filter && expr_calls(filter, "lookup"))) /* tables are ours alone */
            break;
        if (filter)
            search->pushed = search->pushed ? expr_and(run->arena, search->pushed, filter) : filter;
        search->pushed_commands++;
    }
    bool failed = false;
    search->pushed = without_indexes(&search->request, search->pushed, run->arena, &failed);
    return failed ? run_nomem(run, err) : 0;
}

static int read_time(struct run *run, struct slice text, int64_t *to, struct err *err)
{
    if (!text.ptr)
        return 0;
    return time_modifier_read(text, run->scope.now_ns, run->scope.zone, to, err);
}

static int plan_range(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    run->from_ns = search->options.from_ns ? search->options.from_ns : INT64_MIN;
    run->to_ns = search->options.to_ns ? search->options.to_ns : INT64_MAX;
    if (read_time(run, run->query->earliest, &run->from_ns, err) < 0 ||
        read_time(run, run->query->latest, &run->to_ns, err) < 0)
        return -1;
    if (run->query->earliest.ptr && slice_is(run->query->earliest, "0"))
        run->from_ns = INT64_MIN;
    if (run->from_ns > run->to_ns)
        return err_set(err, ERR_CONFIG, "earliest is after latest");
    return 0;
}

static const struct spl_command *after_filters(const struct spl_command *command, size_t count)
{
    while (count-- > 0)
        command = command->next;
    return command;
}

static void collect_all_wanted(struct wanted *wanted, struct run *run,
                               const struct spl_command *from)
{
    wanted_init(wanted, run->arena, true);
    wanted_collect(wanted, from);
    if (wanted_has(wanted, SLICE("source")) && !wanted->all) {
        wanted_add(wanted, FIELD_PATH);
        wanted_add(wanted, FIELD_SOURCE);
    }
    if (needs_order(run->query->commands)) {
        wanted_add(wanted, FIELD_TIMESTAMP);
        wanted_add(wanted, FIELD_SEQ);
    }
}

/* The first commands read one field and nobody else does: its value is of use only where one of them
 * can use it. */
static int plan_late(struct search *search, const struct spl_command *command, struct err *err)
{
    struct run *run = &search->run;
    struct wanted behind;
    const struct expr *any = NULL;
    struct slice field = SLICE_NONE;
    for (; command && command->descriptor && command->descriptor->reads; command = command->next) {
        const struct expr *one = command->descriptor->reads(command, run->arena);
        if (!one || (field.ptr && !slice_equal(field, one->field)))
            return 0;
        field = one->field;
        any = any ? expr_or(run->arena, any, one) : one;
        if (!any)
            return run_nomem(run, err);
    }
    wanted_init(&behind, run->arena, true);
    wanted_collect(&behind, command);
    if (!field.ptr || behind.all || wanted_has(&behind, field))
        return 0;
    search->request.late_column = field;
    search->request.late_when = any;
    return 0;
}

/* What is read behind the filters that went to the source. */
static int name_columns(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    struct wanted wanted;
    collect_all_wanted(&search->wanted, run, run->query->commands);
    collect_all_wanted(&wanted, run, after_filters(run->query->commands, search->pushed_commands));
    struct slice *names = arena_array(run->arena, wanted.names.count + 1, sizeof(*names));
    if (!names || wanted.failed || search->wanted.failed)
        return run_nomem(run, err);
    const struct map_entry *entry;
    size_t count = 0;
    for (size_t at = 0; (entry = map_next(&wanted.names, &at));)
        if (wanted_has(&wanted, entry->key))
            names[count++] = entry->key;
    search->request.columns = names;
    search->request.column_count = count;
    bool all = wanted.all || search->options.naive;
    search->request.all_columns = all;
    return all ? 0 : plan_late(search, after_filters(run->query->commands,
                                                     search->pushed_commands), err);
}

static bool reads_codes(const struct spl_command *command, size_t filters)
{
    command = after_filters(command, filters);
    if (command && model_fields_rename(command))
        command = command->next;
    return command && stats_reads_codes(command);
}

/* What is not for holding; a block with all its columns must fit. */
static size_t read_memory(const struct search_options *options)
{
    size_t max = options->memory_max ? (size_t)options->memory_max : MEMORY_QUERY_MAX;
    size_t share = max / 8 * (8 - HELD_EIGHTHS);
    return share > MEMORY_READ_MIN ? share : MEMORY_READ_MIN;
}

static int open_source(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    const struct search_backend *backend = search->options.backend;
    if (!run->options->plan_only && (!backend || !backend->open))
        return err_set(err, ERR_CONFIG, "there are no events to search here");
    if (plan_filter(search, err) < 0 || name_columns(search, err) < 0)
        return -1;
    struct search_request *request = &search->request;
    request->from_ns = run->from_ns;
    request->to_ns = run->to_ns;
    request->filter = search->pushed;
    request->threads = search->options.threads;
    request->memory_max = read_memory(&search->options);
    request->now_ns = run->scope.now_ns;
    request->rand = run->scope.rand;
    request->zone = run->scope.zone;
    request->stop = run->scope.stop;
    request->stop_context = run->scope.stop_context;
    request->newest_first = needs_order(run->query->commands);
    request->codes_only =
        !request->newest_first && reads_codes(run->query->commands, search->pushed_commands);
    const struct spl_command *next = after_filters(run->query->commands, search->pushed_commands);
    request->minutes = next && chart_counts_minutes(next);
    if (request->newest_first)
        request->rows_enough =
            (int64_t)newest_limit(after_filters(run->query->commands, search->pushed_commands),
                                  (uint64_t)search->options.rows_max);
    if (search->options.naive)
        naive_request(request);
    if (run->options->plan_only)
        return 0;
    if (backend->open(backend->context, request, run->arena, &search->source, err) < 0)
        return -1;
    search->has_source = true;
    search->progress.rows_total = search->source.rows_total;
    return 0;
}

static bool starts_with_search(const struct spl_query *query)
{
    const struct command *first = query->commands->descriptor;
    return first && slice_is(slice_text(first->name), "search");
}

/* The filters that went to the source are skipped when it applies them itself. */
static const struct spl_command *rest_of(const struct search *search)
{
    return after_filters(search->run.query->commands,
                         search->has_source ? search->pushed_commands : 0);
}

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
        search->has_source && !search->options.naive && makes_columns(rest_of(search));
    if (pipeline_build(pipeline, run, rest_of(search), err) < 0)
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
            stage_newest_first(run, &all[1], (uint64_t)search->request.rows_enough, err) < 0)
            return -1;
        search->newest = sort ? &all[1] : NULL;
    }
    pipeline->stages = all;
    pipeline->count += more;
    for (size_t i = 0; i < pipeline->count; i++)
        all[i].next = &all[i + 1];
    return 0;
}

static const struct scan_stats *source_stats(const struct search_source *source)
{
    return source->stats ? source->stats(source->context) : NULL;
}

/* What it cost and lacks is the search's from now on. */
static void close_source(struct search *search)
{
    struct search_source *source = &search->source;
    const struct scan_stats *stats = source->close ? source_stats(source) : NULL;
    if (stats) {
        cost_add(&search->progress, stats);
        cost_tell_damage(&search->run, stats);
        search->run.scope.regex_limits += stats->regex_limits;
    }
    if (source->close)
        source->close(source->context);
    source->close = NULL;
}

static int run_plan_only(struct run *run, const struct spl_query *query, struct err *err);

/* Subsearches that would only run later, with the rows. */
static int plan_parts(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    for (const struct spl_part_list *part = run->query->parts; part; part = part->next) {
        struct pipeline pipeline;
        if (part->part == PART_SUBSEARCH ? run_plan_only(run, part->query, err) < 0
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
    if (query_expand(run, run->query, &run->query, err) < 0 || plan_range(search, err) < 0)
        return -1;
    if (starts_with_search(run->query) && open_source(search, err) < 0)
        return -1;
    if (build(search, err) < 0)
        return -1;
    return run->options->plan_only ? plan_parts(search, err) : 0;
}

static int start(struct search *search, const struct spl_query *query, struct arena *arena,
                 struct err *err)
{
    struct run *run = &search->run;
    const struct hin_clock *clock = search->options.clock ? search->options.clock : clock_real();
    run->query = query;
    run->options = &search->options;
    run->cancelled = run->cancelled ? run->cancelled : &search->cancelled;
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
    return plan(search, err);
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
    size_t max = options->memory_max ? (size_t)options->memory_max : MEMORY_QUERY_MAX;
    search_memory_init(&search->memory, max / 8 * HELD_EIGHTHS, options->spill_folder);
    search->run.memory = &search->memory;
    struct arena *arena = arena_new_within(&search->memory.budget);
    if (!arena) {
        mem_free(search);
        return err_nomem(err);
    }
    if (explained(&search->run, start(search, query, arena, err), err) < 0) {
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

/* Rows first to first + count of what the source gave; first is a multiple of 64. */
static int push_rows(struct search *search, const struct search_rows *rows, uint32_t first,
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
    search->progress.rows_read += frame_weight(&frame);
    return bits_any(frame.selected, count) ? pipeline_push(&search->pipeline, &frame, err) : 0;
}

/* Fewer where memory is small. */
static uint32_t slice_rows(const struct search *search)
{
    return SLICE_ROWS / FRAME_ROWS_MAX * search_memory_rows(search->run.memory);
}

static int read_batch(struct search *search, struct err *err)
{
    struct search_rows rows = {0};
    int more = search->source.next(search->source.context, &rows, err);
    if (more <= 0) /* a source that was stopped does not know why */
        return more < 0 && run_check(&search->run, err) < 0 ? -1 : more;
    uint32_t count = rows.batch->row_count, step = search->in_slices ? slice_rows(search) : count + !count;
    uint32_t slices = (count + step - 1) / step;
    search->progress.batches++;
    for (uint32_t i = 0; i < slices; i++) { /* newest first: rows of a batch ascend */
        uint32_t at = (search->newest ? slices - 1 - i : i) * step, left = count - at;
        if (push_rows(search, &rows, at, left < step ? left : step, err) < 0)
            return -1;
        if (pipeline_satisfied(&search->pipeline) && !search->options.naive)
            return 0;
        if (search->in_slices && run_check(&search->run, err) < 0)
            return -1;
    }
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
        int more = read_batch(search, err);
        if (more < 0 || tell(search, err) < 0)
            return -1;
        if (more == 0) {
            search->drained = true;
            close_source(search);
        }
        return 1;
    }
    if (pipeline_finish(&search->pipeline, 0, err) < 0)
        return -1;
    cost_tell_regex(&search->run);
    search->finished = true;
    search->progress.elapsed_ms =
        (clock_mono_ns(search->run.scope.clock) - search->started_ns) / NS_PER_MS;
    return 0;
}

int search_step(struct search *search, struct err *err)
{
    int more = explained(&search->run, step(search, err), err);
    if (more < 0)
        macro_place(search->run.query->expanded, err);
    return more;
}

int search_run(struct search *search, struct err *err)
{
    int more;
    while ((more = search_step(search, err)) > 0)
        continue;
    return more;
}

static bool gives_events(const struct spl_query *query)
{
    for (const struct spl_command *c = query->commands; c; c = c->next)
        if (c->descriptor && (c->descriptor->flags & COMMAND_TRANSFORMS))
            return false;
    return starts_with_search(query);
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

struct parts {
    struct search *search;
    int (*take)(void *context, const struct search_result *part, struct err *err);
    void *context;
};

static int take_part(void *context, const struct batch *rows, struct err *err)
{
    const struct parts *parts = context;
    struct run *run = &parts->search->run;
    struct search_result part = {.rows = rows, .row_count = rows->row_count};
    arena_reset(run->frames);
    part.names = shown_names(run, rows, run->frames);
    return part.names ? parts->take(parts->context, &part, err) : run_nomem(run, err);
}

int search_rows(struct search *search,
                int (*take)(void *context, const struct search_result *part, struct err *err),
                void *context, struct err *err)
{
    struct parts parts = {search, take, context};
    return sorter_each(search->pipeline.rows, take_part, &parts, err);
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
    struct pipeline after = *pipeline;
    copy.arena = arena;
    copy.preview = true;
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
    if (search->source.close && source_stats(&search->source))
        cost_add(&out->progress, source_stats(&search->source));
    return 0;
}

void search_cancel(struct search *search)
{
    __atomic_store_n(&search->cancelled, true, __ATOMIC_RELAXED);
}

static void close_all(struct search *search)
{
    if (search->has_source)
        close_source(search);
    search->has_source = false;
    arena_free(search->run.frames);
    arena_free(search->run.scratch);
    search->run.frames = search->run.scratch = NULL;
}

void search_free(struct search *search)
{
    if (!search)
        return;
    close_all(search);
    arena_free(search->run.arena);
    search_memory_close(&search->memory);
    mem_free(search);
}

/* ---- subsearches ---- */

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
    return sub;
}

static int run_plan_only(struct run *run, const struct spl_query *query, struct err *err)
{
    struct search sub = sub_search(run);
    int result = start(&sub, query, run->arena, err);
    close_all(&sub);
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
    int result = start(sub, query, run->arena, err);
    if (result == 0)
        result = search_run(sub, err);
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
    close_all(&sub);
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
    close_all(&sub);
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
    close_all(&sub);
    return result;
}

/* ---- explain ---- */

void search_explain(struct search *search, struct buffer *to)
{
    const struct search_request *request = &search->request;
    if (search->has_source) {
        buffer_printf(to, "read     %s\n", search->source.kind ? search->source.kind : "source");
        buffer_put_text(to, "columns  ");
        if (request->all_columns)
            buffer_put_text(to, "all");
        for (size_t i = 0; !request->all_columns && i < request->column_count; i++)
            buffer_printf(to, "%s%.*s", i ? ", " : "", SLICE_ARG(request->columns[i]));
        buffer_put_text(to,
                        request->newest_first ? "\norder    newest first\n" : "\norder    any\n");
        for (size_t i = 0; i < request->index_count; i++)
            buffer_printf(to, "index    %.*s\n", SLICE_ARG(request->indexes[i]));
        buffer_put_text(to, search->source.filtered ? "filter   (in the source) " : "filter   ");
        if (search->pushed)
            expr_print(search->pushed, to);
        else
            buffer_put_text(to, "none");
        buffer_put_char(to, '\n');
    }
    for (const struct spl_command *c = rest_of(search); c; c = c->next)
        buffer_printf(to, "then     %-12s %s\n", c->descriptor ? c->descriptor->name : "macro",
                      !c->descriptor                           ? ""
                      : c->descriptor->flags & COMMAND_HOLDS   ? "(all rows first)"
                      : c->descriptor->flags & COMMAND_STREAMS ? "(row by row)"
                                                               : "(in order)");
    if (search->finished)
        cost_print(&search->progress, to);
    if (search->finished)
        buffer_printf(to, "cost     %llu rows read in %llu batches, %lld ms, %zu KiB held\n",
                      (unsigned long long)search->progress.rows_read,
                      (unsigned long long)search->progress.batches,
                      (long long)search->progress.elapsed_ms,
                      search->memory.budget.bytes_held / 1024);
    if (search->memory.spilled)
        buffer_printf(to, "disk     %llu rows in a temporary file of %llu KiB\n",
                      (unsigned long long)search->memory.spilled,
                      (unsigned long long)(search->memory.written / 1024));
    if (!search->finished && search->progress.rows_total)
        buffer_printf(to, "estimate about %llu rows to look at\n",
                      (unsigned long long)search->progress.rows_total);
}
