#include "search/aggregate.h"

#include "event/schema.h"
#include "search/rows.h"
#include "search/spark.h"
#include "search/spill.h"
#include "search/stats/state_distinct.h"

#include <stdlib.h>

struct agg_slot {
    struct agg agg;
    char *states;
    size_t size; /* of one */
    uint32_t room;
    const struct column *column; /* of the frame that rows are added of */
    uint32_t at;                 /* its entry; UINT32_MAX: not looked for yet */
};

static int add_slot(struct aggregator *a, const struct agg *agg, struct err *err)
{
    a->slots = spl_grow(a->arena, a->slots, a->slot_count, sizeof(*a->slots));
    if (!a->slots)
        return run_nomem(a->run, err);
    struct agg_slot *slot = &a->slots[a->slot_count++];
    *slot = (struct agg_slot){.agg = *agg};
    slot->size = agg->sparkline ? sizeof(struct spark) : agg->stat->size;
    if (slot->size > sizeof(uint64_t)) /* may hold 128-bit numbers */
        slot->size = (slot->size + 15) & ~(size_t)15;
    return 0;
}

int aggregator_init(struct aggregator *a, struct run *run, struct arena *arena,
                    const struct agg_list *list, const struct slice *by, size_t by_count,
                    uint64_t nullable, struct err *err)
{
    *a = (struct aggregator){
        .run = run, .arena = arena, .list = list, .scope = {.arena = arena}};
    for (size_t i = 0; i < list->count; i++)
        if (!list->aggs[i].wild && add_slot(a, &list->aggs[i], err) < 0)
            return -1;
    return grouper_init(&a->groups, arena, by, by_count, nullable) < 0 ? run_nomem(run, err)
                                                                            : 0;
}

const struct agg *aggregator_aggs(const struct aggregator *a, struct arena *arena, size_t *count)
{
    struct agg *aggs = arena_array(arena, a->slot_count + 1, sizeof(*aggs));
    for (size_t i = 0; aggs && i < a->slot_count; i++)
        aggs[i] = a->slots[i].agg;
    for (size_t i = 0; aggs && i < a->slot_count; i++) {
        aggs[i].field = aggs[i].field.ptr ? arena_copy(arena, aggs[i].field) : SLICE_NONE;
        aggs[i].name = arena_copy(arena, aggs[i].name);
        if (!aggs[i].name.ptr)
            return NULL;
    }
    *count = a->slot_count;
    return aggs;
}

int aggregator_again(struct aggregator *a, const struct aggregator *model, const struct agg *aggs,
                     size_t count, struct arena *arena, struct err *err)
{
    static const struct agg_list none;
    const struct grouper *groups = &model->groups;
    if (aggregator_init(a, model->run, arena, &none, groups->fields, groups->field_count,
                        groups->nullable, err) < 0)
        return -1;
    a->groups.null_as = groups->null_as;
    for (size_t i = 0; i < count; i++)
        if (add_slot(a, &aggs[i], err) < 0)
            return -1;
    return 0;
}

void aggregator_drop(struct aggregator *a)
{
    arena_reset(a->arena);
    a->groups.count = 0;
    a->slot_count = 0;
}

static int slot_grow(struct aggregator *a, struct agg_slot *slot, uint32_t groups)
{
    if (groups <= slot->room)
        return 0;
    uint32_t room = slot->room;
    while (room < groups)
        room = grown_room(room);
    char *states =
        grown_array(a->arena, slot->states, slot->room * slot->size, room * slot->size);
    if (!states)
        return -1;
    memset(states + slot->room * slot->size, 0, (room - slot->room) * slot->size);
    slot->states = states;
    slot->room = room;
    return 0;
}

/* avg(*delay) as m_* : the star's part goes into the name. */
static struct slice wild_name(struct arena *arena, const struct agg *agg, struct slice field)
{
    ptrdiff_t star = slice_find_char(agg->field, '*');
    struct slice before = slice_sub(agg->field, 0, (size_t)star);
    struct slice after = slice_from(agg->field, (size_t)star + 1);
    struct slice part = slice_sub(field, before.len, field.len - before.len - after.len);
    ptrdiff_t place = slice_find_char(agg->name, '*');
    if (place < 0)
        return arena_printf(arena, "%.*s(%.*s)", SLICE_ARG(agg->name), SLICE_ARG(field));
    return arena_printf(arena, "%.*s%.*s%.*s", SLICE_ARG(slice_sub(agg->name, 0, (size_t)place)),
                        SLICE_ARG(part), SLICE_ARG(slice_from(agg->name, (size_t)place + 1)));
}

