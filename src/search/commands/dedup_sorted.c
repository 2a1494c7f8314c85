#include "search/commands/dedup_sorted.h"

static const struct sort_key by_key[] = {{.field = {"\001key", 4}, .kind = SORT_TEXT},
                                         {.field = {"\001number", 7}, .kind = SORT_NUMBER}};
static const struct sort_key by_number[] = {{.field = {"\001number", 7}, .kind = SORT_NUMBER}};

/* The rows stay but show the fields no more. */
static int clear_fields(const struct dedup_rule *rule, struct frame *frame, const uint64_t *first)
{
    for (size_t f = 0; f < rule->fields->count; f++) {
        const struct column *old = batch_find(frame->batch, rule->fields->names[f]);
        struct column *fresh = old ? frame_column(frame, old->name) : NULL;
        if (!old)
            continue;
        for (uint32_t i = 0; fresh && i < old->count; i++)
            if (bits_get(first, old->rows[i]) &&
                column_add(frame->batch, fresh, old->rows[i], column_value(old, i)) < 0)
                return -1;
        if (!fresh || frame_put(frame, fresh) < 0)
            return -1;
    }
    return 0;
}

int dedup_keep(const struct dedup_rule *rule, struct frame *frame, const uint64_t *first)
{
    if (rule->keep_events)
        return clear_fields(rule, frame, first);
    bits_and(frame->selected, first, frame->batch->row_count);
    return 0;
}

int dedup_sorted_init(struct dedup_sorted *sorted, struct run *run, const struct dedup_rule *rule,
                      struct err *err)
{
    static const struct sort_keys keys[] = {{by_key, ARRAY_COUNT(by_key)},
                                            {by_number, ARRAY_COUNT(by_number)}};
    *sorted = (struct dedup_sorted){.run = run, .rule = rule};
    return sorter_init(&sorted->strangers, run, &keys[0], 0, err) < 0 ||
                   sorter_init(&sorted->kept, run, &keys[1], 0, err) < 0
               ? -1
               : 0;
}

static int number_rows(struct dedup_sorted *sorted, struct frame *frame)
{
    struct column *numbers = frame_column(frame, ROW_NUMBER);
    for (uint32_t row = frame_next(frame, 0); numbers && row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        if (column_add(frame->batch, numbers, row, value_i64((int64_t)sorted->rows++)) < 0)
            return -1;
    return numbers ? frame_put(frame, numbers) : -1;
}

/* A part of a frame's rows, over the same columns. */
static int share_rows(struct frame *part, const struct frame *frame, const uint64_t *rows, bool others)
{
    if (frame_share(part, frame->batch, frame->selected, frame->batch->arena) < 0)
        return -1;
    for (size_t word = 0; word < bits_words(frame->batch->row_count); word++)
        part->selected[word] &= others ? ~rows[word] : rows[word];
    return 0;
}

static int add_strangers(struct dedup_sorted *sorted, struct frame *frame, struct err *err)
{
    const struct field_list *fields = sorted->rule->fields;
    struct arena *arena = frame->batch->arena;
    struct value *tuple = arena_array(arena, fields->count + 1, sizeof(*tuple));
    struct column *keys = frame_column(frame, ROW_KEY);
    if (!tuple || !keys)
        return run_nomem(sorted->run, err);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct slice key = row_key_first(frame->batch, fields->names, fields->count, row, tuple)
                               ? row_key_text(tuple, fields->count, arena)
                               : SLICE("");
        if (!key.ptr || column_add(frame->batch, keys, row, value_string(key)) < 0)
            return run_nomem(sorted->run, err);
    }
    return frame_put(frame, keys) < 0 ? run_nomem(sorted->run, err)
                                      : sorter_add(&sorted->strangers, frame, err);
}

static int keep_rows(struct dedup_sorted *sorted, struct frame *frame, const uint64_t *first,
                     struct err *err)
{
    if (dedup_keep(sorted->rule, frame, first) < 0)
        return run_nomem(sorted->run, err);
    return bits_any(frame->selected, frame->batch->row_count) ? sorter_add(&sorted->kept, frame, err)
                                                              : 0;
}

int dedup_sorted_add(struct dedup_sorted *sorted, struct frame *frame, const uint64_t *first,
                     const uint64_t *strangers, struct err *err)
{
    struct frame unknown, known;
    if (number_rows(sorted, frame) < 0 || share_rows(&unknown, frame, strangers, false) < 0 ||
        share_rows(&known, frame, strangers, true) < 0)
        return run_nomem(sorted->run, err);
    if (bits_any(unknown.selected, unknown.batch->row_count) &&
        add_strangers(sorted, &unknown, err) < 0)
        return -1;
    return keep_rows(sorted, &known, first, err);
}

/* ---- strangers by key ---- */

struct counting {
    struct dedup_sorted *sorted;
    struct arena *key_arena, *block;
    struct slice key; /* of the row before */
    uint64_t seen;
};

static bool is_first(struct counting *c, struct value key, bool *failed)
{
    if (!c->key.ptr || !slice_equal(c->key, value_slice(key))) {
        arena_reset(c->key_arena);
        c->key = arena_copy(c->key_arena, value_slice(key));
        *failed |= !c->key.ptr;
        c->seen = 0;
    }
    return c->seen++ < (uint64_t)c->sorted->rule->limit;
}

static int count_rows(void *context, const struct batch *rows, struct err *err)
{
    struct counting *c = context;
    const struct column *keys = batch_find(rows, ROW_KEY);
    struct frame frame;
    bool failed = false;
    arena_reset(c->block);
    uint64_t *first = arena_calloc(c->block, bits_words(rows->row_count) * 8 + 8);
    if (!first || frame_share(&frame, rows, NULL, c->block) < 0)
        return run_nomem(c->sorted->run, err);
    for (uint32_t row = 0; row < rows->row_count; row++)
        if (is_first(c, column_first(keys, row), &failed))
            bits_set(first, row);
    frame_drop(&frame, ROW_KEY);
    return failed ? run_nomem(c->sorted->run, err) : keep_rows(c->sorted, &frame, first, err);
}

struct giving {
    struct dedup_sorted *sorted;
    dedup_give give;
    void *context;
};

static int give_rows(void *context, const struct batch *rows, struct err *err)
{
    const struct giving *g = context;
    struct run *run = g->sorted->run;
    struct frame frame;
    arena_reset(run->frames);
    if (frame_share(&frame, rows, NULL, run->frames) < 0 || rows_show(&frame) < 0)
        return run_nomem(run, err);
    return g->give(g->context, &frame, err);
}

int dedup_sorted_each(struct dedup_sorted *sorted, dedup_give give, void *context, struct err *err)
{
    struct arena_budget *budget = &sorted->run->memory->budget;
    struct giving giving = {sorted, give, context};
    struct counting c = {.sorted = sorted,
                         .key_arena = arena_new_within(budget),
                         .block = arena_new_within(budget)};
    int result = c.key_arena && c.block ? sorter_each(&sorted->strangers, count_rows, &c, err)
                                        : run_nomem(sorted->run, err);
    arena_free(c.key_arena);
    arena_free(c.block);
    sorter_close(&sorted->strangers);
    if (result == 0)
        result = sorter_each(&sorted->kept, give_rows, &giving, err);
    sorter_close(&sorted->kept);
    return result;
}
