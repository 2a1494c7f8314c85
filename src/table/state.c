#include "table/state.h"

#include "base/mem.h"
#include "expr/function.h"
#include "table/state_parts.h"

#define ROW_BYTES_MAX (64 * MIB) /* more than all fields of a row can take */

struct state *state_new(const struct state_definitions *definitions)
{
    struct state *state = mem_calloc(1, sizeof(*state));
    if (!state)
        return NULL;
    state->definitions = definitions;
    state->tables = mem_calloc(definitions->table_count + 1U, sizeof(*state->tables));
    if (!state->tables) {
        mem_free(state);
        return NULL;
    }
    buffer_init(&state->cells, ROW_BYTES_MAX);
    buffer_init(&state->cell, ROW_BYTES_MAX);
    return state;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    for (uint32_t t = 0; t < state->definitions->table_count; t++)
        rows_close(&state->tables[t]);
    buffer_close(&state->cells);
    buffer_close(&state->cell);
    mem_free(state->tables);
    mem_free(state);
}

ptrdiff_t state_table_index(const struct state_definitions *definitions, struct slice name)
{
    for (uint32_t t = 0; t < definitions->table_count; t++)
        if (slice_equal(definitions->tables[t].name, name))
            return t;
    return -1;
}

ptrdiff_t state_field_index(const struct state_table_definition *table, struct slice name)
{
    for (uint32_t f = 0; f < table->field_count; f++)
        if (slice_equal(table->fields[f].name, name))
            return f;
    return -1;
}

/* ---- events in ---- */

int state_select(const struct state_definitions *definitions, struct expr_scope *scope,
                 const struct batch *batch, struct state_feed_rows *out, struct err *err)
{
    size_t bytes = bits_words(batch->row_count) * 8 + 8;
    out->rows = arena_array(scope->scratch, definitions->feed_count + 1U, sizeof(uint64_t *));
    out->any = arena_calloc(scope->scratch, bytes);
    if (!out->rows || !out->any)
        return err_nomem(err);
    for (uint32_t i = 0; i < definitions->feed_count; i++) {
        out->rows[i] = arena_calloc(scope->scratch, bytes);
        if (!out->rows[i])
            return err_nomem(err);
        if (expr_filter(definitions->feeds[i].when, scope, batch, NULL, out->rows[i], err) < 0)
            return -1;
        bits_or(out->any, out->rows[i], batch->row_count);
    }
    return 0;
}

/* What a feed makes of an event, before any of it is taken over. */
struct fed {
    const struct state_feed *feed;
    struct value_list keys;
    struct cell_input *inputs; /* by field; without values: it is not set */
    struct fed *next;
};

struct observing {
    struct expr_scope *scope;
    const struct batch *batch;
    uint32_t row;
    int64_t time_ns;
    struct fed *first, **last;
};

static int feed_wants(const struct observing *on, const struct state_feed *feed, bool *out, struct err *err)
{
    struct value_list list;
    *out = true;
    if (!feed->condition)
        return 0;
    if (expr_eval(feed->condition, on->scope, on->batch, on->row, &list, err) < 0)
        return -1;
    *out = value_truth(&list) == TRUTH_TRUE;
    return 0;
}

static int compute_inputs(const struct observing *on, struct fed *fed, uint32_t field_count, struct err *err)
{
    for (uint32_t f = 0; f < field_count; f++) {
        struct cell_input *input = &fed->inputs[f];
        struct value_list member = {0};
        input->time_ns = on->time_ns;
        if (!fed->feed->values[f])
            continue;
        if (expr_eval(fed->feed->values[f], on->scope, on->batch, on->row, &input->values, err) < 0)
            return -1;
        if (fed->feed->members && fed->feed->members[f] &&
            expr_eval(fed->feed->members[f], on->scope, on->batch, on->row, &member, err) < 0)
            return -1;
        input->member = member.count ? member.values[0] : value_null();
    }
    return 0;
}

static int compute(struct observing *on, const struct state_feed *feed, uint32_t field_count, struct err *err)
{
    bool wants;
    struct value_list keys;
    if (feed_wants(on, feed, &wants, err) < 0)
        return -1;
    if (!wants)
        return 0;
    if (expr_eval(feed->key, on->scope, on->batch, on->row, &keys, err) < 0)
        return -1;
    if (keys.count == 0)
        return 0;
    struct fed *fed = arena_calloc(on->scope->scratch, sizeof(*fed));
    if (!fed)
        return err_nomem(err);
    *fed = (struct fed){feed, keys, arena_array(on->scope->scratch, field_count + 1U, sizeof(*fed->inputs)), NULL};
    if (!fed->inputs)
        return err_nomem(err);
    *on->last = fed;
    on->last = &fed->next;
    return compute_inputs(on, fed, field_count, err);
}

void state_put_cell(struct buffer *cells, uint32_t field, struct slice cell)
{
    if (!cell.len)
        return;
    buffer_put_char(cells, (char)field);
    buffer_put_block(cells, cell);
}

