#include "search/commands/join_sorted.h"

#include "search/row_key.h"

/* rows of a key: theirs, which have no number but -1, and then ours */
static const struct sort_key by_key[] = {{.field = {"\001key", 4}, .kind = SORT_TEXT},
                                         {.field = {"\001number", 7}, .kind = SORT_NUMBER}};
/* of several values of a row the first one that meets somebody; a row that met nobody has none */
static const struct sort_key by_number[] = {{.field = {"\001number", 7}, .kind = SORT_NUMBER},
                                            {.field = {"\001combo", 6}, .kind = SORT_NUMBER}};

/* ---- rows in ---- */

/* The rows of a frame, once for each combination of their values. */
struct expanding {
    const struct batch *batch;
    struct arena *arena;
    uint32_t *rows;
    struct slice *keys;
    int64_t *combos;
    uint32_t count, room;
};

static int add_entry(struct expanding *e, uint32_t row, struct slice key, int64_t combo)
{
    if (e->count == e->room) {
        uint32_t room = grown_room(e->room), old = e->room;
        e->rows = arena_grow(e->arena, e->rows, old * sizeof(*e->rows), room * sizeof(*e->rows));
        e->keys = arena_grow(e->arena, e->keys, old * sizeof(*e->keys), room * sizeof(*e->keys));
        e->combos = arena_grow(e->arena, e->combos, old * sizeof(*e->combos), room * sizeof(*e->combos));
        if (!e->rows || !e->keys || !e->combos)
            return -1;
        e->room = room;
    }
    e->rows[e->count] = row;
    e->keys[e->count] = key;
    e->combos[e->count++] = combo;
    return 0;
}

struct keying {
    struct expanding *to;
    size_t fields;
    int64_t combo;
};

static int take_key(void *context, uint32_t row, const struct value *tuple)
{
    struct keying *keying = context;
    struct slice key = row_key_text(tuple, keying->fields, keying->to->arena);
    return key.ptr ? add_entry(keying->to, row, key, keying->combo++) : -1;
}

/* Rows without a key are there once, without one, when they stay anyway. */
static int expand(struct expanding *e, const struct frame *frame, const struct slice *fields,
                  size_t count, bool keep)
{
    *e = (struct expanding){.batch = frame->batch, .arena = frame->batch->arena};
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct keying keying = {.to = e, .fields = count};
        if (row_key_each(frame->batch, fields, count, row, take_key, &keying) < 0)
            return -1;
        if (!keying.combo && keep && add_entry(e, row, SLICE_NONE, -1) < 0)
            return -1;
    }
    return 0;
}

/* numbers[row] of the batch; NULL: -1. */
static int store(struct sorter *to, const struct expanding *e, const int64_t *numbers, struct err *err)
{
    struct frame frame;
    if (frame_gather(&frame, e->batch, e->rows, e->count, e->arena) < 0)
        return run_nomem(to->run, err);
    struct column *keys = frame_column(&frame, ROW_KEY), *number = frame_column(&frame, ROW_NUMBER);
    struct column *combos = frame_column(&frame, ROW_COMBO);
    if (!keys || !number || !combos)
        return run_nomem(to->run, err);
    for (uint32_t i = 0; i < e->count; i++) {
        int64_t n = numbers ? numbers[e->rows[i]] : -1;
        if (column_add(frame.batch, number, i, value_i64(n)) < 0 ||
            (e->keys[i].ptr && column_add(frame.batch, keys, i, value_string(e->keys[i])) < 0) ||
            (numbers && e->keys[i].ptr &&
             column_add(frame.batch, combos, i, value_i64(e->combos[i])) < 0))
            return run_nomem(to->run, err);
    }
    if (frame_put(&frame, keys) < 0 || frame_put(&frame, number) < 0 || frame_put(&frame, combos) < 0)
        return run_nomem(to->run, err);
    return sorter_add(to, &frame, err);
}

