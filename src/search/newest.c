#include "search/newest.h"

#include "event/schema.h"
#include "search/commands/command_head.h"
#include "search/sorter.h"
#include "search/wanted.h"

enum { HELD_SLACK = 8192 }; /* rows over the limit before it is worth dropping them */

struct newest {
    struct sorter held; /* rows that newer ones may follow */
    int64_t held_min, held_max;
    uint64_t limit, given;
    int64_t later_max;
    struct arena *frames;
    const struct wanted *wanted; /* behind */
};

static void free_frames(void *arena)
{
    arena_free(arena);
}

static const struct sort_key newest_keys[] = {{{"@timestamp", 10}, SORT_NUMBER, true},
                                              {{"hinomi.seq", 10}, SORT_NUMBER, true}};
static const struct sort_keys keys = {newest_keys, ARRAY_COUNT(newest_keys)};

static int64_t time_of(const struct column *times, uint32_t row)
{
    struct value v = times ? column_first(times, row) : value_null();
    return v.type == VALUE_TIME ? v.i64 : INT64_MIN;
}

/* ---- rows that are held ---- */

static int cut(struct newest *newest, struct err *err)
{
    const struct batch *rows = sorter_rows(&newest->held);
    uint64_t left = newest->limit - newest->given;
    if (!newest->limit || !rows || rows->row_count <= 4 * left + HELD_SLACK)
        return 0;
    return sorter_cut(&newest->held, left, err);
}

static int hold_rows(struct newest *newest, const struct frame *frame, struct err *err)
{
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        int64_t time = time_of(times, row);
        newest->held_min = time < newest->held_min ? time : newest->held_min;
        newest->held_max = time > newest->held_max ? time : newest->held_max;
    }
    return sorter_add(&newest->held, frame, err) < 0 ? -1 : cut(newest, err);
}

static void forget_held(struct newest *newest)
{
    sorter_clear(&newest->held);
    newest->held_min = INT64_MAX;
    newest->held_max = INT64_MIN;
}

/* All rows held, or with many of them ready those that are. */
static int give_ready(struct stage *op, struct err *err)
{
    struct newest *newest = op->state;
    const struct batch *rows = sorter_rows(&newest->held);
    const struct column *times = rows ? batch_find(rows, FIELD_TIMESTAMP) : NULL;
    uint32_t count = rows ? rows->row_count : 0, ready = 0;
    if (newest->held_min > newest->later_max) {
        newest->given += newest->held.count;
        if (sorter_emit(&newest->held, op, err) < 0)
            return -1;
        forget_held(newest);
        return 0;
    }
    if (newest->held.part_count || newest->held_max <= newest->later_max)
        return 0;
    for (uint32_t row = 0; row < count; row++)
        ready += time_of(times, row) > newest->later_max;
    if (ready < count / 2)
        return 0; /* the others are copied: not too often */
    newest->given += ready;
    newest->held_max = newest->later_max;
    return sorter_take(&newest->held, ready, op, err);
}

/* The frame at hand lives in run->frames, so these rows go on in frames of their own. */
static int give_held(struct stage *op, struct err *err)
{
    const struct newest *newest = op->state;
    struct arena *frames = op->run->frames;
    op->run->frames = newest->frames;
    int result = give_ready(op, err);
    op->run->frames = frames;
    return result;
}

/* ---- rows that go on at once ---- */

/* What was only read for the order need not be turned. */
static int keep_wanted(const struct newest *newest, struct frame *frame)
{
    const struct batch *batch = frame->batch;
    struct column **kept = arena_array(batch->arena, batch->column_count + 1U, sizeof(*kept));
    for (uint32_t i = 0; kept && i < batch->column_count; i++)
        if (wanted_has(newest->wanted, batch->columns[i]->name))
            kept[i] = batch->columns[i];
    return kept ? frame_keep(frame, kept, batch->column_count) : -1;
}

/* Rows first to behind, the last one first. */
static int give_rows(struct stage *op, const struct frame *frame, uint32_t first, uint32_t behind,
                     struct err *err)
{
    struct newest *newest = op->state;
    struct frame out, lean = *frame;
    uint64_t most = newest->limit ? newest->limit - newest->given : UINT64_MAX;
    if (keep_wanted(newest, &lean) < 0 || frame_backward(&out, &lean, first, behind, most) < 0)
        return run_nomem(op->run, err);
    newest->given += out.batch->row_count;
    return out.batch->row_count ? stage_push(op, &out, err) : 0;
}

