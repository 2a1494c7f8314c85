/* transaction: rows that belong together become one. */
#include "event/schema.h"
#include "search/commands/txn_held.h"
#include "search/rows.h"

struct transaction_args {
    struct field_list fields;
    struct txn_rules rules;
    bool unify_ends;
    struct slice name, mv_list;
    const struct expr *starts, *ends;
};

#define AT(field) offsetof(struct transaction_args, field)
static const struct command_option options[] = {
    {.name = "maxspan", OPTION_SPAN, AT(rules.max_span), "time from the first to the last row"},
    {.name = "maxpause", OPTION_SPAN, AT(rules.max_pause), "time between two rows"},
    {.name = "maxevents", OPTION_I64, AT(rules.max_events), "rows", .standard = "1000"},
    {.name = "connected",
     OPTION_BOOL,
     AT(rules.connected),
     "of several fields, a row must share one; f: it must only not differ",
     .standard = "t"},
    {.name = "unifyends", OPTION_BOOL, AT(unify_ends), "accepted, does nothing"},
    {.name = "keepevicted",
     OPTION_BOOL,
     AT(rules.keep_evicted),
     "those without an end too",
     .standard = "f"},
    {.name = "keeporphans",
     OPTION_BOOL,
     AT(rules.keep_orphans),
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
    struct transaction_args *args = command_args(p, command, sizeof(*args));
    static const char *const edges[] = {"startswith", "endswith", NULL};
    if (!args)
        return -1;
    args->rules.max_events = 1000;
    args->rules.connected = true;
    for (;;) {
        if (spl_take_fields_options(p, args, edges, &args->fields) < 0)
            return -1;
        if (p->token.kind == SPL_END)
            break;
        if (!spl_at_option(p))
            return spl_fail(p, "here = and a search are missing");
        if (take_edge(p, spl_at_word(p, edges[0]) ? &args->starts : &args->ends) < 0)
            return -1;
    }
    args->rules.field_count = args->fields.count;
    args->rules.starts = args->starts;
    args->rules.ends = args->ends;
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct transaction_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    wanted_add(wanted, FIELD_TIMESTAMP);
    wanted_add_expr(wanted, args->starts);
    wanted_add_expr(wanted, args->ends);
}

struct transaction {
    struct wanted behind; /* fields that are of use behind it: others are not held */
    struct txn_held held;
    struct txn_sorted *sorted; /* NULL: memory has room for all rows */
    uint64_t rows;             /* so far */
};

/* Of the selected rows, one after the other. */
static int mark(struct stage *op, const struct frame *frame, const struct expr *expr, uint8_t flag,
                uint8_t *flags, struct err *err)
{
    uint64_t *bits = arena_calloc(frame->batch->arena, bits_words(frame->batch->row_count) * 8 + 8);
    if (!bits)
        return run_nomem(op->run, err);
    arena_reset(op->run->scratch);
    if (expr && expr_filter(expr, &op->run->scope, frame->batch, frame->selected, bits, err) < 0)
        return -1;
    uint32_t i = 0;
    for (uint32_t row = frame_next(frame, 0); expr && row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        flags[i++] |= bits_get(bits, row) ? flag : 0;
    return 0;
}

static void read_times(const struct frame *frame, struct txn_keys *keys)
{
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    uint32_t i = 0;
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1), i++)
        if (!times || !rows_time(column_first(times, row), &keys->times[i])) {
            keys->times[i] = 0;
            keys->flags[i] |= TXN_TIMELESS;
        }
}

static void read_tuples(const struct frame *frame, const struct field_list *fields,
                        struct txn_keys *keys)
{
    for (size_t f = 0; f < fields->count; f++) {
        const struct column *column = batch_find(frame->batch, fields->names[f]);
        uint32_t i = 0;
        for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
             row = frame_next(frame, row + 1), i++)
            keys->tuple[i * fields->count + f] = column ? column_first(column, row) : value_null();
    }
}