static int take_theirs(void *context, const struct batch *rows, struct err *err)
{
    struct join_sorted *join = context;
    const struct met_rule *rule = join->rule;
    uint32_t most = search_memory_rows(join->run->memory);
    struct arena *arena = arena_new_within(&join->run->memory->budget);
    int result = arena ? 0 : run_nomem(join->run, err);
    for (uint32_t at = 0; result == 0 && at < rows->row_count; at += most) {
        uint32_t left = rows->row_count - at;
        struct expanding e;
        struct frame frame;
        arena_reset(arena);
        if (frame_slice(&frame, rows, NULL, at, left < most ? left : most, arena) < 0 ||
            expand(&e, &frame, rule->theirs, rule->count, false) < 0)
            result = run_nomem(join->run, err);
        else
            result = store(&join->both, &e, NULL, err);
    }
    arena_free(arena);
    return result;
}

/* Our columns come first, whenever they come. */
static int note_names(struct join_sorted *join, const struct batch *batch)
{
    for (uint32_t c = 0; c < batch->column_count; c++)
        if (!row_key_hides(batch->columns[c]->name) && !batch_column(join->names, batch->columns[c]->name))
            return -1;
    return 0;
}

int join_sorted_init(struct join_sorted *join, struct run *run, const struct met_rule *rule,
                     struct sorter *theirs, struct err *err)
{
    static const struct sort_keys keys[] = {{by_key, ARRAY_COUNT(by_key)},
                                            {by_number, ARRAY_COUNT(by_number)}};
    *join = (struct join_sorted){
        .run = run, .rule = rule, .names = frame_batch_new(run->arena, 0)};
    if (!join->names)
        return run_nomem(run, err);
    if (sorter_init(&join->both, run, &keys[0], 0, err) < 0 ||
        sorter_init(&join->pairs, run, &keys[1], 0, err) < 0 ||
        sorter_each(theirs, take_theirs, join, err) < 0)
        return -1;
    sorter_close(theirs);
    return 0;
}

int join_sorted_add(struct join_sorted *join, const struct frame *frame, struct err *err)
{
    struct arena *arena = frame->batch->arena;
    int64_t *numbers = arena_alloc(arena, (frame->batch->row_count + 1U) * sizeof(*numbers));
    struct expanding e;
    if (!numbers || note_names(join, frame->batch) < 0)
        return run_nomem(join->run, err);
    for (uint32_t row = frame_next(frame, 0); row < frame->batch->row_count;
         row = frame_next(frame, row + 1))
        numbers[row] = (int64_t)join->rows++;
    if (expand(&e, frame, join->rule->ours, join->rule->count, join->rule->left) < 0)
        return run_nomem(join->run, err);
    return e.count ? store(&join->both, &e, numbers, err) : 0;
}

/* ---- pairs ---- */

struct pairing {
    struct join_sorted *join;
    struct sorter carried; /* their rows of the key at hand that came in blocks before */
    struct arena *key_arena;
    struct slice key;      /* ptr NULL: none yet */
    /* of the block at hand */
    struct arena *block, *moment;
    struct frame ours;             /* without the key */
    uint32_t *taken;               /* by row of ours: how many it met */
    uint32_t theirs, theirs_behind; /* rows of theirs with the key */
    uint32_t first, behind;        /* rows of ours that meet what is carried */
    struct met_pairs pairs;
    uint32_t most;
};

static int give_pairs(struct pairing *p, struct err *err)
{
    struct run *run = p->join->run;
    struct frame out;
    if (!p->pairs.count)
        return 0;
    arena_reset(p->moment);
    if (met_frame(p->join->rule, &p->pairs, p->moment, &out) < 0)
        return run_nomem(run, err);
    struct column *old = batch_find(out.batch, ROW_COMBO), *fresh = frame_column(&out, ROW_COMBO);
    for (uint32_t i = 0; fresh && old && i < old->count; i++)
        if (p->pairs.rows[old->rows[i]] != GROUP_NONE &&
            column_add(out.batch, fresh, old->rows[i], column_value(old, i)) < 0)
            return run_nomem(run, err);
    if (!fresh || frame_put(&out, fresh) < 0)
        return run_nomem(run, err);
    p->pairs.count = 0;
    return run_check(run, err) < 0 ? -1 : sorter_add(&p->join->pairs, &out, err);
}