/* The cells of a row with what an event says put in, into state->cells. */
static void put_together(struct state *state, const struct fed *fed, const struct row *row, struct arena *scratch)
{
    const struct state_table_definition *definition = &state->definitions->tables[fed->feed->table];
    struct slice left = row ? row_cells(row) : SLICE(""), next = SLICE("");
    uint32_t at;
    bool more = cells_next(&left, &at, &next);
    buffer_clear(&state->cells);
    for (uint32_t f = 0; f < definition->field_count; f++) {
        const struct cell_input *input = &fed->inputs[f];
        bool had = more && at == f;
        struct slice old = had ? next : SLICE("");
        if (input->values.count && input->values.values[0].type != VALUE_NULL) {
            buffer_clear(&state->cell);
            cell_put(&definition->fields[f], old, input, scratch, &state->cell, &state->members_left);
            state->cells.failed |= buffer_failed(&state->cell);
            state_put_cell(&state->cells, f, buffer_slice(&state->cell));
        } else {
            state_put_cell(&state->cells, f, old);
        }
        if (had)
            more = cells_next(&left, &at, &next);
    }
}

static int take_over(struct state *state, const struct fed *fed, struct slice key, int64_t time_ns, struct arena *scratch)
{
    struct rows *rows = &state->tables[fed->feed->table];
    uint64_t hash = rows_hash(key);
    put_together(state, fed, rows_find(rows, key, hash), scratch);
    if (buffer_failed(&state->cells))
        return -1;
    if (buffer_slice(&state->cells).len == 0)
        return 0; /* nothing is known of it yet */
    return rows_put(rows, key, hash, time_ns, buffer_slice(&state->cells),
                    state->definitions->tables[fed->feed->table].entries_max);
}

int state_observe(struct state *state, struct expr_scope *scope, const struct batch *batch,
                  uint32_t row, int64_t time_ns, const struct state_feed_rows *selected,
                  struct err *err)
{
    struct observing on = {.scope = scope, .batch = batch, .row = row, .time_ns = time_ns, .last = &on.first};
    for (uint32_t i = 0; i < state->definitions->feed_count; i++) {
        const struct state_feed *feed = &state->definitions->feeds[i];
        if (bits_get(selected->rows[i], row) &&
            compute(&on, feed, state->definitions->tables[feed->table].field_count, err) < 0)
            return -1;
    }
    for (const struct fed *fed = on.first; fed; fed = fed->next)
        for (uint32_t k = 0; k < fed->keys.count; k++) {
            char small[VALUE_TEXT_SIZE];
            struct slice key = value_text_small(fed->keys.values[k], small);
            if (key.ptr && take_over(state, fed, slice_sub(key, 0, STATE_KEY_BYTES_MAX), time_ns, scope->scratch) < 0)
                return err_nomem(err);
        }
    return 0;
}

int state_put(struct state *state, uint32_t feed, struct slice key, struct value value, int64_t time_ns, struct arena *scratch,
              struct err *err)
{
    const struct state_feed *from = &state->definitions->feeds[feed];
    uint32_t fields = state->definitions->tables[from->table].field_count;
    struct fed fed = {.feed = from, .inputs = arena_array(scratch, fields + 1U, sizeof(*fed.inputs))};
    if (!fed.inputs)
        return err_nomem(err);
    for (uint32_t f = 0; f < fields; f++)
        fed.inputs[f] = (struct cell_input){.values = {&value, 1}, .time_ns = time_ns};
    return take_over(state, &fed, slice_sub(key, 0, STATE_KEY_BYTES_MAX), time_ns, scratch) < 0 ? err_nomem(err) : 0;
}

/* ---- reading ---- */

bool state_read(void *context, struct slice table, struct slice key, struct slice field,
                int64_t now_ns, struct arena *scratch, struct value_list *out)
{
    const struct state *state = context;
    ptrdiff_t t = state_table_index(state->definitions, table);
    if (t < 0)
        return false;
    const struct state_table_definition *definition = &state->definitions->tables[t];
    ptrdiff_t f = state_field_index(definition, field);
    key = slice_sub(key, 0, STATE_KEY_BYTES_MAX);
    const struct row *row = f < 0 ? NULL : rows_find(&state->tables[t], key, rows_hash(key));
    struct slice cells = row ? row_cells(row) : SLICE(""), cell;
    uint32_t at;
    while (cells_next(&cells, &at, &cell))
        if (at == (uint32_t)f)
            return cell_read(&definition->fields[f], cell, now_ns, scratch, out);
    return false;
}

void state_walk(const struct state *state, struct slice table,
                bool (*visit)(void *context, struct slice key), void *context)
{
    ptrdiff_t t = state_table_index(state->definitions, table);
    const struct row *row;
    size_t at = 0;
    while (t >= 0 && (row = rows_next(&state->tables[t], &at)))
        if (!visit(context, row_key(row)))
            return;
}

struct state_stats state_stats(const struct state *state)
{
    struct state_stats stats = {.evicted = state->members_left};
    for (uint32_t t = 0; t < state->definitions->table_count; t++) {
        const struct rows *rows = &state->tables[t];
        stats.keys += rows->count;
        stats.evicted += rows->evicted;
        stats.bytes += rows->slab.bytes + rows->size * sizeof(*rows->slots);
    }
    return stats;
}

struct slice state_fullest(const struct state *state, uint64_t *evicted)
{
    struct slice name = SLICE_NONE;
    *evicted = 0;
    for (uint32_t t = 0; t < state->definitions->table_count; t++)
        if (state->tables[t].evicted > *evicted) {
            *evicted = state->tables[t].evicted;
            name = state->definitions->tables[t].name;
        }
    return name;
}
