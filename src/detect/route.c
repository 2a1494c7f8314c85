#include "detect/route.h"

#include "base/mem.h"
#include "detect/guard_leaf.h"
#include "detect/value_memo.h"

#define ANSWERS_PENDING UINT32_MAX

/* What the leaves of a column say: one for each different set of answers. */
struct answers {
    uint64_t *bits;
    uint32_t number;
};

struct learnt {
    struct map by_answers; /* answers */
    const struct answers *present[2]; /* where only that matters */
};

/* Where rows are that had these answers so far. */
struct state {
    const struct state *before; /* NULL: the start */
    struct state *steps;        /* that lead on from here, what was taken last first */
    struct state *beside;       /* the next one of before's steps */
    uint32_t column;
    const struct answers *answers;
    bool judged;
    uint64_t needs; /* dear columns that must be asked; 0: the route is known */
    struct route *route;
};

struct routes {
    struct routes_options options;
    struct arena *arena;  /* leaves, columns */
    struct arena *memory; /* what is learnt */
    struct buffer key;
    struct guard_leaves leaves;
    uint64_t *leaf_bits;  /* of the state that is judged: what each leaf says, */
    uint64_t *leaf_known; /* and whether that is known */
    struct learnt *learnt; /* by column */
    struct value_memo *values; /* the number of a value's answers, as a hit; of several values behind all columns */
    struct answers **answers;  /* by number */
    uint32_t answer_size;
    struct map by_guards;  /* routes */
    struct state start;
    uint32_t answer_count;
    struct route **list;
    uint32_t count, size;
    bool full;
};

/* ---- making ---- */

static void forget(struct routes *routes)
{
    for (uint32_t i = 0; i < routes->leaves.column_count; i++) {
        routes->learnt[i] = (struct learnt){0};
        map_init(&routes->learnt[i].by_answers, routes->memory);
    }
    map_init(&routes->by_guards, routes->memory);
    routes->start = (struct state){0};
    routes->list = NULL;
    routes->answers = NULL;
    routes->count = routes->size = routes->answer_count = routes->answer_size = 0;
    routes->full = false;
}

static int make_parts(struct routes *routes, const struct routes_options *options, struct err *err)
{
    buffer_init(&routes->key, MATCH_PLAN_BYTES_MAX);
    routes->arena = arena_new(MATCH_PLAN_BYTES_MAX);
    routes->memory = arena_new(MATCH_PLAN_BYTES_MAX);
    if (!routes->arena || !routes->memory)
        return err_nomem(err);
    if (guard_leaves_make(&routes->leaves, options->guards, options->guard_count, routes->arena, err) < 0)
        return -1;
    size_t bytes = bits_words(routes->leaves.count) * 8 + 8;
    routes->leaf_bits = arena_calloc(routes->arena, bytes);
    routes->leaf_known = arena_calloc(routes->arena, bytes);
    routes->learnt = arena_array(routes->arena, routes->leaves.column_count + 1UL, sizeof(*routes->learnt));
    routes->values = value_memo_new(2 * routes->leaves.column_count, MATCH_ROUTE_BYTES_MAX, true);
    return routes->leaf_bits && routes->leaf_known && routes->learnt && routes->values ? 0 : err_nomem(err);
}

int routes_new(const struct routes_options *options, struct routes **out, struct err *err)
{
    *out = NULL;
    struct routes *routes = mem_calloc(1, sizeof(*routes));
    if (!routes)
        return err_nomem(err);
    routes->options = *options;
    if (make_parts(routes, options, err) < 0) {
        routes_free(routes);
        return -1;
    }
    forget(routes);
    *out = routes;
    return 0;
}

void routes_free(struct routes *routes)
{
    if (!routes)
        return;
    buffer_close(&routes->key);
    value_memo_free(routes->values);
    arena_free(routes->arena);
    arena_free(routes->memory);
    mem_free(routes);
}

bool routes_full(const struct routes *routes)
{
    return routes->full || routes->count > MATCH_ROUTES_MAX || value_memo_full(routes->values) ||
           arena_used(routes->memory) > MATCH_ROUTE_BYTES_MAX;
}

void routes_trim(struct routes *routes)
{
    if (!routes_full(routes))
        return;
    arena_reset(routes->memory);
    value_memo_forget(routes->values);
    forget(routes);
}

struct route *const *routes_list(const struct routes *routes, uint32_t *count)
{
    *count = routes->count;
    return routes->list;
}

/* ---- the guards of a state ---- */