static int add_pair(struct pairing *p, uint32_t our, uint32_t their, struct err *err)
{
    p->pairs.ours[p->pairs.count] = our;
    p->pairs.rows[p->pairs.count++] = their;
    return p->pairs.count == p->most ? give_pairs(p, err) : 0;
}

/* One of our rows and some of theirs. */
static int meet(struct pairing *p, uint32_t our, const struct batch *theirs, uint32_t first,
                uint32_t behind, struct err *err)
{
    const struct met_rule *rule = p->join->rule;
    for (uint32_t their = first; their < behind; their++) {
        if (rule->max && p->taken[our] >= (uint64_t)rule->max)
            return 0;
        if (!met_in_time(rule, p->ours.batch, our, theirs, their))
            continue;
        p->taken[our]++;
        if (add_pair(p, our, their, err) < 0)
            return -1;
    }
    return 0;
}

static int meet_carried(void *context, const struct batch *theirs, struct err *err)
{
    struct pairing *p = context;
    p->pairs.theirs = theirs;
    for (uint32_t our = p->first; our < p->behind; our++)
        if (meet(p, our, theirs, 0, theirs->row_count, err) < 0)
            return -1;
    return give_pairs(p, err); /* theirs go */
}

/* Our rows from first up to behind have the key at hand. */
static int meet_rows(struct pairing *p, const struct batch *rows, uint32_t first, uint32_t behind,
                     struct err *err)
{
    const struct met_rule *rule = p->join->rule;
    p->first = first;
    p->behind = behind;
    if (p->carried.count) {
        if (give_pairs(p, err) < 0 || sorter_each(&p->carried, meet_carried, p, err) < 0)
            return -1;
        p->pairs.theirs = rows;
    }
    for (uint32_t our = first; our < behind; our++) {
        if (meet(p, our, rows, p->theirs, p->theirs_behind, err) < 0)
            return -1;
        if (!p->taken[our] && rule->left && add_pair(p, our, GROUP_NONE, err) < 0)
            return -1;
    }
    return 0;
}

static int turn_key(struct pairing *p, struct value v, struct err *err)
{
    if (p->carried.count)
        sorter_clear(&p->carried);
    p->theirs = p->theirs_behind = 0;
    arena_reset(p->key_arena);
    p->key = arena_copy(p->key_arena, v.type == VALUE_STRING ? value_slice(v) : SLICE(""));
    return p->key.ptr ? 0 : run_nomem(p->join->run, err);
}

/* Their rows of the last key may have more of ours in the next block. */
static int carry(struct pairing *p, const struct batch *rows, struct err *err)
{
    const struct met_rule *rule = p->join->rule;
    uint32_t most = rule->max && !rule->by_time && rule->max < UINT32_MAX ? (uint32_t)rule->max : UINT32_MAX;
    struct frame frame;
    if (p->theirs == p->theirs_behind || p->carried.count >= most)
        return 0;
    if (frame_share(&frame, rows, NULL, p->block) < 0 ||
        !(frame.selected = bits_range(p->block, frame.selected, rows->row_count, p->theirs,
                                      p->theirs_behind)))
        return run_nomem(p->join->run, err);
    return sorter_add(&p->carried, &frame, err);
}

static bool same_key(const struct pairing *p, struct value v)
{
    return p->key.ptr && slice_equal(p->key, v.type == VALUE_STRING ? value_slice(v) : SLICE(""));
}

static int begin_block(struct pairing *p, const struct batch *rows, struct err *err)
{
    arena_reset(p->block);
    p->taken = arena_array(p->block, rows->row_count + 1U, sizeof(*p->taken));
    if (!p->taken || frame_share(&p->ours, rows, NULL, p->block) < 0)
        return run_nomem(p->join->run, err);
    frame_drop(&p->ours, ROW_KEY);
    p->theirs = p->theirs_behind = 0;
    p->pairs.batch = p->ours.batch;
    p->pairs.theirs = rows;
    return 0;
}

