/*
 * process: what happens one after the other in each case.
 *
 *   mode=map          a row for each step from one activity to another: count, median and p95 seconds
 *   mode=variants     a row for each way through: count, share, median seconds
 *   mode=conformance  a row for each way through: whether it is the model's, and where it is not
 *
 * Rows of a case are taken by time; rows of the same time in the order they come.
 */
#include "event/schema.h"
#include "search/commands/fences.h"
#include "search/group.h"
#include "search/hold.h"

#include <math.h>
#include <stdlib.h>

enum process_mode { MODE_MAP, MODE_VARIANTS, MODE_CONFORMANCE };

struct process_args {
    struct slice case_field, activity, mode_name, model_text;
    enum process_mode mode;
    struct slice *model;
    uint32_t model_count;
};

#define AT(f) offsetof(struct process_args, f)
static const struct command_option options[] = {
    {.name = "case", OPTION_FIELD, AT(case_field), "the field that says which case a row belongs to"},
    {.name = "activity", OPTION_FIELD, AT(activity), "the field that says what happened"},
    {.name = "mode", OPTION_TEXT, AT(mode_name), "map, variants or conformance (map)"},
    {.name = "model", OPTION_TEXT, AT(model_text), "how it should go: \"order>pay>ship\""},
};

static int read_model(struct spl_parser *p, struct process_args *args)
{
    struct slice rest = args->model_text, part;
    while (slice_next_part(&rest, '>', &part)) {
        args->model = spl_grow(p->arena, args->model, args->model_count, sizeof(part));
        part = slice_trim(part);
        if (!args->model)
            return err_nomem(p->err);
        if (!part.len)
            return spl_fail(p, "a step of the model is empty; write model=\"order>pay>ship\"");
        args->model[args->model_count++] = part;
    }
    return args->model_count <= PROCESS_STEPS_MAX
               ? 0
               : spl_fail(p, "a model has at most %d steps", PROCESS_STEPS_MAX);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const names[] = {"map", "variants", "conformance"};
    struct process_args *args = command_args(p, command, sizeof(*args));
    size_t mode = 0;
    if (!args)
        return -1;
    args->mode_name = SLICE("map");
    if (spl_take_options(p, args) < 0)
        return -1;
    while (mode < 3 && !slice_is_nocase(args->mode_name, names[mode]))
        mode++;
    if (mode == 3)
        return spl_fail(p, "mode is map, variants or conformance");
    args->mode = (enum process_mode)mode;
    if (!args->case_field.ptr || !args->activity.ptr)
        return spl_fail(p, "process needs case= and activity=: process case=order activity=step");
    if ((args->mode == MODE_CONFORMANCE) != (args->model_text.ptr != NULL))
        return spl_fail(p, "model=\"A>B>C\" and mode=conformance belong together");
    return read_model(p, args) < 0 ? -1 : spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct process_args *args = command->args;
    wanted_reset(wanted);
    wanted_add(wanted, args->case_field);
    wanted_add(wanted, args->activity);
    wanted_add(wanted, FIELD_TIMESTAMP);
}

struct step {
    uint32_t owner, activity, order;
    int64_t time_ns;
};

struct process {
    struct hold hold;
    struct intern cases, activities;
    struct step *steps;
    uint32_t count;
};

