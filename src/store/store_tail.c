#include "store/store_tail.h"

#include "base/mem.h"
#include "store/store_state.h"

/* How far a table was read. */
struct read_table {
    const struct memtable *table;
    const struct mem_part *last; /* NULL: nothing yet */
    uint32_t parts;
};

struct held_set {
    struct mem_set *set;
    struct read_table tables[STORE_PARTITIONS_MAX * 2];
    uint32_t table_count;
};

struct store_tail {
    struct store_tail *next; /* of the store's list */
    struct store *store;
    struct held_set sets[TAIL_SETS_MAX]; /* oldest first; the last is the live one */
    uint32_t set_count;
    uint64_t skipped;
};

/* All of these under the store's lock. */

static struct read_table *read_of(struct held_set *held, const struct memtable *table)
{
    for (uint32_t i = 0; i < held->table_count; i++)
        if (held->tables[i].table == table)
            return &held->tables[i];
    if (held->table_count == ARRAY_COUNT(held->tables))
        return NULL;
    struct read_table *fresh = &held->tables[held->table_count++];
    *fresh = (struct read_table){.table = table};
    return fresh;
}

static const struct mem_part *part_after(const struct read_table *read)
{
    if (read->parts == read->table->part_count)
        return NULL;
    return read->last ? read->last->next : read->table->first;
}

static void read_all(struct held_set *held)
{
    for (const struct memtable *table = held->set->tables; table; table = table->next) {
        struct read_table *read = read_of(held, table);
        if (read)
            *read = (struct read_table){table, table->last, table->part_count};
    }
}

static void hold(struct store_tail *tail, struct mem_set *set)
{
    struct held_set *held = &tail->sets[tail->set_count++];
    atomic_fetch_add(&set->refs, 1);
    held->set = set;
    held->table_count = 0;
}

static uint64_t unread_rows(struct held_set *held)
{
    uint64_t rows = 0;
    for (const struct memtable *table = held->set->tables; table; table = table->next) {
        const struct read_table *read = read_of(held, table);
        uint32_t left = table->part_count - (read ? read->parts : 0);
        const struct mem_part *part = read ? part_after(read) : table->first;
        for (; left; left--, part = left ? part->next : NULL)
            rows += part->row_count;
    }
    return rows;
}

/* Let go of by the caller, which may be without the lock. */
static struct mem_set *drop_oldest(struct store_tail *tail)
{
    struct mem_set *set = tail->sets[0].set;
    tail->skipped += unread_rows(&tail->sets[0]);
    tail->set_count--;
    memmove(tail->sets, tail->sets + 1, tail->set_count * sizeof(*tail->sets));
    return set;
}

void store_tails_turn(struct store *store, struct mem_set *live)
{
    for (struct store_tail *tail = store->tails; tail; tail = tail->next) {
        if (tail->set_count == TAIL_SETS_MAX)
            mem_set_unref(drop_oldest(tail));
        hold(tail, live);
    }
}

/* ---- what comes next ---- */

/* The place behind some TAIL_STEP_ROWS rows, in seq; UINT64_MAX: there are not so many. */
static uint64_t step_end(struct held_set *held)
{
    uint64_t end = UINT64_MAX;
    for (const struct memtable *table = held->set->tables; table; table = table->next) {
        const struct read_table *read = read_of(held, table);
        uint32_t left = read ? table->part_count - read->parts : 0, rows = 0;
        const struct mem_part *part = left ? part_after(read) : NULL;
        for (; left && rows < TAIL_STEP_ROWS; left--, part = left ? part->next : NULL) {
            rows += part->row_count;
            uint64_t last = part->seq[part->row_count - 1];
            if (rows >= TAIL_STEP_ROWS && last < end)
                end = last;
        }
    }
    return end;
}

/* Parts that begin up to *end go to the snapshot; those of one batch overlap, so *end moves on to where
 * the last of them ends. */
static bool take_up_to(struct held_set *held, uint64_t *end, struct snapshot *snapshot)
{
    bool moved = false;
    for (uint32_t i = 0; i < held->table_count; i++) {
        struct read_table *read = &held->tables[i];
        struct snapshot_table *to = &snapshot->tables[i];
        for (const struct mem_part *part; (part = part_after(read)) && part->seq[0] <= *end;) {
            uint64_t last = part->seq[part->row_count - 1];
            if (*end != UINT64_MAX && last > *end) {
                *end = last;
                moved = true;
            }
            if (!to->part_count++)
                *to = (struct snapshot_table){read->table, 1, part};
            read->last = part;
            read->parts++;
        }
    }
    return moved;
}

static void keep_filled(struct snapshot *snapshot, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (snapshot->tables[i].part_count)
            snapshot->tables[snapshot->table_count++] = snapshot->tables[i];
}

/* From the oldest set that has some. */
static void take(struct store_tail *tail, struct snapshot *snapshot,
                 struct mem_set *gone[TAIL_SETS_MAX])
{
    while (snapshot->table_count == 0) {
        struct held_set *held = &tail->sets[0];
        uint64_t end = step_end(held); /* knows every table from now on */
        while (take_up_to(held, &end, snapshot))
            continue;
        keep_filled(snapshot, held->table_count);
        if (snapshot->table_count) {
            atomic_fetch_add(&held->set->refs, 1);
            snapshot->sets[snapshot->set_count++] = held->set;
        } else if (tail->set_count > 1) {
            *gone++ = drop_oldest(tail);
        } else {
            return;
        }
    }
}

int store_tail_next(struct store_tail *tail, struct snapshot **out, uint64_t *skipped,
                    struct err *err)
{
    struct store *store = tail->store;
    *out = NULL;
    struct snapshot *snapshot = mem_calloc(1, sizeof(*snapshot));
    if (snapshot)
        snapshot->tables = mem_calloc(STORE_PARTITIONS_MAX * 2, sizeof(*snapshot->tables));
    if (!snapshot || !snapshot->tables) {
        mem_free(snapshot);
        return err_nomem(err);
    }
    snapshot->store = store;
    snapshot->store_id = store->id;
    struct mem_set *gone[TAIL_SETS_MAX] = {NULL};
    pthread_mutex_lock(&store->lock);
    take(tail, snapshot, gone);
    *skipped = tail->skipped;
    tail->skipped = 0;
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < TAIL_SETS_MAX; i++)
        mem_set_unref(gone[i]);
    if (snapshot->table_count) {
        *out = snapshot;
        return 1;
    }
    store_snapshot_release(snapshot);
    return 0;
}

/* ---- life ---- */

struct store_tail *store_tail_open(struct store *store)
{
    struct store_tail *tail = mem_calloc(1, sizeof(*tail));
    if (!tail)
        return NULL;
    tail->store = store;
    pthread_mutex_lock(&store->lock);
    hold(tail, store->live);
    read_all(&tail->sets[0]);
    tail->next = store->tails;
    store->tails = tail;
    pthread_mutex_unlock(&store->lock);
    return tail;
}

void store_tail_close(struct store_tail *tail)
{
    if (!tail)
        return;
    struct store *store = tail->store;
    pthread_mutex_lock(&store->lock);
    for (struct store_tail **at = &store->tails; *at; at = &(*at)->next)
        if (*at == tail) {
            *at = tail->next;
            break;
        }
    pthread_mutex_unlock(&store->lock);
    for (uint32_t i = 0; i < tail->set_count; i++)
        mem_set_unref(tail->sets[i].set);
    mem_free(tail);
}
