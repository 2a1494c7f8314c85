/* From the pipeline's batches to the gate's state: only the rows and columns that it wants. */
#include "base/limits.h"
#include "base/mem.h"
#include "event/schema.h"
#include "gate/gate_parts.h"
#include "table/state_define.h"

#include <assert.h>

#define OBSERVED_BYTES_MAX (32 * MIB)

static void add_column(void *context, struct slice name)
{
    struct gate *gate = context;
    if (map_put(&gate->columns, name, gate) < 0)
        gate->all_columns = true; /* copying too much is only slower */
}

int intake_columns(struct gate *gate, struct err *err)
{
    (void)err;
    map_init(&gate->columns, gate->arena);
    state_observe_columns(gate->config.state, add_column, gate, &gate->all_columns);
    return 0;
}

void observed_free(struct observed *observed)
{
    if (observed)
        batch_free(observed->batch);
    mem_free(observed);
}

static int64_t row_time(const struct batch *batch, uint32_t row)
{
    return batch->rows ? batch->rows[row].time_ns : batch_first(batch, row, FIELD_TIMESTAMP).i64;
}

static int copy_column(struct batch *to, const struct column *from, const uint32_t *places,
                       const uint64_t *wanted)
{
    struct column *column = NULL;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!bits_get(wanted, from->rows[i]))
            continue;
        struct value v = column_value(from, i);
        struct value copy = value_copy(v, to->arena);
        if (!column)
            column = batch_column(to, from->name);
        if (!column || (v.type != VALUE_NULL && copy.type == VALUE_NULL) ||
            column_add(to, column, places[from->rows[i]], copy) < 0)
            return -1;
    }
    return 0;
}

static int copy_rows(struct gate *gate, const struct batch *from, const uint64_t *wanted,
                     struct batch *to)
{
    uint32_t *places = arena_array(gate->copy_scratch, from->row_count + 1U, sizeof(*places));
    if (!places)
        return -1;
    for (size_t row = bits_next(wanted, from->row_count, 0); row < from->row_count;
         row = bits_next(wanted, from->row_count, row + 1)) {
        places[row] = to->row_count;
        struct event_row *fresh = batch_add_row(to);
        if (!fresh)
            return -1;
        fresh->time_ns = row_time(from, (uint32_t)row);
    }
    for (uint32_t i = 0; i < from->column_count; i++)
        if ((gate->all_columns || map_has(&gate->columns, from->columns[i]->name)) &&
            copy_column(to, from->columns[i], places, wanted) < 0)
            return -1;
    return 0;
}

/* The feeds' bits move to the rows' new places. */
static int copy_feeds(struct gate *gate, const struct batch *from,
                      const struct state_feed_rows *feeds, struct observed *to)
{
    uint32_t count = gate->config.state->feed_count;
    size_t bytes = bits_words(to->batch->row_count) * 8 + 8;
    to->feeds.rows = arena_array(to->batch->arena, count + 1U, sizeof(uint64_t *));
    to->feeds.any = arena_calloc(to->batch->arena, bytes);
    if (!to->feeds.rows || !to->feeds.any)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = 0;
        to->feeds.rows[i] = arena_calloc(to->batch->arena, bytes);
        if (!to->feeds.rows[i])
            return -1;
        for (size_t row = bits_next(feeds->any, from->row_count, 0); row < from->row_count;
             row = bits_next(feeds->any, from->row_count, row + 1), place++)
            if (bits_get(feeds->rows[i], row))
                bits_set(to->feeds.rows[i], place);
    }
    return 0;
}

/* *out NULL: nothing in the batch is wanted. -1: memory is out. */
static int copy_wanted(struct gate *gate, const struct batch *batch, struct observed **out)
{
    struct err err;
    struct state_feed_rows feeds;
    struct expr_scope scope = {.scratch = gate->copy_scratch, .clock = gate->config.clock};
    *out = NULL;
    arena_reset(gate->copy_scratch);
    if (state_select(gate->config.state, &scope, batch, &feeds, &err) < 0)
        return -1;
    if (!bits_any(feeds.any, batch->row_count))
        return 0;
    struct observed *observed = mem_calloc(1, sizeof(*observed));
    if (observed)
        observed->batch = batch_new(OBSERVED_BYTES_MAX);
    if (!observed || !observed->batch || copy_rows(gate, batch, feeds.any, observed->batch) < 0 ||
        copy_feeds(gate, batch, &feeds, observed) < 0) {
        observed_free(observed);
        return -1;
    }
    *out = observed;
    return 0;
}

/* Full: the gate holds until it has caught up, and the pipeline waits. */
static void push(struct gate *gate, struct observed *observed)
{
    struct inbox *inbox = &gate->inbox;
    pthread_mutex_lock(&inbox->lock);
    while (inbox->observed_count >= GATE_OBSERVE_MAX && !inbox->stopping) {
        inbox->behind = true;
        pthread_cond_wait(&inbox->drained, &inbox->lock);
    }
    if (!observed) {
        inbox->lost = true;
    } else {
        observed->pushed_ns = clock_mono_ns(gate->config.clock);
        if (inbox->observed_last)
            inbox->observed_last->next = observed;
        else
            inbox->observed_first = observed;
        inbox->observed_last = observed;
        inbox->observed_count++;
    }
    pthread_cond_signal(&inbox->filled);
    pthread_mutex_unlock(&inbox->lock);
}

void gate_observe(struct gate *gate, const struct batch *batch)
{
    struct observed *observed;
    if (batch->row_count == 0)
        return;
    pthread_mutex_lock(&gate->copying);
    int result = copy_wanted(gate, batch, &observed);
    pthread_mutex_unlock(&gate->copying);
    if (result < 0 || observed)
        push(gate, observed);
}

/* ---- the gate's thread ---- */

static struct observed *pop(struct gate *gate)
{
    struct inbox *inbox = &gate->inbox;
    pthread_mutex_lock(&inbox->lock);
    struct observed *observed = inbox->observed_first;
    if (observed) {
        inbox->observed_first = observed->next;
        if (!inbox->observed_first)
            inbox->observed_last = NULL;
        inbox->observed_count--;
        pthread_cond_broadcast(&inbox->drained);
    } else {
        inbox->behind = false;
    }
    pthread_mutex_unlock(&inbox->lock);
    return observed;
}

static void take_over(struct gate *gate, struct observed *observed, int64_t until_ns)
{
    struct err err;
    struct batch *batch = observed->batch;
    while (observed->row < batch->row_count) {
        uint32_t row = observed->row++;
        int64_t time_ns = batch->rows[row].time_ns;
        struct expr_scope scope = {.scratch = gate->scratch,
                                   .now_ns = time_ns,
                                   .state = state_read,
                                   .state_context = gate->state};
        arena_reset(gate->scratch);
        if (state_observe(gate->state, &scope, batch, row, time_ns, &observed->feeds, &err) < 0)
            gate->state_failed = true;
        if (clock_mono_ns(gate->config.clock) >= until_ns)
            return;
    }
}

bool intake_slice(struct gate *gate)
{
    int64_t until_ns = clock_mono_ns(gate->config.clock) + OBSERVE_SLICE_NS;
    do {
        if (!gate->observing)
            gate->observing = pop(gate);
        if (!gate->observing)
            return false;
        take_over(gate, gate->observing, until_ns);
        if (gate->observing->row == gate->observing->batch->row_count) {
            observed_free(gate->observing);
            gate->observing = NULL;
        }
    } while (clock_mono_ns(gate->config.clock) < until_ns);
    return true;
}