static bool has_slot(const struct aggregator *a, struct slice name)
{
    for (size_t i = 0; i < a->slot_count; i++)
        if (slice_equal(a->slots[i].agg.name, name))
            return true;
    return false;
}

static bool is_by(const struct aggregator *a, struct slice name)
{
    for (size_t i = 0; i < a->groups.field_count; i++)
        if (slice_equal(a->groups.fields[i], name))
            return true;
    return false;
}

static int spread_wild(struct aggregator *a, const struct agg *agg, const struct frame *frame,
                       struct err *err)
{
    for (uint32_t i = 0; i < frame->batch->column_count; i++) {
        struct slice field = frame->batch->columns[i]->name;
        if (!slice_matches_stars(field, agg->field) || is_by(a, field) ||
            (field.len && field.ptr[0] == '_'))
            continue;
        struct agg one = *agg;
        one.wild = false;
        one.field = arena_copy(a->arena, field);
        one.name = wild_name(a->arena, agg, field);
        if (!one.field.ptr || !one.name.ptr)
            return run_nomem(a->run, err);
        if (!has_slot(a, one.name) && add_slot(a, &one, err) < 0)
            return -1;
    }
    return 0;
}

/* eval() for aggregates: TRUE counts as 1 and FALSE as nothing. */
static int eval_column(struct aggregator *a, struct frame *frame, const struct agg *agg,
                       struct err *err)
{
    struct run *run = a->run;
    struct column *to = frame_column(frame, agg->field);
    uint32_t done = 0;
    if (!to)
        return run_nomem(run, err);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value_list list;
        if (done++ % 64 == 0)
            arena_reset(run->scratch);
        if (expr_eval(agg->expr, &run->scope, frame->batch, row, &list, err) < 0)
            return -1;
        for (uint32_t i = 0; i < list.count; i++) {
            struct value v = list.values[i];
            if (v.type == VALUE_BOOL && !v.boolean)
                continue;
            v = v.type == VALUE_BOOL ? value_i64(1) : value_copy(v, frame->batch->arena);
            if (v.type != VALUE_NULL && column_add(frame->batch, to, row, v) < 0)
                return run_nomem(run, err);
        }
    }
    return frame_put(frame, to) < 0 ? run_nomem(run, err) : 0;
}

int aggregator_prepare(struct aggregator *a, struct frame *frame, struct err *err)
{
    for (size_t i = 0; i < a->list->count; i++) {
        const struct agg *agg = &a->list->aggs[i];
        if (agg->wild && spread_wild(a, agg, frame, err) < 0)
            return -1;
        if (agg->expr && eval_column(a, frame, agg, err) < 0)
            return -1;
    }
    return 0;
}

static struct value as_member(struct value v, struct arena *scratch)
{
    if (v.type == VALUE_BOOL)
        return value_string(v.boolean ? SLICE("true") : SLICE("false"));
    if (v.type == VALUE_TIME) {
        struct value n = value_null();
        return value_to_number(v, scratch, &n) ? n : value_null();
    }
    return v;
}

static void add_one(struct aggregator *a, struct agg_slot *slot, uint32_t group, struct value v,
                    int64_t time_ns)
{
    void *state = slot->states + group * slot->size;
    if (v.type == VALUE_TIME || v.type == VALUE_BOOL)
        v = as_member(v, a->run->scratch);
    if (v.type == VALUE_NULL)
        return;
    if (slot->agg.sparkline)
        spark_add(&a->scope, state, &slot->agg, v, time_ns);
    else
        slot->agg.stat->add(&a->scope, state, v, time_ns);
}

static int64_t time_of(const struct column *times, uint32_t row)
{
    int64_t ns;
    return times && rows_time(column_first(times, row), &ns) ? ns : INT64_MIN;
}

static uint64_t *row_count(struct agg_slot *slot, uint32_t group)
{
    return (uint64_t *)(void *)(slot->states + group * slot->size);
}

