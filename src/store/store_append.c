/* store/store_append: rows of a batch to their partitions' tables in memory. */
#include "base/mem.h"
#include "base/time.h"
#include "event/delivery.h"
#include "store/store_state.h"
#include "store/store_tail.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

/* A batch on its way in. Everything is prepared without the lock and shown under it at once. */
struct incoming {
    struct store *store;
    const struct batch *batch;
    struct arena *scratch;
    uint32_t *table_of_row; /* UINT32_MAX: left out */
    struct memtable **tables;
    struct mem_part **parts;
    uint32_t table_count;
    struct memtable *fresh; /* tables that are not in the set yet */
    uint32_t fresh_count;
    uint32_t rows;
    uint64_t skipped;
    uint64_t seq_max;
};

static struct slice stream_of(const struct event_row *row)
{
    return row->origin && row->origin->stream.ptr ? row->origin->stream : SLICE("main");
}

/* The UTC day a row is filed under. */
static int64_t day_of(const struct store *store, const struct event_row *row)
{
    int64_t past = row->received_ns - (int64_t)store->config.past_days * NS_PER_DAY;
    int64_t future = row->received_ns + (int64_t)store->config.future_hours * NS_PER_HOUR;
    bool inside = row->time_ns >= past && row->time_ns <= future;
    return time_day(inside ? row->time_ns : row->received_ns);
}

static struct memtable *find_in(struct memtable *list, int64_t day, struct slice stream)
{
    for (struct memtable *table = list; table; table = table->next)
        if (table->day == day && slice_equal(table->stream, stream))
            return table;
    return NULL;
}

/* The set has a bound on its tables: past it rows are filed under the day of receipt, and past
 * twice that under any day (scans ask each segment for its true times anyway). */
static struct memtable *table_for(struct incoming *in, const struct event_row *row)
{
    struct mem_set *set = in->store->live;
    struct slice stream = stream_of(row);
    int64_t day = day_of(in->store, row);
    uint32_t count = set->table_count + in->fresh_count;
    struct memtable *table = find_in(set->tables, day, stream);
    if (!table)
        table = find_in(in->fresh, day, stream);
    if (!table && count >= STORE_PARTITIONS_MAX) {
        day = time_day(row->received_ns);
        table = find_in(set->tables, day, stream);
        if (!table)
            table = find_in(in->fresh, day, stream);
    }
    if (table)
        return table;
    table = memtable_new(day, stream);
    if (!table)
        return NULL;
    table->next = in->fresh;
    in->fresh = table;
    in->fresh_count++;
    return table;
}

static int table_number(struct incoming *in, struct memtable *table, uint32_t *number)
{
    for (uint32_t i = in->table_count; i-- > 0;)
        if (in->tables[i] == table) {
            *number = i;
            return 0;
        }
    *number = in->table_count;
    in->tables[in->table_count++] = table;
    return 0;
}

static int assign_rows(struct incoming *in, struct err *err)
{
    const struct batch *batch = in->batch;
    in->table_of_row = arena_alloc(in->scratch, batch->row_count * sizeof(uint32_t) + 1);
    in->tables = arena_array(in->scratch, batch->row_count + 1U, sizeof(*in->tables));
    in->parts = arena_array(in->scratch, batch->row_count + 1U, sizeof(*in->parts));
    if (!in->table_of_row || !in->tables || !in->parts)
        return err_nomem(err);
    struct slice stream_before = SLICE_NONE;
    int64_t day_before = 0;
    for (uint32_t i = 0; i < batch->row_count; i++) {
        const struct event_row *row = &batch->rows[i];
        in->table_of_row[i] = UINT32_MAX;
        if (row->seq && row->seq <= in->store->sealed_seq_at_open) {
            in->skipped++;
            continue;
        }
        struct slice stream = stream_of(row);
        int64_t day = day_of(in->store, row);
        in->rows++;
        in->seq_max = row->seq > in->seq_max ? row->seq : in->seq_max;
        if (i && stream.ptr == stream_before.ptr && day == day_before &&
            in->table_of_row[i - 1] != UINT32_MAX) {
            in->table_of_row[i] = in->table_of_row[i - 1];
            continue;
        }
        stream_before = stream;
        day_before = day;
        struct memtable *table = table_for(in, row);
        if (!table)
            return err_nomem(err);
        table_number(in, table, &in->table_of_row[i]);
    }
    return 0;
}

