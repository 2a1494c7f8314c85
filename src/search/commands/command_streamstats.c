/* streamstats: running statistics in the order of arrival. */
#include "event/schema.h"
#include "search/aggregate.h"
#include "search/commands/running_window.h"
#include "search/hold.h"
#include "search/rows.h"

struct streamstats_args {
    bool current, global, reset_on_change, accepted;
    int64_t window;
    struct span time_window;
    const struct expr *reset_before, *reset_after;
    struct agg_list aggs;
    struct field_list by;
};

static const struct command_option options[] = {
    {.name = "current",
     OPTION_BOOL,
     offsetof(struct streamstats_args, current),
     "the row itself counts",
     .standard = "t"},
    {.name = "window",
     OPTION_I64,
     offsetof(struct streamstats_args, window),
     "rows looked back; 0: all",
     .standard = "0"},
    {.name = "global",
     OPTION_BOOL,
     offsetof(struct streamstats_args, global),
     "the window counts rows of all groups",
     .standard = "t"},
    {.name = "reset_on_change",
     OPTION_BOOL,
     offsetof(struct streamstats_args, reset_on_change),
     "begins anew when the group changes",
     .standard = "f"},
    {.name = "time_window",
     OPTION_SPAN,
     offsetof(struct streamstats_args, time_window),
     "time looked back"},
    {.name = "allnum",
     OPTION_BOOL,
     offsetof(struct streamstats_args, accepted),
     "accepted, does nothing"},
};

/* reset_before=(expression), also in quotes */
static int take_reset(struct spl_parser *p, const struct expr **out)
{
    if (spl_advance(p) < 0 || spl_advance(p) < 0)
        return -1;
    if (p->token.kind != SPL_TEXT)
        return spl_take_expr(p, out);
    struct spl_parser inner = *p;
    inner.at = p->token.start + 1;
    inner.end = p->token.end - 1;
    if (p->token.text.len != inner.end - inner.at) { /* \" is a quote of its own */
        inner.text = p->token.text;
        inner.at = 0;
        inner.end = inner.text.len;
    }
    if (spl_advance(&inner) < 0 || spl_take_expr(&inner, out) < 0)
        return -1;
    return spl_advance(p);
}

