/* contingency: how often the values of two fields meet: a row a value of the first, a column a value of
 * the second, and the totals. */
#include "search/group.h"
#include "search/hold.h"
#include "search/rows.h"

enum { CONTINGENCY_COLUMNS = 1000, CONTINGENCY_ROWS = 100000 };

struct contingency_args {
    int64_t columns, rows;
    struct value min_column, min_row;
    bool total;
    struct slice total_name;
    struct field_list fields;
};

#define AT(f) offsetof(struct contingency_args, f)
static const struct command_option options[] = {
    {.name = "maxcols", OPTION_I64, AT(columns), "columns shown (1000; 0: all)"},
    {.name = "maxrows", OPTION_I64, AT(rows), "rows shown (100000; 0: all)"},
    {.name = "mincolcover", OPTION_NUMBER, AT(min_column), "only so many columns as cover this share (1)"},
    {.name = "minrowcover", OPTION_NUMBER, AT(min_row), "only so many rows as cover this share (1)"},
    {.name = "usetotal", OPTION_BOOL, AT(total), "the totals (t)"},
    {.name = "totalstr", OPTION_TEXT, AT(total_name), "their name (TOTAL)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct contingency_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct contingency_args){.columns = CONTINGENCY_COLUMNS,
                                      .rows = CONTINGENCY_ROWS,
                                      .total = true,
                                      .total_name = SLICE("TOTAL")};
    if (spl_take_fields_options(p, args, NULL, &args->fields) < 0)
        return -1;
    return args->fields.count == 2 ? 0 : spl_fail(p, "contingency wants two fields");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_reset(wanted);
    wanted_add_list(wanted, &((const struct contingency_args *)command->args)->fields);
}

struct contingency {
    struct grouper pairs;
    uint64_t *counts;
    uint32_t room;
};

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct contingency *c = op->state;
    struct group_rows rows;
    if (grouper_rows(&c->pairs, frame, &rows) < 0)
        return run_nomem(op->run, err);
    if (c->pairs.count > c->room) {
        uint32_t room = grown_room(c->pairs.count);
        c->counts = grown_array(op->run->arena, c->counts, c->room * sizeof(*c->counts),
                                room * sizeof(*c->counts));
        if (!c->counts)
            return run_nomem(op->run, err);
        memset(c->counts + c->room, 0, (room - c->room) * sizeof(*c->counts));
        c->room = room;
    }
    for (uint32_t i = 0; i < rows.count; i++)
        c->counts[rows.groups[i]]++;
    return 0;
}

/* One side of the table: its values in order, with what each adds up to. */
struct side {
    struct intern values;
    uint64_t *sums;
    uint32_t *order;
    uint32_t shown;
};

static int by_sum(struct side *side, uint32_t a, uint32_t b)
{
    if (side->sums[a] != side->sums[b])
        return side->sums[a] > side->sums[b] ? -1 : 1;
    return value_compare(side->values.values[a], side->values.values[b]);
}

static void merge_sort(struct side *side, uint32_t *list, uint32_t *work, uint32_t count)
{
    uint32_t half = count / 2, i = 0, k = half;
    if (count < 2)
        return;
    merge_sort(side, list, work, half);
    merge_sort(side, list + half, work, count - half);
    memcpy(work, list, count * sizeof(*list));
    for (uint32_t at = 0; at < count; at++)
        list[at] = k >= count || (i < half && by_sum(side, work[i], work[k]) <= 0) ? work[i++]
                                                                                   : work[k++];
}

static int fill_side(struct stage *op, struct side *side, size_t field)
{
    const struct contingency *c = op->state;
    struct arena *arena = op->run->arena;
    uint32_t groups = c->pairs.count;
    side->sums = arena_array(arena, groups + 1U, sizeof(*side->sums));
    side->order = arena_array(arena, groups + 1U, sizeof(*side->order));
    uint32_t *work = arena_array(arena, groups + 1U, sizeof(*work));
    for (uint32_t g = 0; side->sums && g < groups; g++) {
        uint32_t id = intern_value(&side->values, arena, grouper_key(&c->pairs, g, field));
        if (id == GROUP_NONE)
            return -1;
        side->sums[id] += c->counts[g];
    }
    for (uint32_t i = 0; side->order && i < side->values.count; i++)
        side->order[i] = i;
    if (!side->sums || !side->order || !work)
        return -1;
    merge_sort(side, side->order, work, side->values.count);
    return 0;
}

/* As many as are asked for, and cover enough. */
static void cut_side(struct stage *op, struct side *side, int64_t most, const struct value *cover,
                     const char *what)
{
    uint64_t total = 0, sum = 0;
    double share = cover->type ? value_to_f64(*cover) : 1;
    for (uint32_t i = 0; i < side->values.count; i++)
        total += side->sums[i];
    while (side->shown < side->values.count && (double)sum < share * (double)total)
        sum += side->sums[side->order[side->shown++]];
    if (!most || side->shown <= (uint64_t)most)
        return;
    run_message(op->run, "contingency-limit", op->command, true,
                "contingency shows %lld of %u %s; max%s=0 shows all", (long long)most, side->shown,
                what, *what == 'c' ? "cols" : "rows");
    side->shown = (uint32_t)most;
}

