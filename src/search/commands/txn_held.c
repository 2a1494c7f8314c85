#include "search/commands/txn_held.h"

#include <stdlib.h>

static void close_held(void *held)
{
    txn_held_close(held);
}

int txn_held_init(struct txn_held *held, struct run *run, const struct txn_rules *rules,
                  struct slice mv_list, struct err *err)
{
    *held = (struct txn_held){.run = run,
                              .rules = rules,
                              .mv_list = mv_list,
                              .arena = arena_new_within(&run->memory->budget),
                              .newest_first = true};
    if (!held->arena || arena_defer(run->arena, close_held, held) < 0)
        return run_nomem(run, err);
    held->interns = arena_array(held->arena, rules->field_count + 1, sizeof(*held->interns));
    row_store_init(&held->rows, held->arena);
    return held->interns ? 0 : run_nomem(run, err);
}

void txn_held_close(struct txn_held *held)
{
    arena_free(held->arena);
    held->arena = NULL;
    held->rows.batch = NULL;
    held->count = 0;
}

/* ---- rows in ---- */

static int grow(struct txn_held *held)
{
    struct arena *arena = held->arena;
    size_t old = held->room, room = grown_room(held->room), fields = held->rules->field_count;
    int64_t *times = grown_array(arena, held->times, old * sizeof(*times), room * sizeof(*times));
    if (!times)
        return -1;
    held->times = times;
    uint8_t *flags = grown_array(arena, held->flags, old, room);
    if (!flags)
        return -1;
    held->flags = flags;
    uint32_t *ids = grown_array(arena, held->ids, old * fields * sizeof(*ids),
                                (room * fields + 1) * sizeof(*ids));
    if (!ids)
        return -1;
    held->ids = ids;
    held->room = (uint32_t)room;
    return 0;
}

static int add_one(struct txn_held *held, const struct txn_keys *keys, uint32_t i)
{
    size_t fields = held->rules->field_count;
    uint32_t at = held->count;
    if (at == held->room && grow(held) < 0)
        return -1;
    held->times[at] = keys->times[i];
    held->flags[at] = keys->flags[i];
    held->newest_first &= !(keys->flags[i] & TXN_TIMELESS) &&
                          (at == 0 || held->times[at] <= held->times[at - 1]);
    for (size_t f = 0; f < fields; f++) {
        struct value v = keys->tuple[i * fields + f];
        uint32_t id = v.type == VALUE_NULL ? 0 : intern_value(&held->interns[f], held->arena, v) + 1;
        if (v.type != VALUE_NULL && !id) /* GROUP_NONE */
            return -1;
        held->ids[at * fields + f] = id;
    }
    held->count++;
    return 0;
}

int txn_held_add(struct txn_held *held, const struct frame *frame, const struct txn_keys *keys,
                 struct err *err)
{
    uint32_t count = frame_count(frame);
    for (uint32_t i = 0; i < count; i++)
        if (add_one(held, keys, i) < 0)
            return run_nomem(held->run, err);
    return row_store_add(&held->rows, frame) < 0 ? run_nomem(held->run, err) : 0;
}

bool txn_held_is_large(const struct txn_held *held)
{
    /* at the end: the order, whose they are, a transaction of each at the worst */
    size_t more = held->count * (4 * sizeof(uint32_t) + sizeof(struct txn));
    size_t used = arena_used(held->arena);
    const struct arena_budget *budget = &held->run->memory->budget;
    return !held->run->preview && (search_memory_is_short(held->run->memory, used) ||
                                   (budget->bytes_held + more > budget->bytes_max / 4 * 3 &&
                                    search_memory_is_worth(held->run->memory, used)));
}

