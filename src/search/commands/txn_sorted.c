#include "search/commands/txn_sorted.h"

#include "search/group.h"
#include "search/row_key.h"

static const struct sort_key by_key[] = {{.field = {"\001key", 4}, .kind = SORT_TEXT},
                                         {.field = {"\001time", 5}, .kind = SORT_NUMBER},
                                         {.field = {"\001number", 7}, .kind = SORT_NUMBER}};
/* the row that says what the transaction is comes first: others have no count */
static const struct sort_key by_group[] = {{.field = {"\001group", 6}, .kind = SORT_NUMBER},
                                           {.field = {"\001count", 6}, .kind = SORT_NUMBER}};
static const struct sort_key by_newest[] = {
    {.field = {"\001time", 5}, .kind = SORT_NUMBER, .descending = true},
    {.field = {"\001number", 7}, .kind = SORT_NUMBER}};

int txn_sorted_init(struct txn_sorted *sorted, struct run *run, const struct txn_rules *rules,
                    struct slice mv_list, struct err *err)
{
    static const struct sort_keys keys[] = {{by_key, ARRAY_COUNT(by_key)},
                                            {by_group, ARRAY_COUNT(by_group)},
                                            {by_newest, ARRAY_COUNT(by_newest)}};
    size_t fields = rules->field_count;
    *sorted = (struct txn_sorted){.run = run, .rules = rules, .mv_list = mv_list,
                                    .last_ns = INT64_MIN};
    sorted->key_names = arena_array(run->arena, fields + 1, sizeof(*sorted->key_names));
    for (size_t f = 0; sorted->key_names && f < fields; f++)
        if (!(sorted->key_names[f] = arena_printf(run->arena, "\001field%zu", f)).ptr)
            return run_nomem(run, err);
    if (!sorted->key_names)
        return run_nomem(run, err);
    return sorter_init(&sorted->rows, run, &keys[0], 0, err) < 0 ||
                   sorter_init(&sorted->members, run, &keys[1], 0, err) < 0 ||
                   sorter_init(&sorted->made, run, &keys[2], 0, err) < 0
               ? -1
               : 0;
}

/* ---- rows in ---- */

/* One field: its value as a text that rows are sorted by. Several: their values. */
static int add_key_columns(const struct txn_sorted *sorted, struct frame *work,
                           const struct txn_keys *keys)
{
    size_t fields = sorted->rules->field_count;
    for (size_t f = 0; f < fields; f++) {
        struct column *column = frame_column(work, fields == 1 ? ROW_KEY : sorted->key_names[f]);
        uint32_t i = 0;
        for (uint32_t row = frame_next(work, 0); column && row < work->batch->row_count;
             row = frame_next(work, row + 1), i++) {
            struct value v = keys->tuple[i * fields + f];
            if (v.type == VALUE_NULL)
                continue;
            struct slice text = fields == 1 ? row_key_text(&v, 1, work->batch->arena) : SLICE("");
            if (!text.ptr ||
                column_add(work->batch, column, row, fields == 1 ? value_string(text) : v) < 0)
                return -1;
        }
        if (!column || frame_put(work, column) < 0)
            return -1;
    }
    return 0;
}

int txn_sorted_add(struct txn_sorted *sorted, const struct frame *frame, const struct txn_keys *keys,
                   struct err *err)
{
    struct frame work;
    if (frame_share(&work, frame->batch, frame->selected, frame->batch->arena) < 0 ||
        add_key_columns(sorted, &work, keys) < 0)
        return run_nomem(sorted->run, err);
    struct column *times = frame_column(&work, ROW_TIME), *numbers = frame_column(&work, ROW_NUMBER);
    struct column *flags = frame_column(&work, ROW_FLAGS);
    uint32_t i = 0;
    for (uint32_t row = frame_next(&work, 0); row < work.batch->row_count;
         row = frame_next(&work, row + 1), i++) {
        bool timeless = keys->flags[i] & TXN_TIMELESS;
        if (!timeless && keys->times[i] > sorted->last_ns)
            sorted->last_ns = keys->times[i];
        if (!times || !numbers || !flags ||
            column_add(work.batch, times, row, value_i64(timeless ? INT64_MAX : keys->times[i])) < 0 ||
            column_add(work.batch, numbers, row, value_i64((int64_t)(keys->first + i))) < 0 ||
            column_add(work.batch, flags, row, value_i64(keys->flags[i])) < 0)
            return run_nomem(sorted->run, err);
    }
    if (frame_put(&work, times) < 0 || frame_put(&work, numbers) < 0 || frame_put(&work, flags) < 0)
        return run_nomem(sorted->run, err);
    return sorter_add(&sorted->rows, &work, err);
}

