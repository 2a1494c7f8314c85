/* fieldsummary: a row a field with what it holds. */
#include "search/group.h"
#include "search/rows.h"
#include "search/stat.h"

#include <stdlib.h>

struct fieldsummary_args {
    int64_t values;
    struct field_list fields;
};

static const struct command_option options[] = {
    {.name = "maxvals", OPTION_I64, offsetof(struct fieldsummary_args, values),
     "values shown of a field (100; 0: all)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct fieldsummary_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->values = 100;
    return spl_take_fields_options(p, args, NULL, &args->fields);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct fieldsummary_args *args = command->args;
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->fields);
    if (!args->fields.count)
        wanted->all = true;
}

/* Of the numbers among the values. */
enum { NUMBER_MAX, NUMBER_MEAN, NUMBER_MIN, NUMBER_STDEV, NUMBER_COUNT };
static const char *const stat_names[] = {"max", "avg", "min", "stdev"};
static const char *const shown_names[] = {"max", "mean", "min", "stdev"};

struct summary {
    struct slice name;
    uint64_t count, numbers;
    struct intern distinct;
    uint64_t *counts; /* by number of the value */
    uint32_t room;
    void *states[NUMBER_COUNT];
};

struct summaries {
    struct map by_name;
    struct summary **list;
    uint32_t count;
    const struct stat *stats[NUMBER_COUNT];
    struct stat_scope scope;
};

static struct summary *find_summary(struct stage *op, struct slice name)
{
    struct summaries *all = op->state;
    struct arena *arena = op->run->arena;
    struct summary *s = map_find(&all->by_name, name);
    if (s)
        return s;
    s = arena_calloc(arena, sizeof(*s));
    all->list = spl_grow(arena, all->list, all->count, sizeof(*all->list));
    if (!s || !all->list || !(s->name = arena_copy(arena, name)).ptr ||
        map_put(&all->by_name, s->name, s) < 0)
        return NULL;
    for (int i = 0; i < NUMBER_COUNT; i++)
        if (!(s->states[i] = arena_calloc(arena, all->stats[i]->size)))
            return NULL;
    all->list[all->count++] = s;
    return s;
}

static int count_value(struct stage *op, struct summary *s, struct value v)
{
    struct summaries *all = op->state;
    int128 room;
    struct value n;
    uint32_t id = intern_value(&s->distinct, op->run->arena, v);
    if (id == GROUP_NONE)
        return -1;
    if (id >= s->room) {
        uint32_t size = grown_room(s->room > id ? s->room : id);
        s->counts = grown_array(op->run->arena, s->counts, s->room * sizeof(uint64_t),
                                size * sizeof(uint64_t));
        if (!s->counts)
            return -1;
        memset(s->counts + s->room, 0, (size - s->room) * sizeof(uint64_t));
        s->room = size;
    }
    s->counts[id]++;
    s->count++;
    if (v.type == VALUE_TIME)
        v = value_f64((double)v.i64 / 1e9);
    if (!stat_number(v, &room, &n))
        return 0;
    s->numbers++;
    for (int i = 0; i < NUMBER_COUNT; i++)
        all->stats[i]->add(&all->scope, s->states[i], n, 0);
    return all->scope.exhausted ? -1 : 0;
}

static bool asked(const struct fieldsummary_args *args, struct slice name)
{
    for (size_t i = 0; i < args->fields.count; i++) {
        struct slice pattern = args->fields.names[i];
        if (slice_equal(name, pattern) ||
            (!rows_is_internal(name) && slice_matches_stars(name, pattern)))
            return true;
    }
    return args->fields.count == 0 && !rows_is_internal(name);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct fieldsummary_args *args = op->command->args;
    for (uint32_t c = 0; c < frame->batch->column_count; c++) {
        const struct column *column = frame->batch->columns[c];
        struct summary *s = NULL;
        if (!asked(args, column->name))
            continue;
        for (uint32_t i = 0; i < column->count; i++) {
            struct value v = column_value(column, i);
            if (v.type == VALUE_NULL || !bits_get(frame->selected, column->rows[i]))
                continue;
            if (!s && !(s = find_summary(op, column->name)))
                return run_nomem(op->run, err);
            if (count_value(op, s, v) < 0)
                return run_nomem(op->run, err);
        }
    }
    return run_check(op->run, err);
}

