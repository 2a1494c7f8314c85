/* top and rare: counting, ordering, the table. */
#include "search/commands/frequent.h"

#include "search/group.h"
#include "search/rows.h"

#include <stdlib.h>

struct frequent_args {
    int64_t limit;
    struct slice count_field, percent_field, other;
    bool show_count, show_percent, use_other;
    struct field_list fields, by;
};

const struct command_option frequent_options[] = {
    {.name = "limit",
     OPTION_I64,
     offsetof(struct frequent_args, limit),
     "values shown; 0: all",
     .standard = "10"},
    {.name = "countfield",
     OPTION_TEXT,
     offsetof(struct frequent_args, count_field),
     "name of the count",
     .standard = "count"},
    {.name = "percentfield",
     OPTION_TEXT,
     offsetof(struct frequent_args, percent_field),
     "name of the per cent",
     .standard = "percent"},
    {.name = "showcount",
     OPTION_BOOL,
     offsetof(struct frequent_args, show_count),
     "shows the count",
     .standard = "t"},
    {.name = "showperc",
     OPTION_BOOL,
     offsetof(struct frequent_args, show_percent),
     "shows the per cent",
     .standard = "t"},
    {.name = "useother",
     OPTION_BOOL,
     offsetof(struct frequent_args, use_other),
     "a row for all the others",
     .standard = "f"},
    {.name = "otherstr",
     OPTION_TEXT,
     offsetof(struct frequent_args, other),
     "the value in that row",
     .standard = "OTHER"},
};

int frequent_parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const stops[] = {"by", NULL};
    struct frequent_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct frequent_args){.limit = 10,
                                   .count_field = SLICE("count"),
                                   .percent_field = SLICE("percent"),
                                   .other = SLICE("OTHER"),
                                   .show_count = true,
                                   .show_percent = true};
    if (spl_take_options(p, args) < 0)
        return -1;
    if (slice_to_i64(p->token.text, &args->limit) && spl_advance(p) < 0)
        return -1;
    if (spl_take_fields_options(p, args, stops, &args->fields) < 0)
        return -1;
    if (spl_at_word(p, "by") &&
        (spl_advance(p) < 0 || spl_take_fields_options(p, args, NULL, &args->by) < 0))
        return -1;
    return args->fields.count ? 0 : spl_fail(p, "here the name of a field is needed");
}

void frequent_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct frequent_args *args = command->args;
    wanted_reset(wanted);
    wanted_add_list(wanted, &args->fields);
    wanted_add_list(wanted, &args->by);
}

struct top {
    struct grouper by;     /* the by-groups */
    struct grouper values; /* by fields, then the fields counted */
    struct slice *names;
    uint64_t *counts; /* by group of values */
    uint32_t *owner;  /* the by-group of a group of values */
    uint64_t *totals; /* by by-group */
    uint32_t room, by_room;
    bool rare;
};

static int room_for(struct arena *arena, void **list, size_t old, size_t count, size_t width)
{
    void *fresh = arena_array(arena, count, width);
    if (!fresh)
        return -1;
    if (old)
        memcpy(fresh, *list, old * width);
    *list = fresh;
    return 0;
}

