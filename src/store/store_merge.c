/* store/store_merge: small segments of a partition become one.
 *
 * A seal a minute makes 1,440 segments a day of every stream. Rewriting a row costs nearly what loading it
 * did, so this waits until there are enough rows for a whole block, or MERGE_FAN files that have been
 * rewritten equally often: once or twice, and once more for what is left when the day is over and
 * quiet (bench/bench_keep.c; docs/decisions/merging-late.md).
 */
#include "store/store_state.h"

#include "base/mem.h"
#include "base/time.h"
#include "store/block.h"

enum {
    MERGE_SMALL_ROWS = 16384, /* a block of more rows gains little (docs/decisions/merging-late.md) */
    MERGE_BLOCK_ROWS = 61440, /* as of a seal */
    MERGE_FAN = 96, /* of 200 rows and more make one that is not small */
    MERGE_ROWS_MAX = 131072,
    MERGE_INPUTS_MAX = 96,
};
/* Of event.original. Long lines fill a block before there are so many rows, and one block must fit into a search's memory. */
#define MERGE_SMALL_BYTES (16 * MIB)
#define MERGE_BLOCK_BYTES (48 * MIB)

struct amount {
    uint64_t rows, bytes;
};

static bool fills_a_block(struct amount amount)
{
    return amount.rows >= MERGE_BLOCK_ROWS || amount.bytes >= MERGE_BLOCK_BYTES;
}

static bool same_partition(const struct segment_info *a, const struct segment_info *b)
{
    return a->day == b->day && slice_equal(a->stream, b->stream);
}

static bool is_small(const struct store_segment *segment)
{
    return segment->info.rows < MERGE_SMALL_ROWS && segment->info.raw_bytes < MERGE_SMALL_BYTES && !segment->keep_apart &&
           !segment->info.place;
}

/* The small ones that belong to the i-th: of its partition, with alike as often rewritten as it. */
static size_t gather(const struct store *store, size_t i, bool alike,
                     struct store_segment *out[MERGE_INPUTS_MAX], struct amount *amount)
{
    const struct segment_info *first = &store->segments[i]->info;
    *amount = (struct amount){0};
    size_t count = 0;
    for (size_t k = i; k < store->segment_count && count < MERGE_INPUTS_MAX; k++) {
        struct store_segment *other = store->segments[k];
        if (!is_small(other) || !same_partition(first, &other->info) ||
            (alike && other->info.generation != first->generation) ||
            amount->rows + other->info.rows > MERGE_ROWS_MAX || amount->bytes + other->info.raw_bytes > MERGE_BYTES_MAX)
            continue;
        amount->rows += other->info.rows;
        amount->bytes += other->info.raw_bytes;
        out[count++] = other;
    }
    return count;
}

/* Of a day that is over: without those that are larger than all others together, or rows that come
 * late one by one would have them rewritten each time. */
static size_t without_large(struct store_segment *list[MERGE_INPUTS_MAX], size_t count)
{
    for (;;) {
        uint64_t rows = 0;
        size_t largest = 0;
        for (size_t i = 0; i < count; i++) {
            rows += list[i]->info.rows;
            if (list[i]->info.rows > list[largest]->info.rows)
                largest = i;
        }
        if (count < 2)
            return 0;
        if (list[largest]->info.rows <= rows - list[largest]->info.rows)
            return count;
        list[largest] = list[--count];
    }
}

/* The day is over and nothing comes any more. */
static bool is_over(const struct store *store, const struct store_segment *segment)
{
    return segment->info.day < time_day(clock_wall_ns(store->config.clock)) &&
           store_segment_is_quiet(segment);
}

/* Each held; 0 when there is nothing to do. */
static size_t choose(struct store *store, struct store_segment *out[MERGE_INPUTS_MAX])
{
    for (size_t i = 0; i < store->segment_count; i++) {
        if (!is_small(store->segments[i]))
            continue;
        struct amount amount;
        size_t count = gather(store, i, true, out, &amount);
        if (count < MERGE_FAN && !fills_a_block(amount)) {
            bool over = is_over(store, store->segments[i]);
            count = over ? without_large(out, gather(store, i, false, out, &amount)) : 0;
        }
        for (size_t k = 0; k < count; k++)
            atomic_fetch_add(&out[k]->refs, 1);
        if (count)
            return count;
    }
    return 0;
}

/* Every row of a segment into the table. -1 with ERR_CORRUPT: it must stay as it is. */
static int absorb(struct store *store, const struct store_segment *from, struct memtable *table,
                  struct arena *work, struct err *err)
{
    struct segment *segment = NULL;
    int result = segment_open(store->config.io, from->path, NULL, &segment, err);
    for (uint32_t b = 0; result == 0 && b < segment_block_count(segment); b++) {
        struct batch *batch;
        struct mem_rows rows;
        arena_reset(work);
        result = block_read_all(segment, b, work, &batch, &rows, err);
        if (result < 0)
            break;
        struct mem_part *part = memtable_append(table, batch, &rows);
        if (!part) {
            result = err_nomem(err);
            break;
        }
        if (table->last)
            table->last->next = part;
        else
            table->first = part;
        table->last = part;
        table->part_count++;
        table->row_count += part->row_count;
    }
    segment_close(segment);
    return result;
}

/* All of them; the arena is filled again and again. */
static int absorb_all(struct store *store, struct store_segment **inputs, size_t count,
                      struct memtable *table, struct err *err)
{
    struct arena *work = arena_new(1 * GIB);
    int result = table && work ? 0 : err_nomem(err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        result = absorb(store, inputs[i], table, work, err);
        if (result < 0)
            inputs[i]->keep_apart = true; /* read by this thread only */
    }
    arena_free(work);
    return result;
}

static uint32_t next_generation(struct store_segment **inputs, size_t count)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        if (inputs[i]->info.generation > most)
            most = inputs[i]->info.generation;
    return most + 1;
}

static int merge_into(struct store *store, struct store_segment **inputs, size_t count,
                      struct store_segment **made, struct err *err)
{
    struct memtable *table = memtable_new(inputs[0]->info.day, inputs[0]->info.stream);
    size_t made_count = 0;
    int result = absorb_all(store, inputs, count, table, err);
    if (result == 0)
        result = store_write_tables(store, table, store_covered(store), store->config.pack_level, made,
                                    &made_count, err);
    if (result == 0) {
        (*made)->info.generation = next_generation(inputs, count);
        result = store_commit(store, &(struct store_change){.added = made, .added_count = made_count,
                                                            .removed = inputs, .removed_count = count},
                              err);
    }
    if (result < 0)
        store_forget_segments(made, made_count);
    memtable_free(table);
    return result;
}

int store_merge(struct store *store, struct err *err)
{
    struct store_segment *inputs[MERGE_INPUTS_MAX], *made = NULL;
    pthread_mutex_lock(&store->lock);
    size_t count = choose(store, inputs);
    pthread_mutex_unlock(&store->lock);
    if (!count)
        return 0;
    int result = merge_into(store, inputs, count, &made, err);
    pthread_mutex_lock(&store->lock);
    if (result == 0) {
        store->stats.merges++;
        store->stats.merged_segments += count;
        for (size_t i = 0; i < count; i++)
            store->stats.merged_rows += inputs[i]->info.rows;
        store->stats.merged_bytes += made->info.bytes;
    }
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < count; i++)
        store_segment_unref(inputs[i]);
    return result < 0 ? -1 : 1;
}