static struct route *route_of(struct routes *routes, const uint64_t *guards)
{
    size_t bytes = bits_words(routes->options.guard_count) * 8 + 8;
    struct route *route = map_find(&routes->by_guards, slice_of(guards, bytes));
    if (route)
        return route;
    struct slice copy = arena_copy(routes->memory, slice_of(guards, bytes));
    route = arena_calloc(routes->memory, sizeof(*route));
    if (!route || !copy.ptr)
        return NULL;
    route->guards = arena_alloc(routes->memory, bytes);
    if (routes->count == routes->size) {
        uint32_t size = routes->size ? 2 * routes->size : 64;
        routes->list = arena_grow(routes->memory, routes->list, routes->size * sizeof(*routes->list),
                                  size * sizeof(*routes->list));
        routes->size = routes->list ? size : 0;
    }
    if (!route->guards || !routes->list)
        return NULL;
    memcpy(route->guards, guards, bytes);
    if (routes->options.attach(routes->options.context, route, routes->memory) < 0 ||
        map_put(&routes->by_guards, copy, route) < 0)
        return NULL;
    routes->list[routes->count++] = route;
    return route;
}

/* What each leaf says in this state: of columns that the row does not have, what it says there. */
static void recall(struct routes *routes, const struct state *state)
{
    const struct guard_leaves *leaves = &routes->leaves;
    size_t bytes = bits_words(leaves->count) * 8;
    memcpy(routes->leaf_bits, leaves->absent, bytes);
    memcpy(routes->leaf_known, leaves->cheap, bytes);
    for (; state->before; state = state->before) {
        const struct guard_column *column = &leaves->columns[state->column];
        for (uint32_t i = 0; i < column->leaf_count; i++) {
            bits_set(routes->leaf_known, column->leaves[i]);
            bits_clear(routes->leaf_bits, column->leaves[i]);
            if (bits_get(state->answers->bits, i))
                bits_set(routes->leaf_bits, column->leaves[i]);
        }
    }
}

static int judge(struct routes *routes, struct state *state, struct arena *scratch)
{
    uint64_t *guards = arena_calloc(scratch, bits_words(routes->options.guard_count) * 8 + 8);
    if (!guards)
        return -1;
    recall(routes, state);
    state->needs = 0;
    for (uint32_t i = 0; i < routes->options.guard_count; i++) {
        struct guard_asked asked = {&routes->leaves, routes->leaf_bits, routes->leaf_known, 0};
        if (guard_holds(&asked, routes->options.guards[i]) == TRUTH_TRUE)
            bits_set(guards, i);
        state->needs |= asked.needs;
    }
    if (!state->needs && !(state->route = route_of(routes, guards)))
        return -1;
    state->judged = true;
    return 0;
}

/* The state that answers of a column lead to. Answers are of one column only. */
static struct state *step(struct routes *routes, struct state *from, uint32_t column,
                          const struct answers *answers)
{
    struct state **at = &from->steps, *state;
    while (*at && (*at)->answers != answers)
        at = &(*at)->beside;
    state = *at;
    if (state) {
        *at = state->beside;
    } else {
        state = arena_calloc(routes->memory, sizeof(*state));
        if (!state)
            return NULL;
        *state = (struct state){.before = from, .column = column, .answers = answers};
    }
    state->beside = from->steps;
    from->steps = state;
    return state;
}

/* ---- a batch ---- */

struct run {
    struct routes *routes;
    struct expr_scope *scope;
    const struct batch *batch;
    struct state **states; /* of the rows */
    struct err *err;
};

/* What the leaves of a column say of these rows: a bitmap for each leaf. NULL: err is set. */
static uint64_t **ask_leaves(struct run *run, uint32_t number, const uint64_t *rows)
{
    const struct guard_column *column = &run->routes->leaves.columns[number];
    size_t bytes = bits_words(run->batch->row_count) * 8 + 8;
    uint64_t **out = arena_array(run->scope->scratch, column->leaf_count + 1UL, sizeof(uint64_t *));
    for (uint32_t i = 0; out && i < column->leaf_count; i++) {
        out[i] = arena_calloc(run->scope->scratch, bytes);
        if (!out[i]) {
            out = NULL;
            break;
        }
        const struct expr *leaf = run->routes->leaves.list[column->leaves[i]].expr;
        if (expr_filter(leaf, run->scope, run->batch, rows, out[i], run->err) < 0)
            return NULL;
    }
    if (!out)
        err_nomem(run->err);
    return out;
}

static int put_answers(struct routes *routes, struct answers *answers)
{
    if (routes->answer_count == routes->answer_size) {
        uint32_t size = routes->answer_size ? 2 * routes->answer_size : 64;
        routes->answers = arena_grow(routes->memory, routes->answers, routes->answer_size * sizeof(*routes->answers),
                                     size * sizeof(*routes->answers));
        routes->answer_size = routes->answers ? size : 0;
        if (!routes->answers)
            return -1;
    }
    answers->number = routes->answer_count;
    routes->answers[routes->answer_count++] = answers;
    return 0;
}