static int make_room(struct stage *op, struct top *top)
{
    struct arena *arena = op->run->arena;
    if (top->values.count > top->room) {
        uint32_t room = top->values.count * 2;
        if (room_for(arena, (void **)&top->counts, top->room, room, sizeof(uint64_t)) < 0 ||
            room_for(arena, (void **)&top->owner, top->room, room, sizeof(uint32_t)) < 0)
            return -1;
        top->room = room;
    }
    if (top->by.count > top->by_room) {
        uint32_t room = top->by.count * 2;
        if (room_for(arena, (void **)&top->totals, top->by_room, room, sizeof(uint64_t)) < 0)
            return -1;
        top->by_room = room;
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct top *top = op->state;
    struct group_rows values, by;
    if (grouper_rows(&top->values, frame, &values) < 0 || grouper_rows(&top->by, frame, &by) < 0 ||
        make_room(op, top) < 0)
        return run_nomem(op->run, err);
    uint32_t at = 0;
    for (uint32_t i = 0; i < values.count; i++) {
        while (at + 1 < by.count && by.rows[at] < values.rows[i])
            at++;
        top->counts[values.groups[i]]++;
        top->owner[values.groups[i]] = by.groups[at];
        top->totals[by.groups[at]]++;
    }
    return 0;
}

static int by_count(const void *a, const void *b, void *context)
{
    const struct top *top = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (size_t f = 0; f < top->by.field_count; f++) {
        int order = value_compare(grouper_key(&top->values, x, f), grouper_key(&top->values, y, f));
        if (order)
            return order;
    }
    if (top->counts[x] != top->counts[y])
        return (top->counts[x] > top->counts[y]) == top->rare ? 1 : -1;
    for (size_t f = top->by.field_count; f < top->values.field_count; f++) {
        int order = value_compare(grouper_key(&top->values, x, f), grouper_key(&top->values, y, f));
        if (order)
            return order;
    }
    return 0;
}

struct writer {
    struct stage *op;
    struct batch *batch;
    const struct top *top;
};

static int put(struct writer *w, struct slice name, struct value v)
{
    return batch_put(w->batch, w->batch->row_count - 1, name, v);
}

static int put_counts(struct writer *w, uint64_t count, uint64_t total)
{
    const struct frequent_args *args = w->op->command->args;
    double percent = 100.0 * (double)count / (double)total;
    if (args->show_count && put(w, args->count_field, value_i64((int64_t)count)) < 0)
        return -1;
    return args->show_percent ? put(w, args->percent_field, value_f64(percent)) : 0;
}

static int put_row(struct writer *w, uint32_t group, bool other, uint64_t count)
{
    const struct frequent_args *args = w->op->command->args;
    const struct top *top = w->top;
    w->batch->row_count++;
    for (size_t f = 0; f < top->values.field_count; f++) {
        bool by = f < top->by.field_count;
        struct value v =
            other && !by ? value_string(args->other) : grouper_key(&top->values, group, f);
        if (put(w, top->values.fields[f], v) < 0)
            return -1;
    }
    return put_counts(w, count, top->totals[top->owner[group]]);
}

static int finish(struct stage *op, struct err *err)
{
    const struct frequent_args *args = op->command->args;
    struct top *top = op->state;
    uint32_t count = top->values.count;
    uint32_t *order = arena_array(op->run->arena, count + 1U, sizeof(*order));
    struct writer w = {op, frame_batch_new(op->run->arena, 0), top};
    if (!order || !w.batch)
        return run_nomem(op->run, err);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), by_count, top);
    for (uint32_t i = 0; i < count;) {
        uint32_t owner = top->owner[order[i]], shown = 0, first = order[i];
        uint64_t rest = 0;
        for (; i < count && top->owner[order[i]] == owner; i++) {
            bool show = args->limit == 0 || shown < (uint64_t)args->limit;
            shown += show;
            rest += show ? 0 : top->counts[order[i]];
            if (show && put_row(&w, order[i], false, top->counts[order[i]]) < 0)
                return run_nomem(op->run, err);
        }
        if (rest && args->use_other && put_row(&w, first, true, rest) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, w.batch, NULL, w.batch->row_count, err);
}

int frequent_make(struct run *run, const struct spl_command *command, struct stage *op, bool rare,
                  struct err *err)
{
    const struct frequent_args *args = command->args;
    struct top *top = arena_calloc(run->arena, sizeof(*top));
    size_t count = args->by.count + args->fields.count;
    struct slice *names = arena_array(run->arena, count + 1, sizeof(*names));
    if (!top || !names)
        return run_nomem(run, err);
    if (args->by.count)
        memcpy(names, args->by.names, args->by.count * sizeof(*names));
    memcpy(names + args->by.count, args->fields.names, args->fields.count * sizeof(*names));
    top->rare = rare;
    op->push = push;
    op->finish = finish;
    op->state = top;
    if (grouper_init(&top->by, run->arena, args->by.names, args->by.count, 0) < 0 ||
        grouper_init(&top->values, run->arena, names, count, 0) < 0)
        return run_nomem(run, err);
    return 0;
}