static int take_options(struct spl_parser *p, struct streamstats_args *args)
{
    for (bool taken = true; taken;) {
        bool before = spl_at_word(p, "reset_before"), after = spl_at_word(p, "reset_after");
        taken = before || after;
        if ((taken ? take_reset(p, before ? &args->reset_before : &args->reset_after)
                   : spl_take_option(p, args, &taken)) < 0)
            return -1;
    }
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by",          "reset_before",    "reset_after",
                                        "window",      "current",         "global",
                                        "time_window", "reset_on_change", NULL};
    struct streamstats_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->current = args->global = true;
    if (take_options(p, args) < 0 || spl_take_aggs(p, stops, &args->aggs) < 0)
        return -1;
    if (take_options(p, args) < 0)
        return -1;
    if (spl_at_word(p, "by") &&
        (spl_advance(p) < 0 || spl_take_fields(p, stops, false, &args->by) < 0))
        return -1;
    if (take_options(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct streamstats_args *args = command->args;
    for (size_t i = 0; i < args->aggs.count; i++)
        wanted_drop(wanted, args->aggs.aggs[i].name);
    wanted_add_list(wanted, &args->by);
    wanted_add_aggs(wanted, &args->aggs);
    wanted_add_expr(wanted, args->reset_before);
    wanted_add_expr(wanted, args->reset_after);
    if (args->time_window.kind)
        wanted_add(wanted, FIELD_TIMESTAMP);
}

struct past {
    uint32_t group;
    int64_t time_ns;
};

struct streamstats {
    struct aggregator a;
    struct shelf shelf; /* with a window: the rows it may hold, and some older ones */
    struct past *past;  /* of the rows in it */
    uint32_t past_room;
    struct frame slim; /* of the frame at work: only the columns that are counted */
    uint32_t since;    /* rows before are forgotten by a reset */
    uint32_t last_group;
    uint32_t kept; /* rows after the last tidying */
    bool windowed;
    struct running_window window; /* instead of the shelf, for functions that can move on */
    bool begun, moves;
};

static int truth(struct stage *op, const struct expr *expr, const struct frame *frame, uint32_t row,
                 bool *out, struct err *err)
{
    struct value_list list;
    *out = false;
    if (!expr)
        return 0;
    arena_reset(op->run->scratch);
    if (expr_eval(expr, &op->run->scope, frame->batch, row, &list, err) < 0)
        return -1;
    *out = list.count && list.values[0].type == VALUE_BOOL && list.values[0].boolean;
    return 0;
}

static void reset(struct streamstats *s)
{
    if (s->moves) {
        running_window_clear(&s->window);
        return;
    }
    aggregator_clear(&s->a, GROUP_NONE);
    s->since = s->windowed ? shelf_count(&s->shelf) : 0;
}

static int64_t time_at(const struct frame *frame, uint32_t row)
{
    int64_t ns = 0;
    return rows_time(batch_first(frame->batch, row, FIELD_TIMESTAMP), &ns) ? ns : 0;
}

static int remember(struct stage *op, const struct frame *frame, uint32_t row, uint32_t group)
{
    struct streamstats *s = op->state;
    uint32_t at = shelf_count(&s->shelf);
    if (at == s->past_room) {
        uint32_t room = s->past_room ? 2 * s->past_room : 1024;
        struct past *past =
            arena_grow(op->run->arena, s->past, at * sizeof(*past), room * sizeof(*past));
        if (!past)
            return -1;
        s->past = past;
        s->past_room = room;
    }
    s->past[at] = (struct past){group, time_at(frame, row)};
    return row_store_add_row(&s->shelf.rows, &s->slim, row);
}

/* The states of the group are made anew from the rows in the window. */
static int fill_window(struct stage *op, uint32_t group, int64_t now_ns, struct err *err)
{
    const struct streamstats_args *args = op->command->args;
    struct streamstats *s = op->state;
    uint32_t end = shelf_count(&s->shelf), counted = 0, first = end;
    int64_t span = args->time_window.kind ? span_ns(&args->time_window) : 0;
    while (first > s->since) {
        const struct past *past = &s->past[first - 1];
        int64_t apart = past->time_ns > now_ns ? past->time_ns - now_ns : now_ns - past->time_ns;
        if (span && apart >= span)
            break;
        bool counts = args->global || past->group == group;
        if (args->window && counts && counted == (uint64_t)args->window)
            break;
        counted += counts;
        first--;
    }
    aggregator_clear(&s->a, group);
    if (!s->shelf.rows.batch)
        return 0;
    struct frame held = {.batch = s->shelf.rows.batch};
    for (uint32_t i = first; i < end; i++)
        if (s->past[i].group == group && aggregator_add_row(&s->a, &held, i, group, err) < 0)
            return -1;
    return 0;
}

static int put_results(struct stage *op, struct frame *frame, struct column **to, uint32_t row,
                       uint32_t group, struct err *err)
{
    struct streamstats *s = op->state;
    for (size_t slot = 0; slot < s->a.slot_count; slot++) {
        struct value_list list;
        s->a.scope.arena = frame->batch->arena; /* answers are of use for this frame only */
        int result = aggregator_result(&s->a, slot, group, &list, err);
        s->a.scope.arena = op->run->arena;
        if (result < 0)
            return -1;
        for (uint32_t i = 0; i < list.count; i++) {
            struct value copy = value_copy(list.values[i], frame->batch->arena);
            if (copy.type == VALUE_NULL || column_add(frame->batch, to[slot], row, copy) < 0)
                return run_nomem(op->run, err);
        }
    }
    return 0;
}

static int count_row(struct stage *op, struct frame *frame, uint32_t row, uint32_t group,
                     struct err *err)
{
    struct streamstats *s = op->state;
    if (s->moves)
        return running_window_add(&s->window, row, group, err);
    if (!s->windowed)
        return aggregator_add_next(&s->a, row, group, err);
    return remember(op, frame, row, group) < 0 ? run_nomem(op->run, err) : 0;
}

static int one_row(struct stage *op, struct frame *frame, struct column **to, uint32_t row,
                   uint32_t group, struct err *err)
{
    const struct streamstats_args *args = op->command->args;
    struct streamstats *s = op->state;
    bool before, after;
    if ((s->windowed || row % 64 == 0) && run_check(op->run, err) < 0)
        return -1;
    if (truth(op, args->reset_before, frame, row, &before, err) < 0 ||
        truth(op, args->reset_after, frame, row, &after, err) < 0)
        return -1;
    if (before || (args->reset_on_change && s->last_group != group))
        reset(s);
    s->last_group = group;
    if (args->current && count_row(op, frame, row, group, err) < 0)
        return -1;
    if (s->moves) {
        if (running_window_fill(&s->window, group, err) < 0)
            return -1;
    } else if (s->windowed) {
        if (fill_window(op, group, time_at(frame, row), err) < 0)
            return -1;
    }
    if (put_results(op, frame, to, row, group, err) < 0)
        return -1;
    if (!args->current && count_row(op, frame, row, group, err) < 0)
        return -1;
    if (after)
        reset(s);
    return 0;
}

static int keep_counted(struct stage *op, const struct frame *frame)
{
    struct streamstats *s = op->state;
    const struct batch *batch = frame->batch;
    struct column **columns = arena_array(batch->arena, batch->column_count + 1U, sizeof(*columns));
    if (!columns || frame_share(&s->slim, batch, frame->selected, batch->arena) < 0)
        return -1;
    for (uint32_t c = 0; c < batch->column_count; c++) {
        struct column *column = s->slim.batch->columns[c];
        bool counted = slice_equal(column->name, FIELD_TIMESTAMP);
        for (size_t slot = 0; slot < s->a.slot_count; slot++)
            counted |= slice_equal(column->name, aggregator_field(&s->a, slot));
        columns[c] = counted ? column : NULL;
    }
    return frame_keep(&s->slim, columns, batch->column_count);
}

/* Rows that no window can hold any more are dropped. */
static int tidy(struct stage *op)
{
    const struct streamstats_args *args = op->command->args;
    struct streamstats *s = op->state;
    struct arena *arena = op->run->frames; /* the frame's: nothing of it is kept */
    uint32_t end = shelf_count(&s->shelf), kept = 0;
    int64_t span = args->time_window.kind ? span_ns(&args->time_window) : INT64_MAX;
    uint32_t *rows = arena_alloc(arena, (end + 1U) * sizeof(*rows));
    uint32_t *counts = arena_array(arena, s->a.groups.count + 1U, sizeof(*counts));
    if (!rows || !counts)
        return -1;
    for (uint32_t i = end; i-- > s->since;) {
        int64_t apart = s->past[end - 1].time_ns - s->past[i].time_ns;
        uint32_t *count = &counts[args->global ? s->a.groups.count : s->past[i].group];
        bool near = apart < span && -apart < span;
        if (near && (!args->window || (*count)++ < (uint64_t)args->window))
            rows[end - 1 - kept++] = i;
    }
    for (uint32_t i = 0; i < kept; i++)
        s->past[i] = s->past[rows[end - kept + i]];
    s->since = 0;
    return shelf_keep(&s->shelf, rows + (end - kept), kept);
}

/* Which functions there are is known with the first rows: a star stands for several. */
static void begin_window(struct stage *op)
{
    const struct streamstats_args *args = op->command->args;
    struct streamstats *s = op->state;
    bool wild = false;
    s->begun = true;
    for (size_t i = 0; i < args->aggs.count; i++)
        wild |= args->aggs.aggs[i].wild;
    if (wild || !args->window || args->time_window.kind || (args->by.count && !args->global))
        return;
    running_window_init(&s->window, &s->a, (uint64_t)args->window);
    s->moves = s->window.part_size > 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct streamstats *s = op->state;
    struct group_rows rows;
    if (aggregator_prepare(&s->a, frame, err) < 0)
        return -1;
    if (grouper_rows(&s->a.groups, frame, &rows) < 0)
        return run_nomem(op->run, err);
    if (!s->begun)
        begin_window(op);
    if (s->windowed && !s->moves && keep_counted(op, frame) < 0)
        return run_nomem(op->run, err);
    aggregator_begin(&s->a, frame);
    struct column **to = arena_array(frame->batch->arena, s->a.slot_count + 1, sizeof(*to));
    for (size_t i = 0; to && i < s->a.slot_count; i++)
        if (!(to[i] = frame_column(frame, aggregator_name(&s->a, i))))
            return run_nomem(op->run, err);
    if (!to)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < rows.count; i++) {
        bool again = i > 0 && rows.rows[i] == rows.rows[i - 1];
        if (!again && one_row(op, frame, to, rows.rows[i], rows.groups[i], err) < 0)
            return -1;
    }
    if (s->windowed && !s->moves && shelf_count(&s->shelf) > 4 * s->kept + SHELF_SLACK) {
        if (tidy(op) < 0)
            return run_nomem(op->run, err);
        s->kept = shelf_count(&s->shelf);
    }
    for (size_t i = 0; i < s->a.slot_count; i++)
        if (frame_put(frame, to[i]) < 0)
            return run_nomem(op->run, err);
    for (size_t i = 0; i < s->a.list->count; i++)
        if (s->a.list->aggs[i].expr) {
            struct column **kept =
                arena_array(frame->batch->arena, frame->batch->column_count + 1U, sizeof(*kept));
            if (!kept)
                return run_nomem(op->run, err);
            for (uint32_t c = 0; c < frame->batch->column_count; c++)
                if (!slice_starts(frame->batch->columns[c]->name, SLICE("eval:")))
                    kept[c] = frame->batch->columns[c];
            if (frame_keep(frame, kept, frame->batch->column_count) < 0)
                return run_nomem(op->run, err);
            break;
        }
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct streamstats_args *args = command->args;
    struct streamstats *s = arena_calloc(run->arena, sizeof(*s));
    if (!s)
        return run_nomem(run, err);
    s->windowed = args->window || args->time_window.kind;
    if (s->windowed && shelf_init(&s->shelf, run) < 0)
        return run_nomem(run, err);
    s->last_group = GROUP_NONE;
    op->push = push;
    op->state = s;
    return aggregator_init(&s->a, run, run->arena, &args->aggs, args->by.names, args->by.count, 0, err);
}

const struct command command_streamstats = {
    .name = "streamstats",
    .summary = "running statistics",
    .syntax = "streamstats [options] AGGREGATE ... [by FIELD ...]",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