static struct answers *answers_of(struct run *run, uint32_t number, uint64_t *const *bitmaps,
                                        uint32_t row)
{
    struct routes *routes = run->routes;
    const struct guard_column *column = &routes->leaves.columns[number];
    struct learnt *learnt = &routes->learnt[number];
    size_t bytes = bits_words(column->leaf_count) * 8 + 8;
    uint64_t *bits = arena_calloc(run->scope->scratch, bytes);
    if (!bits)
        return NULL;
    for (uint32_t i = 0; i < column->leaf_count; i++)
        if (bits_get(bitmaps[i], row))
            bits_set(bits, i);
    struct answers *answers = map_find(&learnt->by_answers, slice_of(bits, bytes));
    if (answers)
        return answers;
    struct slice copy = arena_copy(routes->memory, slice_of(bits, bytes));
    answers = arena_calloc(routes->memory, sizeof(*answers));
    if (!copy.ptr || !answers)
        return NULL;
    if (put_answers(routes, answers) < 0)
        return NULL;
    answers->bits = arena_alloc(routes->memory, bytes);
    if (!answers->bits || map_put(&learnt->by_answers, copy, answers) < 0)
        return NULL;
    memcpy(answers->bits, bits, bytes);
    return answers;
}

static void put_value(struct buffer *to, struct value v)
{
    char small[VALUE_TEXT_SIZE];
    buffer_put_char(to, (char)v.type);
    if (v.type == VALUE_STRING || v.type == VALUE_IP || v.type == VALUE_DECIMAL)
        buffer_put_block(to, value_text_small(v, small));
    else
        buffer_put_le64(to, (uint64_t)v.i64);
}

/* The values of a row in a column. */
struct row_values {
    const struct column *column;
    uint32_t number; /* the guards' column */
    uint32_t first, end;
};

static bool is_present(const struct row_values *values)
{
    for (uint32_t i = values->first; i < values->end; i++)
        if (column_value(values->column, i).type != VALUE_NULL)
            return true;
    return false;
}

/* Several values are looked up as one text that has all of them. */
static struct value joined(struct routes *routes, const struct row_values *values)
{
    buffer_clear(&routes->key);
    for (uint32_t i = values->first; i < values->end; i++)
        put_value(&routes->key, column_value(values->column, i));
    return value_string(buffer_slice(&routes->key));
}

/* The entry of the values, made when they are new: then the leaves are asked in this batch. */
static struct memo_entry *entry_of(struct run *run, const struct row_values *values, bool *made)
{
    struct memo_lookup lookup;
    struct routes *routes = run->routes;
    bool single = values->end - values->first == 1;
    uint32_t column = single ? values->number : routes->leaves.column_count + values->number;
    struct value v = single ? column_value(values->column, values->first) : joined(routes, values);
    hit pending = ANSWERS_PENDING;
    if (!single && buffer_failed(&routes->key))
        return NULL;
    struct memo_entry *entry = value_memo_find(routes->values, column, &v, &lookup);
    *made = !entry;
    return entry ? entry
                 : value_memo_put(routes->values, column, &v, &lookup, &pending, 1, run->scope->scratch);
}

/* What a batch has of a column: an entry for each row that has it. */
struct column_rows {
    uint32_t *rows;
    struct memo_entry **entries; /* NULL: only presence matters */
    uint8_t *present;
    uint32_t count;
    uint64_t *unknown; /* the first rows of values that are new */
};

static int collect_row(struct run *run, const struct row_values *values, struct column_rows *out)
{
    uint32_t row = values->column->rows[values->first], at = out->count++;
    bool unknown;
    out->rows[at] = row;
    if (run->routes->leaves.columns[values->number].presence) {
        out->present[at] = is_present(values);
        unknown = !run->routes->learnt[values->number].present[out->present[at]];
    } else {
        out->entries[at] = entry_of(run, values, &unknown);
        if (!out->entries[at])
            return -1;
    }
    if (unknown)
        bits_set(out->unknown, row);
    return 0;
}

static int collect_rows(struct run *run, uint32_t number, const struct column *column, struct column_rows *out)
{
    struct arena *scratch = run->scope->scratch;
    out->rows = arena_array(scratch, column->count + 1UL, sizeof(*out->rows));
    out->entries = arena_array(scratch, column->count + 1UL, sizeof(struct memo_entry *));
    out->present = arena_array(scratch, column->count + 1UL, sizeof(*out->present));
    out->unknown = arena_calloc(scratch, bits_words(run->batch->row_count) * 8 + 8);
    if (!out->rows || !out->entries || !out->present || !out->unknown)
        return -1;
    struct row_values values = {.column = column, .number = number};
    while (values.first < column->count) {
        values.end = values.first + 1;
        while (values.end < column->count && column->rows[values.end] == column->rows[values.first])
            values.end++;
        value_memo_ahead(column, values.end + 4);
        if (collect_row(run, &values, out) < 0)
            return -1;
        values.first = values.end;
    }
    return 0;
}