static void count_rows(struct agg_slot *slot, const struct group_rows *rows,
                       const uint32_t *weights)
{
    for (uint32_t i = 0; i < rows->count; i++)
        *row_count(slot, rows->groups[i]) += weights ? weights[rows->rows[i]] : 1;
}

enum { FAR_AHEAD = 24, AHEAD = 12, CACHED_BYTES = 256 * 1024 };

/* The states of many groups are in none of the caches: they are asked for some rows ahead. */
__attribute__((always_inline)) static inline void
prefetch_state(const struct agg_slot *slot, const uint32_t *groups, uint32_t at, uint32_t count)
{
    if (slot->room * slot->size < CACHED_BYTES)
        return;
    if (at + FAR_AHEAD < count)
        __builtin_prefetch(slot->states + groups[at + FAR_AHEAD] * slot->size, 1);
    if (slot->agg.stat->prefetch && at + AHEAD < count)
        slot->agg.stat->prefetch(slot->states + groups[at + AHEAD] * slot->size);
}

/* Different values of a dictionary: each is hashed once. */
static int add_codes(struct aggregator *a, struct agg_slot *slot, const struct column *column,
                     const struct group_rows *rows)
{
    uint32_t at = 0;
    uint64_t *hashes = arena_array(a->run->scratch, column->dict_count, sizeof(*hashes));
    for (uint32_t i = 0; hashes && i < rows->count; i++) {
        uint32_t row = rows->rows[i];
        prefetch_state(slot, rows->groups, i, rows->count);
        while (at < column->count && column->rows[at] < row)
            at++;
        for (uint32_t k = at; k < column->count && column->rows[k] == row; k++) {
            uint64_t *hash = &hashes[column->codes[k]];
            struct value v = *hash ? value_null() : as_member(column_value(column, k), a->run->scratch);
            if (v.type != VALUE_NULL)
                *hash = distinct_hash(v);
            if (*hash)
                distinct_add_hash(&a->scope, slot->states + rows->groups[i] * slot->size, *hash);
        }
    }
    return hashes ? 0 : -1;
}

static bool is_distinct(const struct agg_slot *slot, const struct column *column)
{
    return slot->agg.stat->add == distinct_add && !slot->agg.sparkline && column->codes &&
           column->dict_count;
}

/* Both lists of rows ascend, so one walk over the column does. */
static void add_column(struct aggregator *a, struct agg_slot *slot, const struct column *column,
                       const struct column *times, const struct group_rows *rows)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows[i];
        prefetch_state(slot, rows->groups, i, rows->count);
        while (at < column->count && column->rows[at] < row)
            at++;
        for (uint32_t k = at; k < column->count && column->rows[k] == row; k++)
            add_one(a, slot, rows->groups[i], column_value(column, k),
                    times ? time_of(times, row) : INT64_MIN);
    }
}

/* Entries of the dictionary that stand in some selected row, in order; the count. */
static uint32_t used_entries(const struct column *column, const struct frame *frame, bool *given,
                             uint32_t *entries)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < column->count; i++)
        given[column->codes[i]] |= bits_get(frame->selected, column->rows[i]);
    for (uint32_t code = 0; code < column->dict_count; code++) {
        entries[n] = code;
        n += given[code];
    }
    return n;
}

/* A value that counts but once is given once, where a dictionary tells it. */
static int add_dictionary(struct aggregator *a, struct agg_slot *slot,
                          const struct column *column, const struct frame *frame)
{
    struct arena *arena = frame->batch->arena;
    bool *given = arena_calloc(arena, column->dict_count);
    uint32_t *entries = arena_alloc(arena, (column->dict_count + 1U) * sizeof(*entries));
    if (!given || !entries)
        return -1;
    uint32_t count = used_entries(column, frame, given, entries);
    for (uint32_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            stat_prefetch(slot->agg.stat, slot->states, column->dict[entries[i + AHEAD]]);
        add_one(a, slot, 0, column->dict[entries[i]], INT64_MIN);
    }
    return 0;
}

/* Without groups: no list of rows is needed. */
static int add_whole_column(struct aggregator *a, struct agg_slot *slot,
                            const struct column *column, const struct column *times,
                            const struct frame *frame)
{
    if (slot->agg.stat->flags & STAT_ONCE && !slot->agg.sparkline && !times && column->codes &&
        column->dict_count)
        return add_dictionary(a, slot, column, frame);
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t row = column->rows[i];
        if (bits_get(frame->selected, row))
            add_one(a, slot, 0, column_value(column, i), times ? time_of(times, row) : INT64_MIN);
    }
    return 0;
}

