/* search/run_plan: what is asked of the source, and what the plan looks like. */
#include "search/run_inside.h"

#include "base/time_modifier.h"
#include "event/schema.h"
#include "search/cost.h"
#include "search/naive.h"
#include "search/parts.h"
#include "search/redecoded.h"
#include "search/trial.h"

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

/* Of a test that is_index_test(). */
static struct slice test_pattern(const struct expr *expr, struct arena *arena)
{
    enum test_kind kind = expr->test.kind;
    struct slice text = expr->test.text;
    if (kind == TEST_EXISTS)
        return SLICE("*");
    if (kind == TEST_EQUAL || kind == TEST_WILDCARD)
        return text;
    return arena_printf(arena, "%s%.*s%s", kind == TEST_PREFIX ? "" : "*", SLICE_ARG(text),
                        kind == TEST_SUFFIX ? "" : "*");
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

int search_plan_range(struct search *search, struct err *err)
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

static void collect_wanted(struct wanted *wanted, struct run *run, const struct spl_command *from)
{
    wanted_init(wanted, run->arena, true);
    wanted_collect(wanted, from);
    if (wanted_has(wanted, SLICE("source")) && !wanted->all) {
        wanted_add(wanted, FIELD_PATH);
        wanted_add(wanted, FIELD_SOURCE);
    }
}

static void collect_all_wanted(struct wanted *wanted, struct run *run,
                               const struct spl_command *from)
{
    collect_wanted(wanted, run, from);
    if (needs_order(run->query->commands)) {
        wanted_add(wanted, FIELD_TIMESTAMP);
        wanted_add(wanted, FIELD_SEQ);
    }
}

/* The first commands match one field and nobody else reads it: its texts are of use only where one of
 * them may match. */
static int plan_late(struct search *search, const struct spl_command *command, struct err *err)
{
    struct run *run = &search->run;
    struct wanted behind;
    struct text_use use = {.machine = regex_machine_new(run->arena)};
    if (!use.machine)
        return run_nomem(run, err);
    for (; command && command->descriptor && command->descriptor->reads; command = command->next)
        if (command->inlines || !command->descriptor->reads(command, &use))
            return 0;
    wanted_init(&behind, run->arena, true);
    wanted_collect(&behind, command);
    if (!use.field.ptr || behind.all || wanted_has(&behind, use.field))
        return 0;
    search->request.late_column = use.field;
    search->request.late_machine = use.machine;
    search->request.late_whole = use.whole;
    return 0;
}

/* What is read behind the filters that went to the source. */
static int name_columns(struct search *search, struct err *err)
{
    struct run *run = &search->run;
    struct wanted wanted;
    collect_all_wanted(&search->wanted, run, run->query->commands);
    collect_all_wanted(&wanted, run, after_filters(run->query->commands, search->pushed_commands));
    collect_wanted(&search->wanted_behind, run, run->query->commands);
    search->request.columns = wanted_names(&wanted, &search->request.column_count);
    if (!search->request.columns || search->wanted.failed || search->wanted_behind.failed)
        return run_nomem(run, err);
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
    while (command && !command->inlines && command->descriptor &&
           command->descriptor->flags & COMMAND_READS_CODES)
        command = command->next;
    return command && !command->inlines && stats_reads_codes(command);
}

/* What is not for holding; a block with all its columns must fit. */
static size_t read_memory(const struct search_options *options)
{
    size_t max = options->memory_max ? (size_t)options->memory_max : MEMORY_QUERY_MAX;
    size_t share = max / 8 * (8 - HELD_EIGHTHS);
    return share > MEMORY_READ_MIN ? share : MEMORY_READ_MIN;
}

int search_open_source(struct search *search, struct err *err)
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
    request->clock = run->scope.clock;
    request->rand = run->scope.rand;
    request->zone = run->scope.zone;
    request->stop = run->scope.stop;
    request->stop_context = run->scope.stop_context;
    request->newest_first = needs_order(run->query->commands);
    request->codes_only = reads_codes(run->query->commands, search->pushed_commands);
    const struct spl_command *next = after_filters(run->query->commands, search->pushed_commands);
    request->minutes = next && chart_counts_minutes(next);
    if (request->newest_first)
        request->rows_enough =
            (int64_t)newest_limit(after_filters(run->query->commands, search->pushed_commands),
                                  (uint64_t)search->options.rows_max);
    if (search->options.naive)
        naive_request(request);
    if (run->options->plan_only && run->options->asks)
        run->options->asks(run->options->asks_context, request);
    if (run->options->plan_only)
        return 0;
    if (search->options.trial && trial_choose(search, err) < 0)
        return -1;
    if (redecoded_open(backend, request, run->arena, &search->source, err) < 0)
        return -1;
    search->has_source = true;
    search->progress.rows_total = search->source.rows_total;
    return 0;
}

bool query_has_source(const struct spl_query *query)
{
    const struct command *first = query->commands->descriptor;
    return first && slice_is(slice_text(first->name), "search");
}

/* The filters that went to the source are skipped when it applies them itself. */
const struct spl_command *search_rest(const struct search *search)
{
    return after_filters(search->run.query->commands,
                         search->has_source ? search->pushed_commands : 0);
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
        parts_explain(search, to);
    }
    for (const struct spl_command *c = search_rest(search); c; c = c->next)
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