/* ---- which transaction each row is in ---- */

struct telling {
    struct txn_sorted *sorted;
    struct txn_machine machine;
    struct txn_rules rules;
    struct intern *interns; /* of several fields */
    uint32_t *ids;
    uint64_t interned_max;      /* values known before those of no use are forgotten */
    struct arena *arena;        /* of the machine and the interns */
    struct arena *keys;         /* of key */
    struct slice key;           /* of the row before; ptr NULL: it had none */
    struct frame work;          /* rows at hand */
    struct column *groups;      /* of them */
    struct arena *moment;       /* of work */
    struct arena *heads_arena;
    struct batch *heads;        /* transactions that became whole */
    uint32_t row;
};

static int tell_row(void *context, const struct txn_row *row, uint32_t seq, struct err *err)
{
    struct telling *t = context;
    (void)row;
    bits_set(t->work.selected, t->row);
    return column_add(t->work.batch, t->groups, t->row, value_i64(seq)) < 0
               ? txn_machine_nomem(&t->machine, err)
               : 0;
}

static int begin_heads(struct telling *t, struct err *err)
{
    arena_reset(t->heads_arena);
    t->heads = frame_batch_new(t->heads_arena, 0);
    return t->heads ? 0 : run_nomem(t->sorted->run, err);
}

static int keep_heads(struct telling *t, struct err *err)
{
    struct frame heads;
    if (!t->heads->row_count)
        return 0;
    if (frame_share(&heads, t->heads, NULL, t->heads_arena) < 0)
        return run_nomem(t->sorted->run, err);
    return sorter_add(&t->sorted->members, &heads, err) < 0 ? -1 : begin_heads(t, err);
}

static int tell_done(void *context, const struct txn *txn, struct err *err)
{
    struct telling *t = context;
    if (t->heads->row_count == search_memory_rows(t->sorted->run->memory) && keep_heads(t, err) < 0)
        return -1;
    struct batch *heads = t->heads;
    uint32_t at = heads->row_count++;
    int64_t flags = (txn->closed ? 1 : 0) | (txn->orphan ? 2 : 0);
    return batch_put(heads, at, ROW_GROUP, value_i64(txn->seq)) < 0 ||
                   batch_put(heads, at, ROW_COUNT, value_i64(txn->count)) < 0 ||
                   batch_put(heads, at, ROW_NUMBER, value_i64((int64_t)txn->first)) < 0 ||
                   batch_put(heads, at, ROW_TIME, value_i64(txn->first_ns)) < 0 ||
                   batch_put(heads, at, ROW_LAST, value_i64(txn->last_ns)) < 0 ||
                   batch_put(heads, at, ROW_FLAGS, value_i64(flags)) < 0
               ? run_nomem(t->sorted->run, err)
               : 0;
}

/* Rows of one field stand by its value: another one's transactions are over. */
static int turn_key(struct telling *t, const struct batch *rows, bool *has_key, struct err *err)
{
    struct value v = batch_first(rows, t->row, ROW_KEY);
    *has_key = v.type == VALUE_STRING;
    if (*has_key && t->key.ptr && slice_equal(value_slice(v), t->key))
        return 0;
    if (!*has_key && !t->key.ptr)
        return 0;
    arena_reset(t->keys);
    t->key = *has_key ? arena_copy(t->keys, value_slice(v)) : SLICE_NONE;
    if (*has_key && !t->key.ptr)
        return run_nomem(t->sorted->run, err);
    return txn_machine_end(&t->machine, t->sorted->last_ns, err);
}

static int read_ids(struct telling *t, const struct batch *rows)
{
    for (size_t f = 0; f < t->rules.field_count; f++) {
        struct value v = batch_first(rows, t->row, t->sorted->key_names[f]);
        t->ids[f] = 0;
        if (v.type == VALUE_NULL)
            continue;
        uint32_t id = intern_value(&t->interns[f], t->arena, v);
        if (id == GROUP_NONE)
            return -1;
        t->ids[f] = id + 1;
    }
    return 0;
}

static int tell_one(struct telling *t, const struct batch *rows, struct err *err)
{
    const struct column *times = batch_find(rows, ROW_TIME), *flags = batch_find(rows, ROW_FLAGS);
    int64_t flag = row_key_number(flags, t->row, 0);
    bool has_key = true;
    struct txn_row row = {.number = (uint64_t)row_key_number(batch_find(rows, ROW_NUMBER), t->row, 0),
                          .time_ns = flag & TXN_TIMELESS ? 0 : row_key_number(times, t->row, 0),
                          .starts = flag & TXN_STARTS,
                          .ends = flag & TXN_ENDS,
                          .ids = t->ids};
    if (read_ids(t, rows) < 0)
        return txn_machine_nomem(&t->machine, err);
    if (t->sorted->rules->field_count == 1 && turn_key(t, rows, &has_key, err) < 0)
        return -1;
    return has_key ? txn_machine_add(&t->machine, &row, err) : txn_machine_orphan(&t->machine, &row, err);
}