static int pair_block(void *context, const struct batch *rows, struct err *err)
{
    struct pairing *p = context;
    const struct column *keys = batch_find(rows, ROW_KEY), *numbers = batch_find(rows, ROW_NUMBER);
    if (begin_block(p, rows, err) < 0)
        return -1;
    for (uint32_t row = 0, behind; row < rows->row_count; row = behind) {
        struct value key = keys ? column_first(keys, row) : value_null();
        bool theirs = row_key_number(numbers, row, 0) < 0;
        if (!same_key(p, key) && turn_key(p, key, err) < 0)
            return -1;
        behind = row + 1;
        while (behind < rows->row_count && theirs == (row_key_number(numbers, behind, 0) < 0) &&
               same_key(p, keys ? column_first(keys, behind) : value_null()))
            behind++;
        if (theirs) {
            p->theirs = row;
            p->theirs_behind = behind;
        } else if (meet_rows(p, rows, row, behind, err) < 0) {
            return -1;
        }
    }
    return give_pairs(p, err) < 0 ? -1 : carry(p, rows, err);
}

/* ---- back in order ---- */

struct giving {
    struct stage *op;
    struct arena *arena;
    int64_t number, combo; /* of the row before */
};

/* Of a row's combinations only the first that met somebody. */
static int give_rows(void *context, const struct batch *rows, struct err *err)
{
    struct giving *g = context;
    const struct column *numbers = batch_find(rows, ROW_NUMBER), *combos = batch_find(rows, ROW_COMBO);
    uint32_t *kept, count = 0;
    arena_reset(g->arena);
    if (!(kept = arena_alloc(g->arena, (rows->row_count + 1U) * sizeof(*kept))))
        return run_nomem(g->op->run, err);
    for (uint32_t row = 0; row < rows->row_count; row++) {
        int64_t number = row_key_number(numbers, row, 0), combo = row_key_number(combos, row, -1);
        bool again = number == g->number;
        if (again && (combo != g->combo || combo < 0))
            continue;
        g->number = number;
        g->combo = combo;
        kept[count++] = row;
    }
    return rows_show_emit(g->op, rows, kept, count, err);
}

/* Our columns first, theirs behind them. */
static int name_columns(struct join_sorted *join)
{
    const struct batch *sides[] = {join->names, join->both.names};
    for (size_t s = 0; s < ARRAY_COUNT(sides); s++)
        for (uint32_t c = 0; c < sides[s]->column_count; c++)
            if (!batch_column(join->pairs.names, sides[s]->columns[c]->name))
                return -1;
    return 0;
}

static int pair_rows(struct pairing *p, struct err *err)
{
    struct run *run = p->join->run;
    if (!p->key_arena || !p->block || !p->moment || name_columns(p->join) < 0)
        return run_nomem(run, err);
    p->most = search_memory_rows(run->memory);
    p->pairs.count = 0;
    if (sorter_each(&p->join->both, pair_block, p, err) < 0)
        return -1;
    sorter_close(&p->join->both);
    sorter_close(&p->carried);
    return 0;
}

int join_sorted_emit(struct join_sorted *join, struct stage *op, struct err *err)
{
    struct arena_budget *budget = &join->run->memory->budget;
    struct pairing *p = arena_calloc(join->run->arena, sizeof(*p));
    struct giving giving = {.op = op, .number = -1};
    if (!p)
        return run_nomem(join->run, err);
    if (sorter_init(&p->carried, join->run, NULL, 0, err) < 0)
        return -1;
    p->join = join;
    p->key_arena = arena_new_within(budget);
    p->block = arena_new_within(budget);
    p->moment = arena_new_within(budget);
    giving.arena = arena_new_within(budget);
    int result = giving.arena ? pair_rows(p, err) : run_nomem(join->run, err);
    arena_free(p->key_arena);
    arena_free(p->block);
    arena_free(p->moment);
    if (result == 0)
        result = sorter_each(&join->pairs, give_rows, &giving, err);
    arena_free(giving.arena);
    sorter_close(&join->pairs);
    return result;
}