static int append_part(struct incoming *in, uint32_t number, struct err *err)
{
    const struct batch *batch = in->batch;
    uint32_t *row = arena_alloc(in->scratch, batch->row_count * sizeof(*row) + 1);
    int64_t *time_ns = arena_alloc(in->scratch, batch->row_count * sizeof(*time_ns) + 1);
    uint64_t *seq = arena_alloc(in->scratch, batch->row_count * sizeof(*seq) + 1);
    if (!row || !time_ns || !seq)
        return err_nomem(err);
    struct mem_rows rows = {.row = row, .time_ns = time_ns, .seq = seq};
    for (uint32_t i = 0; i < batch->row_count; i++) {
        if (in->table_of_row[i] != number)
            continue;
        row[rows.count] = i;
        time_ns[rows.count] = batch->rows[i].time_ns;
        seq[rows.count++] = batch->rows[i].seq;
    }
    if (rows.count == batch->row_count)
        rows.row = NULL;
    in->parts[number] = memtable_append(in->tables[number], batch, &rows);
    return in->parts[number] ? 0 : err_nomem(err);
}

/* ---- books ------------------------------------------------------------------------------ */

int store_ledger_received(struct store *store, struct slice source, int64_t received_ns,
                          const struct ledger_counts *counts, uint64_t journal_end, struct err *err)
{
    if (store->pending_count == store->pending_size) {
        size_t size = store->pending_size ? store->pending_size * 2 : 64;
        void *fresh = mem_realloc(store->pending, size * sizeof(*store->pending));
        if (!fresh)
            return err_nomem(err);
        store->pending = fresh;
        store->pending_size = size;
    }
    char *name = mem_strdup(source.ptr ? source.ptr : "", source.len);
    if (!name)
        return err_nomem(err);
    store->pending[store->pending_count++] = (struct pending_received){
        slice_of(name, source.len), received_ns / NS_PER_MINUTE, *counts, journal_end};
    return 0;
}

/* Under the lock: memory running out here only makes the books coarser ("(other)"). */
static void book_received(struct store *store, uint64_t journal_end)
{
    size_t done = 0;
    while (done < store->pending_count && store->pending[done].journal_end <= journal_end) {
        struct pending_received *one = &store->pending[done++];
        (void)!ledger_add(&store->live->ledger, one->source, one->minute, one->counts);
        mem_free((void *)(uintptr_t)one->source.ptr);
    }
    store->pending_count -= done;
    if (done && store->pending_count)
        memmove(store->pending, store->pending + done,
                store->pending_count * sizeof(*store->pending));
}

static struct slice source_of(const struct event_row *row)
{
    return row->origin && row->origin->source.ptr ? row->origin->source : SLICE("");
}

static void book_rows(const struct incoming *in, struct ledger *ledger)
{
    struct ledger_counts run = {0};
    const struct event_row *first = NULL;
    for (uint32_t i = 0; i < in->batch->row_count; i++) {
        const struct event_row *row = &in->batch->rows[i];
        if (in->table_of_row[i] == UINT32_MAX)
            continue;
        if (first && (first->origin != row->origin ||
                      first->received_ns / NS_PER_MINUTE != row->received_ns / NS_PER_MINUTE)) {
            (void)!ledger_add(ledger, source_of(first), first->received_ns / NS_PER_MINUTE, run);
            run = (struct ledger_counts){0};
            first = NULL;
        }
        if (!first)
            first = row;
        run.stored += !(row->flags & EVENT_QUARANTINED);
        run.quarantined += (row->flags & EVENT_QUARANTINED) != 0;
    }
    if (first)
        (void)!ledger_add(ledger, source_of(first), first->received_ns / NS_PER_MINUTE, run);
}

/* ---- sets ------------------------------------------------------------------------------- */

/* Under the lock. */
static void show(struct incoming *in)
{
    struct store *store = in->store;
    struct mem_set *set = store->live;
    while (in->fresh) {
        struct memtable *table = in->fresh;
        in->fresh = table->next;
        table->next = set->tables;
        set->tables = table;
        set->table_count++;
    }
    for (uint32_t i = 0; i < in->table_count; i++) {
        struct memtable *table = in->tables[i];
        if (table->last)
            table->last->next = in->parts[i];
        else
            table->first = in->parts[i];
        table->last = in->parts[i];
        table->part_count++;
        table->row_count += in->parts[i]->row_count;
    }
    set->bytes = 0;
    for (struct memtable *table = set->tables; table; table = table->next)
        set->bytes += arena_used(table->arena);
    if (!set->rows && in->rows)
        set->started_ns = clock_mono_ns(store->config.clock);
    set->rows += in->rows;
    if (in->batch->journal_end > set->covered_position)
        set->covered_position = in->batch->journal_end;
    if (in->seq_max > set->covered_seq)
        set->covered_seq = in->seq_max;
    store->stats.skipped_rows += in->skipped;
    book_rows(in, &set->ledger);
    book_received(store, in->batch->journal_end);
}