/* ---- values of transactions that are over are forgotten ---- */

enum { INTERNED_MIN = 8192 };

struct renaming {
    struct arena *arena;
    const struct intern *from;
    struct intern *to;
};

static uint32_t rename_value(void *context, size_t field, uint32_t id)
{
    const struct renaming *r = context;
    uint32_t fresh = intern_value(&r->to[field], r->arena, r->from[field].values[id - 1]);
    return fresh == GROUP_NONE ? 0 : fresh + 1;
}

static uint64_t interned(const struct telling *t)
{
    uint64_t sum = 0;
    for (size_t f = 0; f < t->rules.field_count; f++)
        sum += t->interns[f].count;
    return sum;
}

/* Rows come by time; now is that of the next one. Without room for a second set of them, the values stay. */
static int forget(struct telling *t, int64_t now, struct err *err)
{
    size_t fields = t->rules.field_count;
    struct renaming r = {.arena = arena_new_within(&t->sorted->run->memory->budget), .from = t->interns};
    r.to = r.arena ? arena_array(r.arena, fields + 1, sizeof(*r.to)) : NULL;
    uint32_t *ids = r.to ? arena_array(r.arena, fields + 1, sizeof(*ids)) : NULL;
    if (!ids || txn_machine_move(&t->machine, r.arena, now, rename_value, &r, err) < 0) {
        arena_free(r.arena);
        t->interned_max = 2 * interned(t);
        bool full = !ids || (err && err->code == ERR_LIMIT);
        if (full && err)
            err_clear(err);
        return full ? 0 : -1;
    }
    arena_free(t->arena);
    t->arena = r.arena;
    t->interns = r.to;
    t->ids = ids;
    t->interned_max = 2 * interned(t) + INTERNED_MIN;
    return 0;
}

static int tell_rows(void *context, const struct batch *rows, struct err *err)
{
    struct telling *t = context;
    int64_t now = row_key_number(batch_find(rows, ROW_TIME), 0, INT64_MAX);
    arena_reset(t->moment);
    if (now != INT64_MAX && interned(t) > t->interned_max && forget(t, now, err) < 0)
        return -1;
    if (frame_share(&t->work, rows, NULL, t->moment) < 0 ||
        rows_show(&t->work) < 0 || !(t->groups = frame_column(&t->work, ROW_GROUP)))
        return txn_machine_nomem(&t->machine, err);
    memset(t->work.selected, 0, bits_words(rows->row_count) * 8);
    for (t->row = 0; t->row < rows->row_count; t->row++)
        if (tell_one(t, rows, err) < 0)
            return -1;
    if (frame_put(&t->work, t->groups) < 0)
        return txn_machine_nomem(&t->machine, err);
    return sorter_add(&t->sorted->members, &t->work, err);
}

static int tell_all(struct telling *t, struct err *err)
{
    size_t fields = t->rules.field_count;
    struct run *run = t->sorted->run;
    t->interns = arena_array(t->arena, fields + 1, sizeof(*t->interns));
    t->ids = arena_array(t->arena, fields + 1, sizeof(*t->ids));
    t->interned_max = INTERNED_MIN;
    t->machine = (struct txn_machine){.run = run, .row = tell_row, .done = tell_done, .context = t};
    if (!t->interns || !t->ids)
        return run_nomem(run, err);
    if (begin_heads(t, err) < 0 || txn_machine_init(&t->machine, t->arena, &t->rules, err) < 0 ||
        sorter_each(&t->sorted->rows, tell_rows, t, err) < 0)
        return -1;
    sorter_close(&t->sorted->rows);
    return txn_machine_end(&t->machine, t->sorted->last_ns, err) < 0 ? -1 : keep_heads(t, err);
}

static int tell_transactions(struct txn_sorted *sorted, struct err *err)
{
    struct arena_budget *budget = &sorted->run->memory->budget;
    struct telling t = {.sorted = sorted,
                        .rules = *sorted->rules,
                        .arena = arena_new_within(budget),
                        .keys = arena_new_within(budget),
                        .moment = arena_new_within(budget),
                        .heads_arena = arena_new_within(budget)};
    if (t.rules.field_count == 1) /* rows of a value are alone */
        t.rules.field_count = 0;
    int result = t.arena && t.keys && t.moment && t.heads_arena ? tell_all(&t, err) : run_nomem(sorted->run, err);
    arena_free(t.arena);
    arena_free(t.keys);
    arena_free(t.moment);
    arena_free(t.heads_arena);
    return result;
}