struct counted {
    uint64_t count;
    struct value value;
};

static int by_count(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return value_compare(x->value, y->value);
}

/* [{"value":"a","count":3},...], most frequent first */
static struct slice values_text(struct stage *op, const struct summary *s)
{
    const struct fieldsummary_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    struct counted *list = arena_array(arena, s->distinct.count + 1U, sizeof(*list));
    uint32_t count = s->distinct.count;
    struct buffer text;
    struct json json;
    if (!list)
        return SLICE_NONE;
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct counted){s->counts[i], s->distinct.values[i]};
    if (count)
        qsort(list, count, sizeof(*list), by_count);
    if (args->values && (uint64_t)args->values < count)
        count = (uint32_t)args->values;
    buffer_init(&text, MEMORY_QUERY_MAX);
    json_init(&json, &text);
    json_open(&json, '[');
    for (uint32_t i = 0; i < count; i++) {
        json_open(&json, '{');
        json_put_text(&json, "value", rows_text(list[i].value, arena));
        json_key(&json, "count");
        json_u64(&json, list[i].count);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static int put_summary(struct stage *op, struct batch *out, const struct summary *s)
{
    struct summaries *all = op->state;
    uint32_t row = out->row_count++;
    struct slice values = values_text(op, s);
    struct slice shown = spl_field_shown(s->name, NULL);
    struct {
        const char *name;
        struct value v;
    } cells[] = {{"field", value_string(shown)},
                 {"count", value_i64((int64_t)s->count)},
                 {"distinct_count", value_i64(s->distinct.count)},
                 {"is_exact", value_i64(1)},
                 {"numeric_count", value_i64((int64_t)s->numbers)},
                 {"values", value_string(values)}};
    for (size_t i = 0; i < ARRAY_COUNT(cells); i++) {
        if (i == 4)
            for (int n = 0; n < NUMBER_COUNT; n++) {
                struct value_list list = {0};
                all->stats[n]->result(&all->scope, s->states[n], &list);
                if (!batch_column(out, slice_text(shown_names[n])) ||
                    (s->numbers && list.count &&
                     batch_put(out, row, slice_text(shown_names[n]), list.values[0]) < 0))
                    return -1;
            }
        if (batch_put(out, row, slice_text(cells[i].name), cells[i].v) < 0)
            return -1;
    }
    return values.ptr ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
    const struct summary *const *x = a, *const *y = b;
    return slice_compare(spl_field_shown((*x)->name, NULL), spl_field_shown((*y)->name, NULL));
}

static int finish(struct stage *op, struct err *err)
{
    struct summaries *all = op->state;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    if (!out)
        return run_nomem(op->run, err);
    if (all->count)
        qsort(all->list, all->count, sizeof(*all->list), by_name);
    for (uint32_t i = 0; i < all->count; i++)
        if (put_summary(op, out, all->list[i]) < 0)
            return run_nomem(op->run, err);
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct summaries *all = arena_calloc(run->arena, sizeof(*all));
    const char *nearest;
    double percent;
    (void)command;
    if (!all)
        return run_nomem(run, err);
    map_init(&all->by_name, run->arena);
    all->scope.arena = run->arena;
    for (int i = 0; i < NUMBER_COUNT; i++)
        all->stats[i] = stat_find(slice_text(stat_names[i]), &percent, &nearest);
    op->push = push;
    op->finish = finish;
    op->state = all;
    return 0;
}

const struct command command_fieldsummary = {
    .name = "fieldsummary",
    .syntax = "fieldsummary [options] [FIELD ...]",
    .summary = "what each field holds: fieldsummary maxvals=10 user host*",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