/* The answers of entry i, out of the bitmaps when they are new. */
static const struct answers *settle(struct run *run, uint32_t number, const struct column_rows *rows, uint32_t i,
                                    uint64_t *const *bitmaps)
{
    struct memo_entry *entry = rows->entries[i];
    if (!entry) {
        const struct answers **known = &run->routes->learnt[number].present[rows->present[i]];
        return *known ? *known : (*known = answers_of(run, number, bitmaps, rows->rows[i]));
    }
    if (entry->hits[0] != ANSWERS_PENDING)
        return run->routes->answers[entry->hits[0]];
    const struct answers *answers = answers_of(run, number, bitmaps, rows->rows[i]);
    if (answers)
        entry->hits[0] = answers->number;
    return answers;
}

/* Leads the rows that have the column on. */
static int take_column(struct run *run, uint32_t number, const struct column *column)
{
    struct column_rows rows = {0};
    if (collect_rows(run, number, column, &rows) < 0)
        return err_nomem(run->err);
    uint64_t **bitmaps = NULL;
    if (bits_any(rows.unknown, run->batch->row_count) && !(bitmaps = ask_leaves(run, number, rows.unknown)))
        return -1;
    for (uint32_t i = 0; i < rows.count; i++) {
        struct state **state = &run->states[rows.rows[i]];
        const struct answers *answers = settle(run, number, &rows, i, bitmaps);
        if (!answers || !(*state = step(run->routes, *state, number, answers)))
            return err_nomem(run->err);
    }
    return 0;
}

/* Asks a dear column of the rows that need it. */
static int take_dear_column(struct run *run, uint32_t number, uint64_t dear_bit)
{
    uint32_t row_count = run->batch->row_count;
    uint64_t *rows = arena_calloc(run->scope->scratch, bits_words(row_count) * 8 + 8), **bitmaps;
    if (!rows)
        return err_nomem(run->err);
    for (uint32_t row = 0; row < row_count; row++)
        if (run->states[row]->needs & dear_bit)
            bits_set(rows, row);
    if (!bits_any(rows, row_count))
        return 0;
    if (!(bitmaps = ask_leaves(run, number, rows)))
        return -1;
    for (size_t row = bits_next(rows, row_count, 0); row < row_count; row = bits_next(rows, row_count, row + 1)) {
        const struct answers *answers = answers_of(run, number, bitmaps, (uint32_t)row);
        struct state *state = answers ? step(run->routes, run->states[row], number, answers) : NULL;
        if (!state || (!state->judged && judge(run->routes, state, run->scope->scratch) < 0))
            return err_nomem(run->err);
        run->states[row] = state;
    }
    return 0;
}

static int lead_rows(struct run *run)
{
    struct routes *routes = run->routes;
    const struct guard_leaves *leaves = &routes->leaves;
    for (uint32_t i = 0; i < leaves->column_count; i++) {
        const struct column *column =
            leaves->columns[i].dear_bit ? NULL : batch_find(run->batch, leaves->columns[i].name);
        if (column && take_column(run, i, column) < 0)
            return -1;
    }
    for (uint32_t row = 0; row < run->batch->row_count; row++)
        if (!run->states[row]->judged && judge(routes, run->states[row], run->scope->scratch) < 0)
            return err_nomem(run->err);
    for (uint32_t i = 0; i < leaves->column_count; i++)
        if (leaves->columns[i].dear_bit && take_dear_column(run, i, leaves->columns[i].dear_bit) < 0)
            return -1;
    return 0;
}

int routes_run(struct routes *routes, struct expr_scope *scope, const struct batch *batch,
               struct route **of_row, struct err *err)
{
    struct run run = {.routes = routes, .scope = scope, .batch = batch, .err = err};
    run.states = arena_array(scope->scratch, batch->row_count + 1UL, sizeof(struct state *));
    int result = run.states ? 0 : err_nomem(err);
    for (uint32_t row = 0; result == 0 && row < batch->row_count; row++)
        run.states[row] = &routes->start;
    if (result == 0)
        result = lead_rows(&run);
    for (uint32_t row = 0; result == 0 && row < batch->row_count; row++) {
        of_row[row] = run.states[row]->route;
        of_row[row]->rows++;
    }
    routes->full |= result < 0; /* half of it may be missing */
    return result;
}
