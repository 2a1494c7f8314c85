/* transaction: rows that belong together become one. */
#include "event/schema.h"
#include "search/commands/txn_join.h"
#include "search/hold.h"
#include "search/rows.h"
#include "search/sort_keys.h"
#include "search/span.h"

#include <stdlib.h>

struct transaction_args {
    struct field_list fields;
    struct span max_span, max_pause;
    int64_t max_events;
    bool connected, unify_ends, keep_evicted, keep_orphans;
    struct slice name, mv_list;
    const struct expr *starts, *ends;
};

#define AT(field) offsetof(struct transaction_args, field)
static const struct command_option options[] = {
    {.name = "maxspan", OPTION_SPAN, AT(max_span), "time from the first to the last row"},
    {.name = "maxpause", OPTION_SPAN, AT(max_pause), "time between two rows"},
    {.name = "maxevents", OPTION_I64, AT(max_events), "rows", .standard = "1000"},
    {.name = "connected",
     OPTION_BOOL,
     AT(connected),
     "of several fields, a row must share one; f: it must only not differ",
     .standard = "t"},
    {.name = "unifyends", OPTION_BOOL, AT(unify_ends), "accepted, does nothing"},
    {.name = "keepevicted",
     OPTION_BOOL,
     AT(keep_evicted),
     "those without an end too",
     .standard = "f"},
    {.name = "keeporphans",
     OPTION_BOOL,
     AT(keep_orphans),
     "rows that belong to none too, with _txn_orphan=1",
     .standard = "f"},
    {.name = "mvlist",
     OPTION_TEXT,
     AT(mv_list),
     "all values by arrival, not the different ones; or the fields of which: \"a,b\"",
     .standard = "f"},
    {.name = "name", OPTION_TEXT, AT(name), "accepted, does nothing"},
};

/* (search terms "with quotes"): up to the bracket that closes it. */
static int take_brackets(struct spl_parser *p, const struct expr **out)
{
    struct spl_parser inner = *p;
    struct spl_search search;
    size_t at = p->token.start;
    int depth = 0;
    bool quoted = false;
    for (; at < p->end; at++) {
        char c = p->text.ptr[at];
        if (c == '\\' && quoted)
            at++;
        quoted ^= c == '"';
        depth += quoted ? 0 : (c == '(') - (c == ')');
        if (depth == 0 && !quoted)
            break;
    }
    inner.at = p->token.start + 1;
    inner.end = at;
    if (at >= p->end)
        return spl_fail(p, "here a closing ) is missing");
    if (spl_advance(&inner) < 0 || spl_take_search(&inner, false, NULL, &search) < 0)
        return -1;
    *out = search.expr;
    if (!*out && !(*out = expr_constant(p->arena, value_bool(true))))
        return err_nomem(p->err);
    p->at = at + 1;
    return spl_advance(p);
}

/* startswith="login", startswith="status=200 user=x", startswith=(search), startswith=eval(expr) */
static int take_edge(struct spl_parser *p, const struct expr **out)
{
    if (spl_advance(p) < 0 || spl_advance(p) < 0)
        return -1;
    if (spl_at_word(p, "eval"))
        return spl_advance(p) < 0 ? -1 : spl_take_expr(p, out);
    if (spl_at_sign(p, "("))
        return take_brackets(p, out);
    if (!spl_is_field(p))
        return spl_fail(p, "here a search or eval(...) is needed");
    struct spl_search search;
    struct spl_parser inner = *p;
    bool quoted = p->token.kind != SPL_WORD;
    inner.at = p->token.start + quoted;
    inner.end = p->token.end - quoted;
    if (spl_advance(&inner) < 0 || spl_take_search(&inner, false, NULL, &search) < 0)
        return -1;
    *out = search.expr;
    if (!*out && !(*out = expr_constant(p->arena, value_bool(true))))
        return err_nomem(p->err);
    return spl_advance(p);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct transaction_args *args = arena_calloc(p->arena, sizeof(*args));
    static const char *const edges[] = {"startswith", "endswith", NULL};
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    args->max_events = 1000;
    args->connected = true;
    for (;;) {
        if (spl_take_fields_options(p, args, edges, &args->fields) < 0)
            return -1;
        if (p->token.kind == SPL_END)
            return 0;
        if (!spl_at_option(p))
            return spl_fail(p, "here = and a search are missing");
        if (take_edge(p, spl_at_word(p, edges[0]) ? &args->starts : &args->ends) < 0)
            return -1;
    }
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct transaction_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    wanted_add(wanted, FIELD_TIMESTAMP);
    wanted_add(wanted, FIELD_ORIGINAL);
    wanted_add_expr(wanted, args->starts);
    wanted_add_expr(wanted, args->ends);
}