bool agg_counts_rows(const struct agg *agg)
{
    return !agg->field.ptr && !agg->sparkline;
}

static bool needs_time(const struct agg *agg)
{
    return agg->sparkline || agg->stat->flags & STAT_TIMES;
}

static int add_whole(struct aggregator *a, struct frame *frame)
{
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    uint64_t rows = frame_weight(frame);
    if (!rows)
        return 0;
    a->groups.count = 1;
    for (size_t i = 0; i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        const struct agg *agg = &slot->agg;
        const struct column *column = agg->field.ptr ? batch_find(frame->batch, agg->field) : times;
        if (slot_grow(a, slot, 1) < 0)
            return -1;
        arena_reset(a->run->scratch);
        if (agg_counts_rows(agg))
            *row_count(slot, 0) += rows;
        else if (column &&
                 add_whole_column(a, slot, column, needs_time(agg) ? times : NULL, frame) < 0)
            return -1;
    }
    return 0;
}

/* 1 when that was all that is to be done. */
static int add_tally(struct aggregator *a, struct frame *frame)
{
    struct group_tally tally;
    for (size_t i = 0; i < a->slot_count; i++)
        if (!agg_counts_rows(&a->slots[i].agg))
            return 0;
    int done = grouper_tally(&a->groups, frame, &tally);
    for (size_t i = 0; done > 0 && i < a->slot_count; i++) {
        if (slot_grow(a, &a->slots[i], a->groups.count) < 0)
            return -1;
        for (uint32_t t = 0; t < tally.count; t++)
            *row_count(&a->slots[i], tally.groups[t]) += tally.counts[t];
    }
    return done;
}

static int add_rows(struct aggregator *a, struct frame *frame, struct group_rows *rows)
{
    const struct column *times = batch_find(frame->batch, FIELD_TIMESTAMP);
    if (grouper_rows(&a->groups, frame, rows) < 0)
        return -1;
    for (size_t i = 0; i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        if (slot_grow(a, slot, a->groups.count) < 0)
            return -1;
        arena_reset(a->run->scratch);
        if (agg_counts_rows(&slot->agg)) {
            count_rows(slot, rows, frame->weights);
            continue;
        }
        const struct column *column =
            slot->agg.field.ptr ? batch_find(frame->batch, slot->agg.field) : times;
        if (column && is_distinct(slot, column) && add_codes(a, slot, column, rows) < 0)
            return -1;
        if (column && !is_distinct(slot, column))
            add_column(a, slot, column, needs_time(&slot->agg) ? times : NULL, rows);
    }
    return 0;
}

/* Whether doubles of the frame would be added up. */
static bool sums_doubles(const struct aggregator *a, const struct frame *frame)
{
    for (size_t i = 0; i < a->slot_count; i++) {
        const struct agg *agg = &a->slots[i].agg;
        const struct column *column =
            agg->stat->flags & STAT_SUMS ? batch_find(frame->batch, agg->field) : NULL;
        if (column && column->types_seen & 1U << VALUE_F64)
            return true;
    }
    return false;
}

int aggregator_add(struct aggregator *a, struct frame *frame, struct group_rows *seen,
                   struct err *err)
{
    struct group_rows rows;
    if (aggregator_prepare(a, frame, err) < 0)
        return -1;
    if (a->run->is_part && sums_doubles(a, frame)) {
        a->run->part_failed = "doubles are added up, whose order shows";
        return err_set(err, ERR_LIMIT, "%s", a->run->part_failed);
    }
    int done = 0;
    if (!seen && a->groups.field_count == 0)
        done = add_whole(a, frame) < 0 ? -1 : 1;
    else if (!seen && !frame->weights)
        done = add_tally(a, frame);
    if (done == 0)
        done = add_rows(a, frame, &rows);
    if (seen)
        *seen = rows;
    return done < 0 || a->scope.exhausted ? run_nomem(a->run, err) : 0;
}

int aggregator_add_prepared(struct aggregator *a, struct frame *frame, struct err *err)
{
    struct group_rows rows;
    return add_rows(a, frame, &rows) < 0 || a->scope.exhausted ? run_nomem(a->run, err) : 0;
}