/* The first row from which on all are newer; rows ascend. */
static uint32_t newer_from(const struct column *times, uint32_t rows, int64_t time)
{
    uint32_t low = 0, high = times->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (column_value(times, middle).i64 <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low < times->count ? times->rows[low] : rows;
}

static bool ascends(const struct column *times)
{
    if (!times || times->types_seen != 1U << VALUE_TIME || times->multi)
        return false;
    for (uint32_t i = 1; i < times->count; i++)
        if (column_value(times, i).i64 < column_value(times, i - 1).i64)
            return false;
    return true;
}

static int hold_range(struct newest *newest, const struct frame *frame, uint32_t first,
                      uint32_t behind, struct err *err)
{
    struct frame part = *frame;
    if (first >= behind)
        return 0;
    part.selected = bits_range(frame->batch->arena, frame->selected, frame->batch->row_count, first,
                               behind);
    if (!part.selected)
        return run_nomem(newest->held.run, err);
    return bits_any(part.selected, frame->batch->row_count) ? hold_rows(newest, &part, err) : 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    struct newest *newest = op->state;
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    uint32_t rows = frame->batch->row_count;
    if (newest->limit && newest->given >= newest->limit) {
        op->satisfied = true;
        return 0;
    }
    bool whole = newest->held.count == 0 || newest->held_min > newest->later_max;
    if (newest->later_max == INT64_MAX || !whole || !ascends(times))
        return hold_rows(newest, frame, err) < 0 ? -1 : give_held(op, err);
    /* those that are older than what is held follow it; those that are not are merged with it */
    uint32_t ready = newer_from(times, rows, newest->later_max);
    uint32_t merged = newest->held.count ? newer_from(times, rows, newest->held_min - 1) : rows;
    merged = merged < ready ? ready : merged;
    if (hold_range(newest, frame, merged, rows, err) < 0 ||
        (newest->held.count && give_held(op, err) < 0))
        return -1;
    bool enough = newest->limit && newest->given >= newest->limit;
    if (!enough && give_rows(op, frame, ready, merged, err) < 0)
        return -1;
    op->satisfied = newest->limit && newest->given >= newest->limit;
    return op->satisfied ? 0 : hold_range(newest, frame, 0, ready, err);
}

static int finish(struct stage *op, struct err *err)
{
    struct newest *newest = op->state;
    return sorter_emit(&newest->held, op, err);
}

int stage_newest_first(struct run *run, struct stage *op, uint64_t limit,
                       const struct wanted *wanted, struct err *err)
{
    struct newest *newest = arena_calloc(run->arena, sizeof(*newest));
    *op = (struct stage){.push = push,
                         .finish = finish,
                         .run = run,
                         .state = newest,
                         .command = run->query->commands};
    if (!newest || !(newest->frames = arena_new_within(&run->memory->budget)) ||
        arena_defer(run->arena, free_frames, newest->frames) < 0)
        return run_nomem(run, err);
    newest->limit = limit;
    newest->wanted = wanted;
    newest->later_max = INT64_MAX;
    newest->held_min = INT64_MAX;
    newest->held_max = INT64_MIN;
    return sorter_init(&newest->held, run, &keys, 0, err);
}

void newest_note(struct stage *op, int64_t later_max)
{
    struct newest *newest = op->state;
    newest->later_max = later_max;
}

/* Commands that give as many rows as they get, in the same order. */
static bool keeps_rows(struct slice name)
{
    static const char *const names[] = {"eval",    "fields",   "rename",  "rex",        "table",
                                        "convert", "spath",    "replace", "strcat",     "makemv",
                                        "nomv",    "rangemap", "lookup",  "fieldformat"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

uint64_t newest_limit(const struct spl_command *command, uint64_t rows_max)
{
    for (; command && command->descriptor; command = command->next) {
        int64_t limit = head_limit(command);
        if (limit >= 0)
            return (uint64_t)limit;
        if (!keeps_rows(slice_text(command->descriptor->name)))
            return 0;
    }
    return rows_max ? rows_max + 1 : 0; /* one more, so that the cut is seen */
}