struct open_one {
    uint32_t first, last; /* links over rows, by time */
    uint32_t count;
    int64_t first_ns, last_ns;
    bool open, closed, orphan;
};

struct builder {
    struct stage *op;
    const struct batch *rows;
    const struct column *times;
    uint32_t *next;        /* the row behind in the same transaction */
    struct open_one *open; /* by group */
    struct open_one *done;
    size_t done_count;
};

static int64_t time_at(const struct builder *b, uint32_t row)
{
    int64_t ns = 0;
    return b->times && rows_time(column_first(b->times, row), &ns) ? ns : 0;
}

static int add_done(struct builder *b, const struct open_one *t, struct err *err)
{
    b->done = spl_grow(b->op->run->arena, b->done, b->done_count, sizeof(*b->done));
    if (!b->done)
        return run_nomem(b->op->run, err);
    b->done[b->done_count++] = *t;
    return 0;
}

/* A row that is in no transaction. */
static int add_orphan(struct builder *b, uint32_t row, struct err *err)
{
    const struct transaction_args *args = b->op->command->args;
    int64_t now = time_at(b, row);
    b->next[row] = UINT32_MAX;
    return args->keep_orphans
               ? add_done(b, &(struct open_one){row, row, 1, now, now, .orphan = true}, err)
               : 0;
}

static int close_one(struct builder *b, struct open_one *t, bool closed, struct err *err)
{
    const struct transaction_args *args = b->op->command->args;
    if (!t->open)
        return 0;
    t->open = false;
    t->closed = closed;
    if (!closed && args->ends && !args->keep_evicted)
        return 0;
    return add_done(b, t, err);
}

static bool over_limits(const struct transaction_args *args, const struct open_one *t, int64_t now)
{
    if (args->max_span.kind && now - t->first_ns > span_ns(&args->max_span))
        return true;
    if (args->max_pause.kind && now - t->last_ns > span_ns(&args->max_pause))
        return true;
    return args->max_events && t->count >= (uint64_t)args->max_events;
}

static int add_row(struct builder *b, uint32_t row, uint32_t group, bool starts, bool ends,
                   struct err *err)
{
    const struct transaction_args *args = b->op->command->args;
    struct open_one *t = &b->open[group];
    int64_t now = time_at(b, row);
    bool full = t->open && over_limits(args, t, now);
    if (full && close_one(b, t, !args->ends, err) < 0)
        return -1;
    if (t->open && starts && close_one(b, t, !args->ends, err) < 0)
        return -1;
    if (!t->open) {
        if (args->starts && !starts)
            return add_orphan(b, row, err);
        *t = (struct open_one){.first = row, .last = row, .first_ns = now, .open = true};
    } else {
        b->next[t->last] = row;
    }
    b->next[row] = UINT32_MAX;
    t->last = row;
    t->last_ns = now;
    t->count++;
    return args->ends && ends ? close_one(b, t, true, err) : 0;
}