/* Some thousand rows, with their keys. */
static int move_some(struct txn_held *held, struct txn_sorted *sorted, uint32_t at, uint32_t count,
                     struct arena *arena, struct err *err)
{
    size_t fields = held->rules->field_count;
    struct frame frame;
    struct txn_keys keys = {.first = at,
                            .times = held->times + at,
                            .flags = held->flags + at,
                            .tuple = arena_alloc(arena, (count * fields + 1) * sizeof(*keys.tuple))};
    if (!keys.tuple || frame_slice(&frame, held->rows.batch, NULL, at, count, arena) < 0)
        return run_nomem(held->run, err);
    for (size_t i = 0; i < count * fields; i++) {
        uint32_t id = held->ids[at * fields + i];
        keys.tuple[i] = id ? held->interns[i % fields].values[id - 1] : value_null();
    }
    return txn_sorted_add(sorted, &frame, &keys, err);
}

int txn_held_move(struct txn_held *held, struct txn_sorted *sorted, struct err *err)
{
    struct arena *arena = arena_new_within(&held->run->memory->budget);
    int result = arena ? 0 : run_nomem(held->run, err);
    uint32_t most = search_memory_rows(held->run->memory);
    for (uint32_t at = 0; result == 0 && at < held->count; at += most) {
        uint32_t left = held->count - at;
        arena_reset(arena);
        result = move_some(held, sorted, at, left < most ? left : most, arena, err);
    }
    arena_free(arena);
    txn_held_close(held);
    return result;
}

/* ---- transactions out ---- */

struct ending {
    const struct txn_held *held;
    struct stage *op;
    struct arena *arena;
    uint32_t *order;  /* rows by time */
    uint32_t *seq_of; /* by row: its transaction, 0: none */
    struct txn *done;
    uint32_t done_count, done_room;
    uint32_t *members; /* rows by transaction, in order of time */
    uint32_t *begins;  /* by seq: the first of its members */
};

struct when {
    int64_t time_ns; /* INT64_MAX: none */
    uint32_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct when *x = a, *y = b;
    return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1)
                                    : (x->row > y->row) - (x->row < y->row);
}

static int sort_order(struct ending *e)
{
    const struct txn_held *held = e->held;
    struct when *rows = arena_alloc(e->arena, (held->count + 1U) * sizeof(*rows));
    if (!rows)
        return -1;
    for (uint32_t i = 0; i < held->count; i++)
        rows[i] = (struct when){held->flags[i] & TXN_TIMELESS ? INT64_MAX : held->times[i], i};
    qsort(rows, held->count, sizeof(*rows), by_time);
    for (uint32_t i = 0; i < held->count; i++)
        e->order[i] = rows[i].row;
    arena_give_back(e->arena, rows);
    return 0;
}

/* Rows of the same time keep the order they came in. */
static void turn_order(struct ending *e)
{
    const int64_t *times = e->held->times;
    uint32_t at = 0;
    for (uint32_t end = e->held->count, begin; end > 0; end = begin) {
        begin = end - 1;
        while (begin > 0 && times[begin - 1] == times[end - 1])
            begin--;
        for (uint32_t row = begin; row < end; row++)
            e->order[at++] = row;
    }
}

static int note_row(void *context, const struct txn_row *row, uint32_t seq, struct err *err)
{
    struct ending *e = context;
    (void)err;
    e->seq_of[row->number] = seq;
    return 0;
}

static int note_done(void *context, const struct txn *txn, struct err *err)
{
    struct ending *e = context;
    if (e->done_count == e->done_room) {
        uint32_t room = grown_room(e->done_room);
        struct txn *done = grown_array(e->arena, e->done, e->done_count * sizeof(*done),
                                       room * sizeof(*done));
        if (!done)
            return run_nomem(e->op->run, err);
        e->done = done;
        e->done_room = room;
    }
    e->done[e->done_count++] = *txn;
    return 0;
}

