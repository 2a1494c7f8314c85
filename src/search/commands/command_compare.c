/*
 * compare: rows beside those of another period, or of another search.
 *
 *   ... | stats count by host | compare by host earliest=-2d@d latest=-1d@d
 *   ... | stats count by host | compare [search ... | stats count by host] by host
 *
 * The first runs what stands before it again over the other period. Rows meet by equal fields; every
 * other number f gets before(f), change(f) and change_percent(f), and status says whether a row is in
 * both, new, or gone.
 */
#include "search/hold.h"
#include "search/rows.h"

#include "expr/function.h"

struct compare_args {
    const struct spl_query *other; /* NULL: the same search over the other period */
    struct slice earliest, latest;
    struct field_list by, fields; /* fields: those compared; none: all with numbers */
};

#define AT(f) offsetof(struct compare_args, f)
static const struct command_option options[] = {
    {.name = "earliest", OPTION_TIME, AT(earliest), "where the other period begins: -2d@d"},
    {.name = "latest", OPTION_TIME, AT(latest), "where it ends"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", NULL};
    struct compare_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    if (spl_take_options(p, args) < 0)
        return -1;
    if (p->token.kind == SPL_SUBSEARCH && spl_take_subsearch(p, &args->other) < 0)
        return -1;
    if (spl_take_fields_options(p, args, stops, &args->fields) < 0)
        return -1;
    if (!spl_at_word(p, "by"))
        return spl_fail(p, "compare needs the fields by which rows meet: compare by host");
    if (spl_advance(p) < 0 || spl_take_fields_options(p, args, NULL, &args->by) < 0)
        return -1;
    if (!args->by.count)
        return spl_fail(p, "after by the name of a field is missing");
    if (!args->other && !args->earliest.ptr)
        return spl_fail(p, "compare needs the other period, earliest=-2d@d latest=-1d@d, or another "
                           "search in [ ]");
    if (args->other && (args->earliest.ptr || args->latest.ptr))
        return spl_fail(p, "compare takes another period or another search, not both");
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted->all = true;
}

/* The query up to this command, over the other period. */
static int rows_before(struct stage *op, struct batch **rows, struct err *err)
{
    const struct compare_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct spl_query *query = arena_alloc(arena, sizeof(*query));
    if (!query)
        return run_nomem(op->run, err);
    *query = *op->run->query;
    query->earliest = args->earliest;
    query->latest = args->latest.ptr ? args->latest : SLICE("now");
    struct spl_command **to = &query->commands;
    query->command_count = 0;
    for (const struct spl_command *c = op->run->query->commands; c != op->command; c = c->next) {
        if (!(*to = arena_alloc(arena, sizeof(**to))))
            return run_nomem(op->run, err);
        **to = *c;
        to = &(*to)->next;
        query->command_count++;
    }
    *to = NULL;
    return run_subsearch(op->run, query, rows, err);
}

struct comparing {
    const struct batch *now, *before;
    struct batch *out;
    struct map by_key; /* row of before + 1 */
    bool *met;         /* rows of before */
};

static bool is_key(const struct compare_args *args, struct slice name)
{
    for (size_t i = 0; i < args->by.count; i++)
        if (slice_equal(args->by.names[i], name))
            return true;
    return false;
}

static bool is_compared(const struct compare_args *args, struct slice name)
{
    for (size_t i = 0; i < args->fields.count; i++)
        if (slice_matches_stars(name, args->fields.names[i]))
            return true;
    return args->fields.count == 0 && !rows_is_internal(name);
}

static int put_pair(struct stage *op, struct comparing *c, uint32_t row, struct slice name,
                    struct value now, struct value before)
{
    struct arena *arena = op->run->arena;
    struct value a, b, change = value_null();
    struct slice shown = spl_field_shown(name, NULL);
    struct slice names[3] = {arena_printf(arena, "before(%.*s)", SLICE_ARG(shown)),
                             arena_printf(arena, "change(%.*s)", SLICE_ARG(shown)),
                             arena_printf(arena, "change_percent(%.*s)", SLICE_ARG(shown))};
    bool numbers = value_to_number(now, arena, &a) && value_to_number(before, arena, &b);
    if (!names[0].ptr || !names[1].ptr || !names[2].ptr)
        return -1;
    if (before.type != VALUE_NULL && batch_put(c->out, row, names[0], before) < 0)
        return -1;
    if (!numbers)
        return 0;
    change = value_arithmetic(OP_SUBTRACT, a, b, arena);
    double from = value_to_f64(b);
    if (change.type != VALUE_NULL && batch_put(c->out, row, names[1], change) < 0)
        return -1;
    return from == 0 ? 0
                     : batch_put(c->out, row, names[2],
                                 rows_from_f64(100 * value_to_f64(change) / from));
}

static int put_cells(struct comparing *c, uint32_t row, const struct column *column, uint32_t from)
{
    uint32_t first, count = column_range(column, from, &first);
    struct column *to = batch_column(c->out, column->name);
    for (uint32_t k = 0; to && k < count; k++)
        if (column_add(c->out, to, row, column_value(column, first + k)) < 0)
            return -1;
    return to ? 0 : -1;
}

/* One row of the answer; now or before may be UINT32_MAX. */
static int put_row(struct stage *op, struct comparing *c, uint32_t now, uint32_t before)
{
    const struct compare_args *args = op->command->args;
    uint32_t row = c->out->row_count++;
    const char *status = now == UINT32_MAX ? "gone" : before == UINT32_MAX ? "new" : "both";
    for (uint32_t i = 0; now == UINT32_MAX && i < args->by.count; i++) {
        const struct column *key = batch_find(c->before, args->by.names[i]);
        if (key && put_cells(c, row, key, before) < 0)
            return -1;
    }
    for (uint32_t i = 0; now != UINT32_MAX && i < c->now->column_count; i++)
        if (put_cells(c, row, c->now->columns[i], now) < 0)
            return -1;
    for (int side = 0; side < 2; side++) {
        const struct batch *batch = side ? c->before : c->now;
        for (uint32_t i = 0; batch && i < batch->column_count; i++) {
            struct slice name = batch->columns[i]->name;
            if (is_key(args, name) || !is_compared(args, name) ||
                (side && c->now && batch_find(c->now, name)))
                continue;
            struct value own = now == UINT32_MAX ? value_null() : batch_first(c->now, now, name);
            struct value other =
                before == UINT32_MAX ? value_null() : batch_first(c->before, before, name);
            if (put_pair(op, c, row, name, own, other) < 0)
                return -1;
        }
    }
    return batch_put(c->out, row, SLICE("status"), value_string(slice_text(status)));
}

static int note_keys(struct stage *op, struct comparing *c)
{
    const struct compare_args *args = op->command->args;
    bool failed = false;
    for (uint32_t row = 0; row < c->before->row_count; row++) {
        struct slice key = rows_key(c->before, row, &args->by, op->run->arena, &failed);
        void **slot = key.ptr ? map_slot(&c->by_key, key) : NULL;
        if (failed || (key.ptr && !slot))
            return -1;
        c->met[row] = slot && *slot;
        if (c->met[row])
            run_message(op->run, "compare-keys", op->command, true,
                        "compare: several rows of the other period have the same key; the first "
                        "counts");
        else if (slot)
            *slot = (void *)(uintptr_t)(row + 1U);
    }
    return 0;
}

static int meet(struct stage *op, struct comparing *c)
{
    const struct compare_args *args = op->command->args;
    bool failed = false;
    for (uint32_t row = 0; c->now && row < c->now->row_count; row++) {
        struct slice key = rows_key(c->now, row, &args->by, op->run->arena, &failed);
        uintptr_t found = key.ptr ? (uintptr_t)map_find(&c->by_key, key) : 0;
        if (failed || put_row(op, c, row, found ? (uint32_t)(found - 1) : UINT32_MAX) < 0)
            return -1;
        if (found)
            c->met[found - 1] = true;
    }
    for (uint32_t row = 0; row < c->before->row_count; row++)
        if (!c->met[row] && put_row(op, c, UINT32_MAX, row) < 0)
            return -1;
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct compare_args *args = op->command->args;
    struct run *run = op->run;
    struct batch *before;
    struct comparing c = {.now = ((struct hold *)op->state)->rows.batch};
    int result = args->other ? run_subsearch(run, args->other, &before, err)
                             : rows_before(op, &before, err);
    if (result < 0)
        return -1;
    c.before = before;
    c.out = frame_batch_new(run->arena, 0);
    c.met = arena_array(run->arena, before->row_count + 1U, sizeof(*c.met));
    map_init(&c.by_key, run->arena);
    if (!c.out || !c.met || note_keys(op, &c) < 0 || meet(op, &c) < 0)
        return run_nomem(run, err);
    return stage_emit(op, c.out, NULL, c.out->row_count, err);
}

const struct command command_compare = {
    .name = "compare",
    .syntax = "compare [[search]] [FIELD ...] [options] by FIELD ...",
    .summary = "rows beside those of another period: compare by host earliest=-2d@d latest=-1d@d",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS | COMMAND_BRACKETS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