int aggregator_add_row(struct aggregator *a, const struct frame *frame, uint32_t row,
                       uint32_t group, struct err *err)
{
    aggregator_begin(a, frame);
    return aggregator_add_next(a, row, group, err);
}

/* ---- row by row ---- */

void aggregator_begin(struct aggregator *a, const struct frame *frame)
{
    a->times = batch_find(frame->batch, FIELD_TIMESTAMP);
    for (size_t i = 0; i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        slot->column =
            slot->agg.field.ptr ? batch_find(frame->batch, slot->agg.field) : a->times;
        slot->at = UINT32_MAX;
    }
}

/* The values of a slot's column in a row that is not before the one asked for last. */
static uint32_t slot_values(struct agg_slot *slot, uint32_t row)
{
    const struct column *column = slot->column;
    uint32_t first = 0, count = 0;
    if (!column)
        return 0;
    if (slot->at == UINT32_MAX)
        slot->at = column_entry(column, row);
    for (first = slot->at; first < column->count && column->rows[first] < row; first++)
        continue;
    slot->at = first;
    while (first + count < column->count && column->rows[first + count] == row)
        count++;
    return count;
}

int aggregator_add_next(struct aggregator *a, uint32_t row, uint32_t group, struct err *err)
{
    uint32_t groups = a->groups.count > group ? a->groups.count : group + 1;
    for (size_t i = 0; i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        if (slot_grow(a, slot, groups) < 0)
            return run_nomem(a->run, err);
        if (agg_counts_rows(&slot->agg)) {
            ++*row_count(slot, group);
            continue;
        }
        uint32_t count = slot_values(slot, row);
        int64_t time = count && needs_time(&slot->agg) ? time_of(a->times, row) : INT64_MIN;
        for (uint32_t k = 0; k < count; k++)
            add_one(a, slot, group, column_value(slot->column, slot->at + k), time);
    }
    return a->scope.exhausted ? run_nomem(a->run, err) : 0;
}

/* ---- parts: what one row brings ---- */

size_t aggregator_part_size(const struct aggregator *a)
{
    size_t size = 0;
    for (size_t i = 0; i < a->slot_count; i++) {
        const struct stat *stat = a->slots[i].agg.stat;
        if (a->slots[i].agg.sparkline || !stat->merge || !stat->take_away)
            return 0;
        size += a->slots[i].size;
    }
    return size;
}

void aggregator_part(struct aggregator *a, uint32_t row, char *part)
{
    for (size_t i = 0; i < a->slot_count; part += a->slots[i++].size) {
        struct agg_slot *slot = &a->slots[i];
        memset(part, 0, slot->size);
        if (agg_counts_rows(&slot->agg)) {
            ++*(uint64_t *)(void *)part;
            continue;
        }
        uint32_t count = slot_values(slot, row);
        for (uint32_t k = 0; k < count; k++) {
            struct value v = column_value(slot->column, slot->at + k);
            if (v.type == VALUE_TIME || v.type == VALUE_BOOL)
                v = as_member(v, a->run->scratch);
            if (v.type != VALUE_NULL)
                slot->agg.stat->add(&a->scope, part, v, INT64_MIN);
        }
    }
}

int aggregator_merge(struct aggregator *a, uint32_t group, const char *part, struct err *err)
{
    uint32_t groups = a->groups.count > group ? a->groups.count : group + 1;
    for (size_t i = 0; i < a->slot_count; part += a->slots[i++].size) {
        struct agg_slot *slot = &a->slots[i];
        if (slot_grow(a, slot, groups) < 0)
            return run_nomem(a->run, err);
        slot->agg.stat->merge(&a->scope, slot->states + group * slot->size, part);
    }
    return 0;
}

bool aggregator_take_away(struct aggregator *a, uint32_t group, const char *part)
{
    bool whole = true;
    for (size_t i = 0; i < a->slot_count; part += a->slots[i++].size)
        whole &= a->slots[i].agg.stat->take_away(
            a->slots[i].states + group * a->slots[i].size, part);
    return whole;
}

/* ---- groups of another thread ---- */

bool aggs_merge(const struct agg_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct agg *agg = &list->aggs[i];
        if (agg->wild || agg->sparkline || !agg->stat->merge)
            return false;
    }
    return true;
}

