#include "search/overflow.h"

#include "event/schema.h"

bool overflow_is_possible(const struct aggregator *a)
{
    const struct arena_budget *budget = &a->run->memory->budget;
    return a->groups.field_count && budget->bytes_held > budget->bytes_max / 4;
}

bool overflow_is_near(const struct aggregator *a)
{
    return a->groups.field_count && search_memory_is_short(a->run->memory, arena_used(a->arena));
}

int overflow_keys(struct sort_keys *keys, const struct slice *fields, size_t count,
                  struct arena *arena)
{
    struct sort_key *list = arena_array(arena, 2 * count + 1, sizeof(*list));
    for (size_t i = 0; list && i < count; i++) {
        list[2 * i] = (struct sort_key){.field = fields[i]};
        list[2 * i + 1] = (struct sort_key){.field = fields[i], .kind = SORT_TEXT};
    }
    *keys = (struct sort_keys){list, 2 * count};
    return list ? 0 : -1;
}

int overflow_init(struct overflow *overflow, struct aggregator *a, struct err *err)
{
    *overflow = (struct overflow){.a = a};
    if (overflow_keys(&overflow->keys, a->groups.fields, a->groups.field_count, a->run->arena) < 0)
        return run_nomem(a->run, err);
    return sorter_init(&overflow->rows, a->run, &overflow->keys, 0, err);
}

/* ---- rows in ---- */

/* The rows of a frame that belong to groups that are not in memory, each with one value a field. */
struct strangers {
    uint32_t *rows;
    struct value *tuples;
    uint32_t count, room;
};

static int add_stranger(struct strangers *s, struct arena *arena, uint32_t row,
                        const struct value *tuple, size_t width)
{
    if (s->count == s->room) {
        uint32_t room = s->room ? 2 * s->room : 256;
        s->rows = arena_grow(arena, s->rows, s->room * sizeof(*s->rows), room * sizeof(*s->rows));
        s->tuples = arena_grow(arena, s->tuples, s->room * width * sizeof(*tuple),
                               room * width * sizeof(*tuple));
        if (!s->rows || !s->tuples)
            return -1;
        s->room = room;
    }
    s->rows[s->count] = row;
    memcpy(s->tuples + s->count++ * width, tuple, width * sizeof(*tuple));
    return 0;
}

struct walk {
    struct overflow *overflow;
    const struct frame *frame;
    const struct column *columns[64];
    struct value tuple[64];
    uint32_t row;
    struct strangers strangers;
};

/* One combination after the other. */
static int take_row(struct walk *walk, size_t field, struct err *err)
{
    struct aggregator *a = walk->overflow->a;
    if (field == a->groups.field_count) {
        uint32_t group = grouper_look(&a->groups, walk->tuple);
        if (group != GROUP_NONE)
            return aggregator_add_row(a, walk->frame, walk->row, group, err);
        return add_stranger(&walk->strangers, walk->frame->batch->arena, walk->row, walk->tuple,
                            field) < 0
                   ? run_nomem(a->run, err)
                   : 0;
    }
    uint32_t at = 0, n = walk->columns[field] ? column_range(walk->columns[field], walk->row, &at) : 0;
    bool some = false;
    for (uint32_t i = 0; i < n; i++) {
        walk->tuple[field] = column_value(walk->columns[field], at + i);
        some |= walk->tuple[field].type != VALUE_NULL;
        if (walk->tuple[field].type != VALUE_NULL && take_row(walk, field + 1, err) < 0)
            return -1;
    }
    if (some || !grouper_takes_null(&a->groups, field))
        return 0;
    walk->tuple[field] = a->groups.null_as;
    return take_row(walk, field + 1, err);
}

static bool is_needed(const struct aggregator *a, struct slice name)
{
    for (size_t i = 0; i < a->slot_count; i++)
        if (slice_equal(aggregator_field(a, i), name))
            return true;
    return slice_equal(name, FIELD_TIMESTAMP);
}

/* Only what the statistics read, with the tuples in the place of the by-fields. */
static int store_strangers(struct walk *walk, struct err *err)
{
    struct aggregator *a = walk->overflow->a;
    struct arena *arena = walk->frame->batch->arena;
    const struct batch *batch = walk->frame->batch;
    const struct strangers *s = &walk->strangers;
    size_t width = a->groups.field_count;
    struct frame narrow = *walk->frame, rows;
    struct column **kept = arena_array(arena, batch->column_count + 1U, sizeof(struct column *));
    if (!kept)
        return run_nomem(a->run, err);
    for (uint32_t c = 0; c < batch->column_count; c++)
        kept[c] = is_needed(a, batch->columns[c]->name) ? batch->columns[c] : NULL;
    if (frame_keep(&narrow, kept, batch->column_count) < 0 ||
        frame_gather(&rows, narrow.batch, s->rows, s->count, arena) < 0)
        return run_nomem(a->run, err);
    for (size_t f = 0; f < width; f++) {
        struct column *column = frame_column(&rows, a->groups.fields[f]);
        for (uint32_t i = 0; column && i < s->count; i++)
            if (column_add(rows.batch, column, i, s->tuples[i * width + f]) < 0)
                return run_nomem(a->run, err);
        if (!column || frame_put(&rows, column) < 0)
            return run_nomem(a->run, err);
    }
    return sorter_add(&walk->overflow->rows, &rows, err);
}