static int by_newest(const void *a, const void *b)
{
    const struct open_one *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns > y->first_ns ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static int by_text(const void *a, const void *b)
{
    return value_compare(*(const struct value *)a, *(const struct value *)b);
}

/* mvlist=t, or the field is in its list. */
static bool lists(const struct transaction_args *args, struct slice field)
{
    struct slice rest = args->mv_list, part;
    if (slice_is_nocase(rest, "t") || slice_is_nocase(rest, "true") || slice_is(rest, "1"))
        return true;
    if (slice_is_nocase(rest, "f") || slice_is_nocase(rest, "false") || slice_is(rest, "0"))
        return false;
    while (rest.len && slice_next_part(&rest, ',', &part))
        if (slice_equal(spl_field_alias(slice_trim(part)), field))
            return true;
    return false;
}

/* One field of one transaction: the different values in order, or all by arrival. */
static int put_field(struct builder *b, struct batch *out, struct column *to, uint32_t at,
                     const struct column *from, const struct open_one *t)
{
    const struct transaction_args *args = b->op->command->args;
    bool raw = slice_equal(from->name, FIELD_ORIGINAL) || lists(args, from->name);
    uint32_t begin = to->count;
    for (uint32_t row = t->first; row != UINT32_MAX; row = b->next[row]) {
        uint32_t first, n = column_range(from, row, &first);
        for (uint32_t k = 0; k < n; k++) {
            bool seen = false;
            for (uint32_t i = begin; i < to->count && !seen && !raw; i++)
                seen = value_equal(to->values[i], from->values[first + k]);
            if (!seen && column_add(out, to, at, from->values[first + k]) < 0)
                return -1;
        }
    }
    if (!raw && to->count > begin)
        qsort(to->values + begin, to->count - begin, sizeof(struct value), by_text);
    return 0;
}

static int put_one(struct builder *b, struct batch *out, const struct open_one *t)
{
    uint32_t at = out->row_count++;
    for (uint32_t c = 0; c < b->rows->column_count; c++) {
        const struct column *from = b->rows->columns[c];
        struct column *to = batch_column(out, from->name);
        if (!to)
            return -1;
        if (slice_equal(from->name, FIELD_TIMESTAMP)) {
            if (column_add(out, to, at, value_time(t->first_ns)) < 0)
                return -1;
        } else if (put_field(b, out, to, at, from, t) < 0) {
            return -1;
        }
    }
    if (t->orphan)
        return batch_put(out, at, SLICE("_txn_orphan"), value_i64(1));
    struct value duration;
    if (!value_to_number(value_time(t->last_ns - t->first_ns), out->arena, &duration))
        return -1;
    return batch_put(out, at, SLICE("duration"), duration) < 0 ||
                   batch_put(out, at, SLICE("eventcount"), value_i64(t->count)) < 0 ||
                   batch_put(out, at, SLICE("closed_txn"), value_i64(t->closed)) < 0
               ? -1
               : 0;
}

static int edge_bits(struct stage *op, const struct frame *frame, const struct expr *expr,
                     uint64_t **out, struct err *err)
{
    *out = arena_calloc(op->run->arena, bits_words(frame->batch->row_count) * 8 + 8);
    if (!*out)
        return run_nomem(op->run, err);
    arena_reset(op->run->scratch);
    return expr ? expr_filter(expr, &op->run->scope, frame->batch, frame->selected, *out, err) : 0;
}

static bool is_open(const void *context, uint32_t slot)
{
    return ((const struct builder *)context)->open[slot].open;
}

/* Rows in order of time, each to the transaction that it belongs to. */
static int add_rows(struct builder *b, struct txn_join *join, const uint32_t *order,
                    const uint64_t *starts, const uint64_t *ends, struct err *err)
{
    for (uint32_t i = 0; i < b->rows->row_count; i++) {
        uint32_t row = order[i], slot = 0;
        if (join->field_count && txn_join_find(join, row, is_open, b, &slot) < 0)
            return run_nomem(b->op->run, err);
        if (slot == GROUP_NONE) {
            if (add_orphan(b, row, err) < 0)
                return -1;
            continue;
        }
        if (add_row(b, row, slot, bits_get(starts, row), bits_get(ends, row), err) < 0)
            return -1;
        if (join->field_count)
            txn_join_take(join, slot, b->open[slot].first == row);
    }
    return 0;
}

static int collect(struct builder *b, struct frame *frame, struct err *err)
{
    static const struct sort_key by_time[] = {{{"@timestamp", 10}, SORT_NUMBER, false}};
    const struct sort_keys keys = {by_time, 1};
    const struct transaction_args *args = b->op->command->args;
    struct arena *arena = b->op->run->arena;
    struct txn_join join;
    uint64_t *starts, *ends;
    uint32_t *order, count = frame->batch->row_count;
    if (edge_bits(b->op, frame, args->starts, &starts, err) < 0 ||
        edge_bits(b->op, frame, args->ends, &ends, err) < 0)
        return -1;
    b->next = arena_alloc(arena, (count + 1U) * sizeof(*b->next));
    b->open = arena_array(arena, count + 1U, sizeof(*b->open));
    if (!b->next || !b->open ||
        txn_join_init(&join, arena, frame->batch, args->fields.names, args->fields.count,
                      args->connected) < 0 ||
        sort_rows(&keys, frame->batch, arena, &order) < 0)
        return run_nomem(b->op->run, err);
    if (add_rows(b, &join, order, starts, ends, err) < 0)
        return -1;
    /* what the rows ended is not closed, but where a start is enough */
    for (uint32_t slot = 0; slot < (join.field_count ? join.count : 1); slot++)
        if (close_one(b, &b->open[slot], args->starts && !args->ends, err) < 0)
            return -1;
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    struct builder b = {
        .op = op, .rows = frame.batch, .times = batch_find(frame.batch, FIELD_TIMESTAMP)};
    if (collect(&b, &frame, err) < 0)
        return -1;
    if (b.done_count)
        qsort(b.done, b.done_count, sizeof(*b.done), by_newest);
    struct batch *out = frame_batch_new(op->run->arena, 0);
    for (size_t i = 0; out && i < b.done_count; i++)
        if (put_one(&b, out, &b.done[i]) < 0)
            return run_nomem(op->run, err);
    if (!out)
        return run_nomem(op->run, err);
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)command;
    return stage_hold(run, op, 0, finish, err);
}

const struct command command_transaction = {
    .name = "transaction",
    .summary = "rows that belong together",
    .syntax = "transaction FIELD ... [options] [startswith=SEARCH] [endswith=SEARCH]",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