static int run_machine(struct ending *e, uint32_t *seqs, struct err *err)
{
    const struct txn_held *held = e->held;
    size_t fields = held->rules->field_count;
    struct txn_machine machine = {
        .run = e->op->run, .row = note_row, .done = note_done, .context = e};
    if (txn_machine_init(&machine, e->arena, held->rules, err) < 0)
        return -1;
    for (uint32_t i = 0; i < held->count; i++) {
        uint32_t at = e->order[i];
        struct txn_row row = {.number = at,
                              .time_ns = held->times[at],
                              .starts = held->flags[at] & TXN_STARTS,
                              .ends = held->flags[at] & TXN_ENDS,
                              .ids = held->ids + at * fields};
        if (i % FRAME_ROWS_MAX == 0 && run_check(e->op->run, err) < 0)
            return -1;
        if (txn_machine_add(&machine, &row, err) < 0)
            return -1;
    }
    int64_t last = INT64_MIN;
    for (uint32_t at = 0; at < held->count; at++)
        if (!(held->flags[at] & TXN_TIMELESS) && held->times[at] > last)
            last = held->times[at];
    if (txn_machine_end(&machine, last, err) < 0)
        return -1;
    *seqs = machine.seq;
    return 0;
}

/* By counting: rows of a transaction stand together. */
static int gather_members(struct ending *e, uint32_t seqs)
{
    uint32_t count = e->held->count;
    e->members = arena_alloc(e->arena, (count + 1U) * sizeof(*e->members));
    e->begins = arena_array(e->arena, seqs + 2U, sizeof(*e->begins));
    if (!e->members || !e->begins)
        return -1;
    for (uint32_t row = 0; row < count; row++)
        e->begins[e->seq_of[row]]++;
    for (uint32_t seq = 0, sum = 0; seq <= seqs; seq++) {
        sum += e->begins[seq];
        e->begins[seq] = sum; /* behind its last one; counted down below */
    }
    for (uint32_t i = count; i-- > 0;)
        e->members[--e->begins[e->seq_of[e->order[i]]]] = e->order[i];
    return 0;
}

static int by_newest(const void *a, const void *b)
{
    const struct txn *x = a, *y = b;
    return x->first_ns != y->first_ns ? (x->first_ns > y->first_ns ? -1 : 1)
                                      : (x->first > y->first) - (x->first < y->first);
}

static int emit_done(struct ending *e, struct err *err)
{
    struct run *run = e->op->run;
    const struct batch *rows = e->held->rows.batch;
    struct txn_maker maker = {e->held->mv_list, run->scratch};
    uint32_t most = search_memory_rows(run->memory);
    for (uint32_t at = 0; at < e->done_count;) {
        struct frame frame;
        arena_reset(run->frames);
        struct batch *out = frame_batch_new(run->frames, 0);
        for (uint32_t i = 0; out && i < most && at < e->done_count; i++, at++)
            if (txn_make(&maker, rows, e->members + e->begins[e->done[at].seq], &e->done[at], out) < 0)
                return run_nomem(run, err);
        if (!out || frame_share(&frame, out, NULL, run->frames) < 0)
            return run_nomem(run, err);
        if (run_check(run, err) < 0 || stage_push(e->op, &frame, err) < 0)
            return -1;
    }
    return 0;
}

static int end_rows(struct ending *e, struct err *err)
{
    uint32_t seqs;
    e->order = arena_alloc(e->arena, (e->held->count + 1U) * sizeof(*e->order));
    e->seq_of = arena_array(e->arena, e->held->count + 1U, sizeof(*e->seq_of));
    if (!e->order || !e->seq_of)
        return run_nomem(e->op->run, err);
    if (e->held->newest_first)
        turn_order(e);
    else if (sort_order(e) < 0)
        return run_nomem(e->op->run, err);
    if (run_machine(e, &seqs, err) < 0)
        return -1;
    if (gather_members(e, seqs) < 0)
        return run_nomem(e->op->run, err);
    if (e->done_count)
        qsort(e->done, e->done_count, sizeof(*e->done), by_newest);
    return emit_done(e, err);
}

int txn_held_emit(struct txn_held *held, struct stage *op, struct err *err)
{
    struct ending ending = {.held = held, .op = op};
    if (!held->count)
        return 0;
    ending.arena = op->run->preview ? arena_new(MEMORY_QUERY_MAX)
                                    : arena_new_within(&op->run->memory->budget);
    int result = ending.arena ? end_rows(&ending, err) : run_nomem(op->run, err);
    arena_free(ending.arena);
    return result;
}