static int by_case(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Rows without a case, an activity or a time are no steps; how many is said. */
static int read_steps(struct stage *op, struct process *p)
{
    const struct process_args *args = op->command->args;
    const struct batch *batch = p->hold.rows.batch;
    struct arena *arena = op->run->arena;
    uint32_t left = 0;
    p->steps = arena_array(arena, batch->row_count + 1U, sizeof(*p->steps));
    for (uint32_t row = 0; p->steps && row < batch->row_count; row++) {
        struct value owner = batch_first(batch, row, args->case_field);
        struct value activity = batch_first(batch, row, args->activity);
        int64_t ns;
        if (owner.type == VALUE_NULL || activity.type == VALUE_NULL ||
            !rows_time(batch_first(batch, row, FIELD_TIMESTAMP), &ns)) {
            left++;
            continue;
        }
        struct step *s = &p->steps[p->count++];
        *s = (struct step){intern_value(&p->cases, arena, owner),
                           intern_value(&p->activities, arena, activity), row, ns};
        if (s->owner == GROUP_NONE || s->activity == GROUP_NONE)
            return -1;
    }
    if (left)
        run_message(op->run, "process-rows", op->command, false,
                    "process left %u rows out that lack the case, the activity or the time", left);
    if (p->steps && p->count)
        qsort(p->steps, p->count, sizeof(*p->steps), by_case);
    return p->steps ? 0 : -1;
}

/* ---- a table of keys with their durations ---- */

struct tally {
    struct slice key;     /* numbers of activities */
    uint32_t count, room, example;
    double *seconds;
};

struct tallies {
    struct map by_key;
    struct tally **list;
    uint32_t count;
    uint64_t total;
};

static int tally_add(struct tallies *all, struct arena *arena, struct slice key, double seconds,
                     uint32_t example)
{
    struct tally *t = map_find(&all->by_key, key);
    if (!t) {
        struct slice copy = arena_copy(arena, key);
        t = arena_calloc(arena, sizeof(*t));
        all->list = spl_grow(arena, all->list, all->count, sizeof(*all->list));
        if (!copy.ptr || !t || !all->list || map_put(&all->by_key, copy, t) < 0)
            return -1;
        t->key = copy;
        t->example = example;
        all->list[all->count++] = t;
    }
    t->seconds = spl_grow(arena, t->seconds, t->count, sizeof(*t->seconds));
    if (!t->seconds)
        return -1;
    t->seconds[t->count++] = seconds;
    all->total++;
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct tally *const *x = a, *const *y = b;
    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    return slice_compare((*x)->key, (*y)->key);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_tallies(struct tallies *all)
{
    if (all->count)
        qsort(all->list, all->count, sizeof(*all->list), by_count);
    for (uint32_t i = 0; i < all->count; i++)
        qsort(all->list[i]->seconds, all->list[i]->count, sizeof(double), by_number);
}

static double seconds_between(int64_t from, int64_t to)
{
    return round((double)(to - from) / 1e3) / 1e6;
}

static int put_number(struct batch *out, uint32_t row, const char *name, double n)
{
    return batch_put(out, row, slice_text(name), rows_from_f64(n));
}

/* ---- map ---- */

static int emit_map(struct stage *op, struct process *p, struct tallies *all, struct batch *out)
{
    for (uint32_t i = 1; i < p->count; i++) {
        const struct step *from = &p->steps[i - 1], *to = &p->steps[i];
        uint32_t key[2] = {from->activity, to->activity};
        if (from->owner == to->owner &&
            tally_add(all, op->run->arena, slice_of(key, sizeof(key)),
                      seconds_between(from->time_ns, to->time_ns), to->owner) < 0)
            return -1;
    }
    sort_tallies(all);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct tally *t = all->list[i];
        uint32_t key[2];
        memcpy(key, t->key.ptr, sizeof(key));
        if (batch_put(out, i, SLICE("from"), p->activities.values[key[0]]) < 0 ||
            batch_put(out, i, SLICE("to"), p->activities.values[key[1]]) < 0 ||
            put_number(out, i, "count", t->count) < 0 ||
            put_number(out, i, "median_duration", fence_rank(t->seconds, t->count, 50)) < 0 ||
            put_number(out, i, "p95_duration", fence_rank(t->seconds, t->count, 95)) < 0)
            return -1;
        out->row_count++;
    }
    return 0;
}

/* ---- ways through ---- */

static int find_variants(struct stage *op, struct process *p, struct tallies *all)
{
    uint32_t *way = arena_array(op->run->arena, p->count + 1U, sizeof(*way));
    for (uint32_t i = 0, start = 0; way && i < p->count; i++) {
        way[i - start] = p->steps[i].activity;
        if (i + 1 < p->count && p->steps[i + 1].owner == p->steps[i].owner)
            continue;
        double seconds = seconds_between(p->steps[start].time_ns, p->steps[i].time_ns);
        if (tally_add(all, op->run->arena, slice_of(way, (i + 1 - start) * sizeof(*way)), seconds,
                      p->steps[i].owner) < 0)
            return -1;
        start = i + 1;
    }
    sort_tallies(all);
    return way ? 0 : -1;
}

static struct slice activity_text(const struct process *p, const struct tally *t, uint32_t index,
                                  struct arena *arena)
{
    uint32_t id;
    memcpy(&id, t->key.ptr + index * sizeof(id), sizeof(id));
    return rows_text(p->activities.values[id], arena);
}

static int put_variant(struct stage *op, const struct process *p, const struct tallies *all,
                       const struct tally *t, struct batch *out)
{
    struct arena *arena = op->run->arena;
    uint32_t row = out->row_count++, steps = (uint32_t)(t->key.len / sizeof(uint32_t));
    struct buffer text;
    buffer_init(&text, 16 * MIB);
    for (uint32_t i = 0; i < steps; i++) {
        buffer_put_text(&text, i ? ">" : "");
        buffer_put(&text, activity_text(p, t, i, arena));
    }
    struct slice copy = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return copy.ptr && batch_put(out, row, SLICE("variant"), value_string(copy)) == 0 &&
                   put_number(out, row, "count", t->count) == 0 &&
                   put_number(out, row, "share", (double)t->count / (double)all->total) == 0 &&
                   put_number(out, row, "median_duration", fence_rank(t->seconds, t->count, 50)) ==
                       0 &&
                   batch_put(out, row, SLICE("example"), p->cases.values[t->example]) == 0
               ? 0
               : -1;
}

/* The longest common subsequence of model and way; what the way lacks is missing, what it has beside
 * is unexpected, in the order of the way. */
static int put_deviations(struct stage *op, const struct process *p, const struct tally *t,
                          struct batch *out, uint32_t row)
{
    const struct process_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    uint32_t n = (uint32_t)(t->key.len / sizeof(uint32_t)), m = args->model_count, bad = 0;
    struct slice *way = arena_array(arena, n + 1U, sizeof(*way));
    uint16_t *best = arena_array(arena, (size_t)(n + 1) * (m + 1), sizeof(*best));
    struct column *to = batch_column(out, SLICE("deviations"));
    if (!way || !best || !to)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        way[i] = activity_text(p, t, i, arena);
#define BEST(i, k) best[(size_t)(i) * (m + 1) + (k)]
    for (uint32_t i = n; i-- > 0;)
        for (uint32_t k = m; k-- > 0;)
            BEST(i, k) = slice_equal(way[i], args->model[k])
                             ? (uint16_t)(BEST(i + 1, k + 1) + 1)
                             : (BEST(i + 1, k) > BEST(i, k + 1) ? BEST(i + 1, k) : BEST(i, k + 1));
    for (uint32_t i = 0, k = 0; i < n || k < m;) {
        if (i < n && k < m && slice_equal(way[i], args->model[k])) {
            i++, k++;
            continue;
        }
        bool missing = i == n || (k < m && BEST(i, k + 1) >= BEST(i + 1, k));
        struct slice text = arena_printf(arena, "%s %.*s", missing ? "missing" : "unexpected",
                                         SLICE_ARG(missing ? args->model[k] : way[i]));
        if (!text.ptr || column_add(out, to, row, value_string(text)) < 0)
            return -1;
        bad++;
        missing ? k++ : i++;
    }
#undef BEST
    return put_number(out, row, "conforms", bad == 0);
}

static int finish(struct stage *op, struct err *err)
{
    const struct process_args *args = op->command->args;
    struct process p = {.hold = *(struct hold *)op->state};
    struct tallies all = {0};
    struct batch *out = frame_batch_new(op->run->arena, 0);
    map_init(&all.by_key, op->run->arena);
    if (!p.hold.rows.batch)
        return 0;
    if (!out || read_steps(op, &p) < 0)
        return run_nomem(op->run, err);
    if (args->mode == MODE_MAP)
        return emit_map(op, &p, &all, out) < 0 ? run_nomem(op->run, err)
                                               : stage_emit(op, out, NULL, out->row_count, err);
    if (find_variants(op, &p, &all) < 0)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < all.count; i++) {
        const struct tally *t = all.list[i];
        bool check = args->mode == MODE_CONFORMANCE;
        if (check && t->key.len / sizeof(uint32_t) > PROCESS_STEPS_MAX)
            return err_set(err, ERR_LIMIT, "process: a case has more than %d steps, too many to hold "
                                           "against a model",
                           PROCESS_STEPS_MAX);
        if (put_variant(op, &p, &all, t, out) < 0 ||
            (check && put_deviations(op, &p, t, out, i) < 0))
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_process = {
    .name = "process",
    .syntax = "process case=FIELD activity=FIELD [mode=map|variants|conformance] [model=\"A>B\"]",
    .summary = "steps, ways and deviations of cases: process case=order activity=step mode=variants",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