/* Under the lock. */
static bool is_full(const struct store *store)
{
    const struct mem_set *set = store->live;
    if (set->bytes >= store->config.seal_bytes || set->table_count >= STORE_PARTITIONS_MAX)
        return true;
    for (const struct memtable *table = set->tables; table; table = table->next)
        if (table->row_count >= store->config.seal_rows)
            return true;
    return false;
}

static bool is_empty(const struct store *store)
{
    const struct mem_set *set = store->live;
    return set->rows == 0 && set->covered_position <= store->covered_position &&
           set->ledger.entries.count == 0;
}

/* Under the lock: the live set joins the queue. Waits while the queue is full; with a disk that
 * refuses it does not wait. */
static int queue_live(struct store *store, struct err *err)
{
    struct mem_set *fresh = mem_set_new();
    if (!fresh)
        return err_nomem(err);
    while (store->sealing_count >= STORE_SEALING_MAX && store->seal_started &&
           store->seal_error.code == ERR_NONE && !store->stopping)
        pthread_cond_wait(&store->sealed, &store->lock);
    if (store->sealing_count >= STORE_SEALING_MAX) {
        mem_set_unref(fresh);
        if (store->seal_error.code == ERR_NONE)
            return err_set(err, ERR_LIMIT, "rows in memory wait for the disk");
        if (err)
            *err = store->seal_error;
        return err_within(err, "rows in memory wait for the disk");
    }
    fresh->covered_position = store->live->covered_position;
    fresh->covered_seq = store->live->covered_seq;
    *store->sealing_last = store->live;
    store->sealing_last = &store->live->next;
    store->sealing_count++;
    store->live = fresh;
    store_tails_turn(store, fresh);
    pthread_cond_signal(&store->work);
    return 0;
}

/* Without threads sealing is done here and now. */
static int seal_here(struct store *store, struct err *err)
{
    while (!store->seal_started && store->sealing)
        if (store_seal_oldest(store, err) < 0)
            return -1;
    return 0;
}

static int seal_if(struct store *store, bool (*when)(const struct store *store), struct err *err)
{
    pthread_mutex_lock(&store->lock);
    int result = when(store) ? queue_live(store, err) : 0;
    pthread_mutex_unlock(&store->lock);
    if (seal_here(store, err) < 0)
        return -1;
    return result;
}

static int append_batch(struct store *store, const struct batch *batch, struct err *err)
{
    struct incoming in = {.store = store, .batch = batch, .scratch = arena_new(BATCH_ARENA_MAX)};
    int result = in.scratch ? assign_rows(&in, err) : err_nomem(err);
    for (uint32_t i = 0; result == 0 && i < in.table_count; i++)
        result = append_part(&in, i, err);
    if (result == 0) {
        pthread_mutex_lock(&store->lock);
        show(&in);
        pthread_mutex_unlock(&store->lock);
    }
    for (struct memtable *table = in.fresh, *next; table; table = next) {
        next = table->next;
        memtable_free(table);
    }
    arena_free(in.scratch);
    return result;
}

static bool is_not_empty(const struct store *store)
{
    return !is_empty(store);
}

int store_append(struct store *store, const struct batch *batch, struct err *err)
{
    struct err reason;
    err_clear(&reason);
    /* room first: after a failure the caller appends the same batch again */
    if (seal_if(store, is_full, err) < 0)
        return -1;
    int result = append_batch(store, batch, &reason);
    if (result < 0 && reason.code == ERR_NOMEM) { /* a table's arena may be full: begin new ones */
        if (seal_if(store, is_not_empty, err) < 0)
            return -1;
        result = append_batch(store, batch, &reason);
    }
    if (result < 0 && err)
        *err = reason;
    return result;
}

static bool is_old(const struct store *store)
{
    int64_t age = clock_mono_ns(store->config.clock) - store->live->started_ns;
    return store->live->rows && age >= (int64_t)store->config.seal_age_ms * NS_PER_MS;
}

int store_tick(struct store *store, struct err *err)
{
    return seal_if(store, is_old, err);
}

int store_flush(struct store *store, struct err *err)
{
    if (seal_if(store, is_not_empty, err) < 0)
        return -1;
    int result = 0;
    pthread_mutex_lock(&store->lock);
    store->seal_error.code = ERR_NONE; /* ask for one more try */
    pthread_cond_signal(&store->work);
    while (store->seal_started && store->sealing && store->seal_error.code == ERR_NONE &&
           !store->stopping)
        pthread_cond_wait(&store->sealed, &store->lock);
    if (store->sealing) {
        if (err)
            *err = store->seal_error;
        result = -1;
    }
    pthread_mutex_unlock(&store->lock);
    return result;
}