static void take_states(struct aggregator *a, struct agg_slot *slot, const struct agg_slot *from,
                        const uint32_t *groups, uint32_t count)
{
    bool rows = agg_counts_rows(&slot->agg);
    for (uint32_t g = 0; g < count; g++) {
        prefetch_state(slot, groups, g, count);
        const char *part = from->states + g * from->size;
        if (rows)
            *row_count(slot, groups[g]) += *(const uint64_t *)(const void *)part;
        else
            slot->agg.stat->merge(&a->scope, slot->states + groups[g] * slot->size, part);
    }
}

int aggregator_take_in(struct aggregator *a, const struct aggregator *part, struct err *err)
{
    struct arena *work = arena_new_within(&a->run->memory->budget);
    uint32_t *groups = work ? grouper_merge(&a->groups, &part->groups, work) : NULL;
    bool ready = groups != NULL;
    for (size_t i = 0; ready && i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        const struct agg_slot *from = &part->slots[i];
        uint32_t count = part->groups.count < from->room ? part->groups.count : from->room;
        ready = slot_grow(a, slot, a->groups.count) == 0;
        if (ready)
            take_states(a, slot, from, groups, count);
    }
    arena_free(work);
    return ready && !a->scope.exhausted ? 0 : run_nomem(a->run, err);
}

void aggregator_clear(struct aggregator *a, uint32_t group)
{
    for (size_t i = 0; i < a->slot_count; i++) {
        struct agg_slot *slot = &a->slots[i];
        if (!slot->states)
            continue;
        if (group == GROUP_NONE)
            memset(slot->states, 0, slot->room * slot->size);
        else if (group < slot->room)
            memset(slot->states + group * slot->size, 0, slot->size);
    }
}

const struct stat *aggregator_stat(const struct aggregator *a, size_t slot)
{
    return a->slots[slot].agg.stat;
}

struct slice aggregator_field(const struct aggregator *a, size_t slot)
{
    return a->slots[slot].agg.field;
}

struct slice aggregator_name(const struct aggregator *a, size_t slot)
{
    return a->slots[slot].agg.name;
}

int aggregator_result(struct aggregator *a, size_t index, uint32_t group, struct value_list *out,
                      struct err *err)
{
    struct agg_slot *slot = &a->slots[index];
    *out = (struct value_list){0};
    if (slot_grow(a, slot, group + 1) < 0)
        return run_nomem(a->run, err);
    const void *state = slot->states + group * slot->size;
    a->scope.percent = slot->agg.percent;
    if (slot->agg.sparkline)
        spark_result(&a->scope, state, &slot->agg, out);
    else
        slot->agg.stat->result(&a->scope, state, out);
    return a->scope.exhausted ? run_nomem(a->run, err) : 0;
}

int aggregator_whole(struct aggregator *a, struct err *err)
{
    if (a->groups.field_count || a->groups.count)
        return 0;
    a->groups.count = 1;
    for (size_t i = 0; i < a->slot_count; i++)
        if (slot_grow(a, &a->slots[i], 1) < 0)
            return run_nomem(a->run, err);
    return 0;
}

static int put_result(struct aggregator *a, struct batch *batch, struct column *column,
                      uint32_t row, size_t slot, uint32_t group, struct err *err)
{
    struct value_list list;
    if (aggregator_result(a, slot, group, &list, err) < 0)
        return -1;
    for (uint32_t i = 0; i < list.count; i++)
        if (column_add(batch, column, row, list.values[i]) < 0)
            return run_nomem(a->run, err);
    return 0;
}

/* ---- the groups that can be among the first ---- */

static int by_rank(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The rank of the rows-th best: what ranks lower cannot be among the first rows. A pile of twice
 * as many is sorted and cut whenever it is full, so each rank is looked at about once. */
static uint64_t least_rank(const uint64_t *ranks, uint32_t count, uint32_t rows, uint64_t *pile)
{
    uint64_t least = 0;
    uint32_t held = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ranks[i] < least)
            continue;
        pile[held++] = ranks[i];
        if (held < 2 * rows)
            continue;
        qsort(pile, held, sizeof(*pile), by_rank);
        held = rows;
        least = pile[rows - 1];
    }
    qsort(pile, held, sizeof(*pile), by_rank);
    return held < rows ? 0 : pile[rows - 1];
}