static int read_keys(struct stage *op, const struct frame *frame, struct txn_keys *keys,
                     struct err *err)
{
    const struct transaction_args *args = op->command->args;
    const struct transaction *t = op->state;
    struct arena *arena = frame->batch->arena;
    uint32_t count = frame_count(frame);
    *keys = (struct txn_keys){
        .first = t->rows,
        .times = arena_alloc(arena, (count + 1U) * sizeof(*keys->times)),
        .flags = arena_calloc(arena, count + 1U),
        .tuple = arena_alloc(arena, (count * args->fields.count + 1) * sizeof(*keys->tuple))};
    if (!keys->times || !keys->flags || !keys->tuple)
        return run_nomem(op->run, err);
    if (mark(op, frame, args->starts, TXN_STARTS, keys->flags, err) < 0 ||
        mark(op, frame, args->ends, TXN_ENDS, keys->flags, err) < 0)
        return -1;
    read_times(frame, keys);
    read_tuples(frame, &args->fields, keys);
    return 0;
}

/* Only what is of use behind; the time is known otherwise. */
static int narrow(const struct transaction *t, struct frame *frame)
{
    struct batch *batch = frame->batch;
    struct column **kept =
        arena_array(batch->arena, batch->column_count + 1U, sizeof(struct column *));
    for (uint32_t c = 0; kept && c < batch->column_count; c++) {
        struct slice name = batch->columns[c]->name;
        bool time = slice_equal(name, FIELD_TIMESTAMP);
        if (!wanted_has(&t->behind, name))
            continue;
        kept[c] = time ? frame_column(frame, name) : batch->columns[c];
        if (!kept[c])
            return -1;
    }
    return kept ? frame_keep(frame, kept, batch->column_count) : -1;
}

static int begin_sorted(struct stage *op, struct err *err)
{
    const struct transaction_args *args = op->command->args;
    struct transaction *t = op->state;
    t->sorted = arena_alloc(op->run->arena, sizeof(*t->sorted));
    if (!t->sorted)
        return run_nomem(op->run, err);
    if (txn_sorted_init(t->sorted, op->run, &args->rules, args->mv_list, err) < 0)
        return -1;
    return txn_held_move(&t->held, t->sorted, err);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct transaction *t = op->state;
    struct txn_keys keys;
    if (read_keys(op, frame, &keys, err) < 0)
        return -1;
    if (narrow(t, frame) < 0)
        return run_nomem(op->run, err);
    t->rows += frame_count(frame);
    if (t->sorted)
        return txn_sorted_add(t->sorted, frame, &keys, err);
    if (txn_held_add(&t->held, frame, &keys, err) < 0)
        return -1;
    return txn_held_is_large(&t->held) ? begin_sorted(op, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    struct transaction *t = op->state;
    if (!t->sorted)
        return txn_held_emit(&t->held, op, err);
    return op->run->preview ? 0 : txn_sorted_emit(t->sorted, op, err);
}

static void release(struct stage *op)
{
    struct transaction *t = op->state;
    txn_held_close(&t->held);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct transaction_args *args = command->args;
    struct transaction *t = op->state = arena_calloc(run->arena, sizeof(*t));
    op->push = push;
    op->finish = finish;
    op->release = release;
    if (!t)
        return run_nomem(run, err);
    wanted_init(&t->behind, run->arena, true);
    wanted_collect(&t->behind, command->next);
    return txn_held_init(&t->held, run, &args->rules, args->mv_list, err);
}

const struct command command_transaction = {
    .name = "transaction",
    .summary = "rows that belong together",
    .syntax = "transaction FIELD ... [options] [startswith=SEARCH] [endswith=SEARCH]",
    .notes = "With several fields a row joins an open transaction that shares one of its values and differs in none.\n"
             "closed_txn is 1 where endswith was met or, without it, where a limit had passed by the time of the newest "
             "row or a start followed.\n"
             "Memory holds the open transactions; maxpause= and maxspan= end them.",
    .flags = COMMAND_HOLDS | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