/* The counts of what is shown, row by row. */
static uint64_t *matrix(struct stage *op, struct side *rows, struct side *columns)
{
    const struct contingency *c = op->state;
    struct arena *arena = op->run->arena;
    uint32_t groups = c->pairs.count;
    uint32_t *places[2] = {arena_array(arena, groups + 1U, 4), arena_array(arena, groups + 1U, 4)};
    struct side *sides[2] = {rows, columns};
    uint64_t *cells = arena_array(arena, (size_t)rows->shown * columns->shown + 1, sizeof(*cells));
    if (!places[0] || !places[1] || !cells)
        return NULL;
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < sides[s]->values.count; i++)
            places[s][sides[s]->order[i]] = i;
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t at[2];
        for (size_t s = 0; s < 2; s++) {
            uint32_t id =
                intern_value(&sides[s]->values, arena, grouper_key(&c->pairs, g, s));
            at[s] = id == GROUP_NONE ? UINT32_MAX : places[s][id];
        }
        if (at[0] < rows->shown && at[1] < columns->shown)
            cells[(size_t)at[0] * columns->shown + at[1]] = c->counts[g];
    }
    return cells;
}

static int put_row(struct stage *op, struct batch *out, struct value name, const uint64_t *cells,
                   uint32_t count)
{
    const struct contingency_args *args = op->command->args;
    uint32_t row = out->row_count++;
    uint64_t sum = 0;
    if (column_add(out, out->columns[0], row, name) < 0)
        return -1;
    for (uint32_t k = 0; k < count; k++) {
        sum += cells[k];
        if (column_add(out, out->columns[k + 1], row, value_i64((int64_t)cells[k])) < 0)
            return -1;
    }
    return args->total ? column_add(out, out->columns[count + 1], row, value_i64((int64_t)sum)) : 0;
}

static int put_cells(struct stage *op, struct batch *out, struct side *rows, struct side *columns)
{
    const struct contingency_args *args = op->command->args;
    uint32_t width = columns->shown;
    const uint64_t *cells = matrix(op, rows, columns);
    uint64_t *sums = arena_array(op->run->arena, width + 1U, sizeof(*sums));
    if (!cells || !sums)
        return -1;
    for (uint32_t r = 0; r < rows->shown; r++) {
        const uint64_t *own = cells + (size_t)r * width;
        if (put_row(op, out, rows->values.values[rows->order[r]], own, width) < 0)
            return -1;
        for (uint32_t k = 0; k < width; k++)
            sums[k] += own[k];
    }
    bool total = args->total && rows->shown;
    return total ? put_row(op, out, value_string(args->total_name), sums, width) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct contingency_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct side rows = {0}, columns = {0};
    struct batch *out = frame_batch_new(arena, 0);
    if (!out || fill_side(op, &rows, 0) < 0 || fill_side(op, &columns, 1) < 0)
        return run_nomem(op->run, err);
    cut_side(op, &rows, args->rows, &args->min_row, "rows");
    cut_side(op, &columns, args->columns, &args->min_column, "columns");
    if (!batch_column(out, args->fields.names[0]))
        return run_nomem(op->run, err);
    for (uint32_t k = 0; k < columns.shown; k++) {
        struct slice name = rows_text(columns.values.values[columns.order[k]], arena);
        if (!name.ptr || !batch_column(out, name))
            return run_nomem(op->run, err);
        if (out->column_count != k + 2)
            return err_set(err, ERR_CONFIG, "contingency: the value %.*s is also a column's name; "
                                            "rename the first field",
                           SLICE_ARG(name));
    }
    if (args->total && rows.shown &&
        (!batch_column(out, args->total_name) || out->column_count != columns.shown + 2))
        return err_set(err, ERR_CONFIG, "contingency: %.*s is a value of the second field; set "
                                        "totalstr=",
                       SLICE_ARG(args->total_name));
    if (put_cells(op, out, &rows, &columns) < 0)
        return run_nomem(op->run, err);
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct contingency_args *args = command->args;
    struct contingency *c = arena_calloc(run->arena, sizeof(*c));
    op->push = push;
    op->finish = finish;
    op->state = c;
    return !c || grouper_init(&c->pairs, run->arena, args->fields.names, 2, 0) < 0
               ? run_nomem(run, err)
               : 0;
}

const struct command command_contingency = {
    .name = "contingency",
    .syntax = "contingency [options] ROWS COLUMNS",
    .summary = "how often the values of two fields meet: contingency user action",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