/* ---- made ---- */

struct making {
    struct txn_sorted *sorted;
    struct txn_maker maker;
    struct txn txn; /* seq 0: none */
    struct row_store members;
    struct arena *arena;  /* of members */
    struct arena *moment; /* of a row that is made */
    struct arena *block;  /* of the rows at hand */
};

static int make_one(struct making *m, struct err *err)
{
    struct frame frame;
    uint32_t *rows = arena_array(m->moment, m->txn.count + 1U, sizeof(*rows));
    struct batch *out = frame_batch_new(m->moment, 0);
    for (uint32_t i = 0; rows && i < m->txn.count; i++)
        rows[i] = i;
    if (!rows || !out || txn_make(&m->maker, m->members.batch, rows, &m->txn, out) < 0 ||
        batch_put(out, 0, ROW_TIME, value_i64(m->txn.first_ns)) < 0 ||
        batch_put(out, 0, ROW_NUMBER, value_i64((int64_t)m->txn.first)) < 0 ||
        frame_share(&frame, out, NULL, m->moment) < 0)
        return run_nomem(m->sorted->run, err);
    return sorter_add(&m->sorted->made, &frame, err);
}

/* The transaction at hand is whole. */
static int end_one(struct making *m, struct err *err)
{
    if (m->txn.seq && make_one(m, err) < 0)
        return -1;
    arena_reset(m->arena);
    arena_reset(m->moment);
    row_store_init(&m->members, m->arena);
    m->txn.seq = 0;
    return 0;
}

static int begin_one(struct making *m, const struct batch *rows, uint32_t row, struct err *err)
{
    int64_t flags = row_key_number(batch_find(rows, ROW_FLAGS), row, 0);
    if (end_one(m, err) < 0)
        return -1;
    m->txn = (struct txn){
        .first = (uint64_t)row_key_number(batch_find(rows, ROW_NUMBER), row, 0),
        .first_ns = row_key_number(batch_find(rows, ROW_TIME), row, 0),
        .last_ns = row_key_number(batch_find(rows, ROW_LAST), row, 0),
        .seq = (uint32_t)row_key_number(batch_find(rows, ROW_GROUP), row, 0),
        .count = (uint32_t)row_key_number(batch_find(rows, ROW_COUNT), row, 0),
        .closed = flags & 1,
        .orphan = flags & 2};
    return 0;
}

static int make_rows(void *context, const struct batch *rows, struct err *err)
{
    struct making *m = context;
    const struct column *groups = batch_find(rows, ROW_GROUP), *counts = batch_find(rows, ROW_COUNT);
    struct frame shown;
    arena_reset(m->block);
    if (frame_share(&shown, rows, NULL, m->block) < 0 || rows_show(&shown) < 0)
        return run_nomem(m->sorted->run, err);
    for (uint32_t row = 0; row < rows->row_count; row++) {
        if (row_key_number(counts, row, 0)) {
            if (begin_one(m, rows, row, err) < 0)
                return -1;
        } else if (m->txn.seq == row_key_number(groups, row, 0) &&
                   row_store_add_row(&m->members, &shown, row) < 0) {
            return run_nomem(m->sorted->run, err);
        }
    }
    return 0;
}

static int make_transactions(struct txn_sorted *sorted, struct err *err)
{
    struct arena_budget *budget = &sorted->run->memory->budget;
    struct making m = {.sorted = sorted,
                       .maker = {.mv_list = sorted->mv_list, .scratch = arena_new_within(budget)},
                       .arena = arena_new_within(budget),
                       .moment = arena_new_within(budget),
                       .block = arena_new_within(budget)};
    int result = m.maker.scratch && m.arena && m.moment && m.block ? 0 : run_nomem(sorted->run, err);
    if (result == 0) {
        row_store_init(&m.members, m.arena);
        result = sorter_each(&sorted->members, make_rows, &m, err);
    }
    if (result == 0)
        result = end_one(&m, err);
    sorter_close(&sorted->members);
    arena_free(m.maker.scratch);
    arena_free(m.arena);
    arena_free(m.moment);
    arena_free(m.block);
    return result;
}

static int emit_rows(void *context, const struct batch *rows, struct err *err)
{
    return rows_show_emit(context, rows, NULL, rows->row_count, err);
}

int txn_sorted_emit(struct txn_sorted *sorted, struct stage *op, struct err *err)
{
    if (tell_transactions(sorted, err) < 0 || make_transactions(sorted, err) < 0 ||
        sorter_each(&sorted->made, emit_rows, op, err) < 0)
        return -1;
    sorter_close(&sorted->made);
    return 0;
}