int overflow_add(struct overflow *overflow, struct frame *frame, struct err *err)
{
    struct aggregator *a = overflow->a;
    struct walk walk = {.overflow = overflow, .frame = frame};
    if (aggregator_prepare(a, frame, err) < 0)
        return -1;
    for (size_t f = 0; f < a->groups.field_count; f++)
        walk.columns[f] = batch_find(frame->batch, a->groups.fields[f]);
    for (uint32_t row = frame_next(frame, 0), n = 0; row < frame->batch->row_count;
         row = frame_next(frame, row + 1), n++) {
        walk.row = row;
        if (n % 64 == 0)
            arena_reset(a->run->scratch);
        if (take_row(&walk, 0, err) < 0)
            return -1;
    }
    return walk.strangers.count ? store_strangers(&walk, err) : 0;
}

/* ---- groups out ---- */

struct ending {
    struct overflow *overflow;
    struct aggregator a; /* of the group at hand, and some before it */
    const struct agg *aggs;
    size_t agg_count;
    struct arena *arena;
    struct sorter *out;
    bool some;          /* there was a row before */
    struct value *last; /* its key, in an arena of its own */
    struct arena *keys;
};

static int take_results(void *context, const struct batch *rows, struct err *err)
{
    struct sorter *out = context;
    struct frame frame;
    struct arena *arena = arena_new_within(&out->run->memory->budget);
    int result = arena && frame_share(&frame, rows, NULL, arena) == 0
                     ? sorter_add(out, &frame, err)
                     : run_nomem(out->run, err);
    arena_free(arena);
    return result;
}

static int begin_groups(struct ending *ending, struct err *err)
{
    const struct aggregator *a = ending->overflow->a;
    arena_reset(ending->arena);
    return aggregator_again(&ending->a, a, ending->aggs, ending->agg_count, ending->arena, err);
}

static bool same_key(const struct ending *ending, const struct batch *rows, uint32_t row)
{
    const struct grouper *groups = &ending->overflow->a->groups;
    for (size_t f = 0; f < groups->field_count; f++)
        if (!value_equal(ending->last[f], batch_first(rows, row, groups->fields[f])))
            return false;
    return true;
}

static int note_key(struct ending *ending, const struct batch *rows, uint32_t row)
{
    const struct grouper *groups = &ending->overflow->a->groups;
    arena_reset(ending->keys);
    for (size_t f = 0; f < groups->field_count; f++) {
        struct value v = batch_first(rows, row, groups->fields[f]);
        ending->last[f] = value_copy(v, ending->keys);
        if (ending->last[f].type != v.type)
            return -1;
    }
    return 0;
}

/* Rows from to behind; the groups before them are whole when they begin one. */
static int end_rows(struct ending *ending, const struct batch *rows, uint32_t from, uint32_t behind,
                    struct err *err)
{
    struct run *run = ending->overflow->a->run;
    struct arena *arena = arena_new_within(&run->memory->budget);
    struct frame frame;
    int result = arena && frame_share(&frame, rows, NULL, arena) == 0 ? 0 : run_nomem(run, err);
    if (result == 0) {
        bits_fill(frame.selected, behind);
        for (uint32_t row = 0; row < from; row++)
            bits_clear(frame.selected, row);
        for (uint32_t row = behind; row < rows->row_count; row++)
            bits_clear(frame.selected, row);
        result = aggregator_add_prepared(&ending->a, &frame, err);
    }
    arena_free(arena);
    return result;
}

static int end_groups(struct ending *ending, struct err *err)
{
    enum { WORTH_IT = 4 };
    size_t max = ending->overflow->a->run->memory->budget.bytes_max;
    if (arena_used(ending->arena) < max / 8 / WORTH_IT)
        return 0;
    return aggregator_each(&ending->a, NULL, take_results, ending->out, err) < 0
               ? -1
               : begin_groups(ending, err);
}

/* Sorted rows: the last place where a key ends is where groups may be given away. */
static int take_sorted(void *context, const struct batch *rows, struct err *err)
{
    struct ending *ending = context;
    uint32_t cut = 0, count = rows->row_count;
    bool ends = false;
    for (uint32_t row = 0; row < count; row++) {
        if (ending->some && same_key(ending, rows, row))
            continue;
        ends |= ending->some;
        cut = row;
        ending->some = true;
        if (note_key(ending, rows, row) < 0)
            return run_nomem(ending->overflow->a->run, err);
    }
    if (cut && end_rows(ending, rows, 0, cut, err) < 0)
        return -1;
    if (ends && end_groups(ending, err) < 0)
        return -1;
    return end_rows(ending, rows, cut, count, err);
}

static int end_strangers(struct ending *ending, struct err *err)
{
    if (begin_groups(ending, err) < 0 ||
        sorter_each(&ending->overflow->rows, take_sorted, ending, err) < 0)
        return -1;
    return aggregator_each(&ending->a, NULL, take_results, ending->out, err);
}

int overflow_each(struct overflow *overflow, aggregator_give give, void *context, struct err *err)
{
    struct run *run = overflow->a->run;
    struct ending ending = {.overflow = overflow};
    size_t width = overflow->a->groups.field_count;
    ending.out = arena_alloc(run->arena, sizeof(*ending.out));
    ending.last = arena_array(run->arena, width + 1, sizeof(*ending.last));
    ending.arena = arena_new_within(&run->memory->budget);
    ending.keys = arena_new_within(&run->memory->budget);
    ending.aggs = aggregator_aggs(overflow->a, run->arena, &ending.agg_count);
    bool ready = ending.out && ending.last && ending.arena && ending.keys && ending.aggs;
    int result = ready ? 0 : run_nomem(run, err);
    if (result == 0)
        result = sorter_init(ending.out, run, &overflow->keys, 0, err);
    if (result == 0)
        result = aggregator_each(overflow->a, NULL, take_results, ending.out, err);
    if (result == 0) {
        aggregator_drop(overflow->a);
        result = end_strangers(&ending, err);
    }
    arena_free(ending.arena);
    arena_free(ending.keys);
    return result < 0 ? -1 : sorter_each(ending.out, give, context, err);
}