/* The slot of a count that is shown under the name; the last of several is. */
static struct agg_slot *count_slot(const struct aggregator *a, struct slice name)
{
    struct agg_slot *found = NULL;
    for (size_t i = 0; i < a->slot_count; i++)
        if (slice_equal(a->slots[i].agg.name, name))
            found = &a->slots[i];
    return found && agg_counts_rows(&found->agg) && !is_by(a, name) ? found : NULL;
}

int aggregator_keep_first(struct aggregator *a, const struct sort_key *key, uint64_t rows,
                          struct group_list *out, struct err *err)
{
    struct agg_slot *slot = count_slot(a, key->field);
    struct arena *arena = a->arena;
    uint32_t count = a->groups.count;
    *out = (struct group_list){NULL, 0};
    if (!slot || key->kind == SORT_TEXT || key->kind == SORT_IP || rows >= count / 2)
        return 0;
    uint64_t *ranks = arena_alloc(arena, count * sizeof(*ranks));
    uint64_t *pile = arena_alloc(arena, 2 * rows * sizeof(*pile));
    uint32_t *groups = arena_alloc(arena, count * sizeof(*groups)), kept = 0;
    if (!ranks || !pile || !groups)
        return run_nomem(a->run, err);
    for (uint32_t i = 0; i < count; i++)
        ranks[i] = key->descending ? *row_count(slot, i) : UINT64_MAX - *row_count(slot, i);
    uint64_t least = least_rank(ranks, count, (uint32_t)rows, pile);
    for (uint32_t i = 0; i < count; i++)
        if (ranks[i] >= least)
            groups[kept++] = i;
    *out = (struct group_list){groups, kept};
    return 0;
}

static int fill_rows(struct aggregator *a, const struct group_list *list, struct batch *batch,
                     struct err *err)
{
    for (size_t f = 0; f < a->groups.field_count; f++) {
        struct column *column = batch_column(batch, a->groups.fields[f]);
        for (uint32_t i = 0; column && i < list->count; i++) {
            struct value key = grouper_key(&a->groups, list->groups[i], f);
            if (key.type != VALUE_NULL && column_add(batch, column, i, key) < 0)
                return run_nomem(a->run, err);
        }
    }
    for (size_t s = 0; s < a->slot_count; s++) {
        struct column *column = batch_column(batch, a->slots[s].agg.name);
        if (!column)
            return run_nomem(a->run, err);
        column->count = 0; /* the last of two with one name wins */
        for (uint32_t i = 0; i < list->count; i++) {
            prefetch_state(&a->slots[s], list->groups, i, list->count);
            if (put_result(a, batch, column, i, s, list->groups[i], err) < 0)
                return -1;
        }
    }
    return 0;
}

int aggregator_rows(struct aggregator *a, const struct group_list *list, struct arena *arena,
                    struct batch **out, struct err *err)
{
    struct batch *batch = *out = frame_batch_new(arena, list->count);
    struct arena *held = a->scope.arena;
    if (!batch)
        return run_nomem(a->run, err);
    a->scope.arena = arena;
    int result = fill_rows(a, list, batch, err);
    a->scope.arena = held;
    return result;
}

int aggregator_each(struct aggregator *a, const struct group_list *only, aggregator_give give,
                    void *context, struct err *err)
{
    struct arena *work = arena_new_within(&a->run->memory->budget);
    struct arena *rows = arena_new_within(&a->run->memory->budget);
    const uint32_t *order = work && rows ? grouper_sorted(&a->groups, only, work) : NULL;
    uint32_t count = only && only->groups ? only->count : a->groups.count;
    int result = order ? 0 : run_nomem(a->run, err);
    for (uint32_t at = 0, n; result == 0 && at < count; at += n) {
        struct batch *batch;
        n = count - at < FRAME_ROWS_MAX ? count - at : FRAME_ROWS_MAX;
        const struct group_list list = {order + at, n};
        arena_reset(rows);
        result = aggregator_rows(a, &list, rows, &batch, err);
        if (result == 0)
            result = give(context, batch, err);
        if (result == 0)
            result = run_check(a->run, err);
    }
    arena_free(rows);
    arena_free(work);
    return result;
}
