#include "store/store.h"

#include "base/mem.h"
#include "base/time.h"
#include "store/store_state.h"

#include <stdarg.h>
#include <stdio.h>

enum { SEAL_ROWS = 60 * 1024, SEAL_AGE_MS = 60000, LEVEL = 1, PACK_LEVEL = 6, QUIET_MS = 3600 * 1000 };
#define SEAL_BYTES (96 * MIB)

void store_say(struct store *store, const char *format, ...)
{
    if (!store->config.note)
        return;
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    store->config.note(store->config.note_context, text);
}

/* ---- held things ------------------------------------------------------------------------ */

struct mem_set *mem_set_new(void)
{
    struct mem_set *set = mem_calloc(1, sizeof(*set));
    if (!set || ledger_init(&set->ledger, NULL) < 0) {
        mem_free(set);
        return NULL;
    }
    atomic_init(&set->refs, 1);
    return set;
}

void mem_set_unref(struct mem_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    for (struct memtable *table = set->tables, *next; table; table = next) {
        next = table->next;
        memtable_free(table);
    }
    ledger_close(&set->ledger);
    mem_free(set);
}

/* ---- open and close --------------------------------------------------------------------- */

static void fill_defaults(struct store_config *config)
{
    if (!config->io)
        config->io = io_real();
    if (!config->clock)
        config->clock = clock_real();
    if (!config->rand)
        config->rand = rand_real();
    if (!config->seal_rows)
        config->seal_rows = SEAL_ROWS;
    if (!config->seal_bytes)
        config->seal_bytes = SEAL_BYTES;
    if (!config->seal_age_ms)
        config->seal_age_ms = SEAL_AGE_MS;
    if (!config->level)
        config->level = LEVEL;
    if (!config->pack_level)
        config->pack_level = PACK_LEVEL;
    if (config->pack_level < config->level)
        config->pack_level = config->level;
    if (!config->quiet_ms)
        config->quiet_ms = QUIET_MS;
    if (!config->past_days)
        config->past_days = TIME_PAST_DAYS_MAX;
    if (!config->future_hours)
        config->future_hours = TIME_FUTURE_HOURS_MAX;
}

static struct store *store_new(const struct store_config *config)
{
    struct store *store = mem_calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->config = *config;
    fill_defaults(&store->config);
    store->arena = arena_new(16 * MIB);
    store->sealing_last = &store->sealing;
    store->dir = store->arena ? arena_string(store->arena, slice_text(config->dir)) : NULL;
    store->live = mem_set_new();
    if (store->dir && store->live && store_copy_retention(store) == 0 &&
        ledger_init(&store->ledger, NULL) == 0) {
        store->config.dir = store->dir;
        footers_init(&store->footers);
        map_init(&store->streams, store->arena);
        pthread_mutex_init(&store->manifest_lock, NULL);
        pthread_mutex_init(&store->keep_lock, NULL);
        pthread_mutex_init(&store->lock, NULL);
        pthread_cond_init(&store->work, NULL);
        pthread_cond_init(&store->sealed, NULL);
        pthread_cond_init(&store->keep, NULL);
        return store;
    }
    mem_set_unref(store->live);
    arena_free(store->arena);
    mem_free(store);
    return NULL;
}

static void store_free(struct store *store)
{
    for (size_t i = 0; i < store->segment_count; i++)
        store_segment_unref(store->segments[i]);
    for (struct mem_set *set = store->sealing, *next; set; set = next) {
        next = set->next;
        mem_set_unref(set);
    }
    for (size_t i = 0; i < store->pending_count; i++)
        mem_free((void *)(uintptr_t)store->pending[i].source.ptr);
    mem_free(store->pending);
    mem_set_unref(store->live);
    ledger_close(&store->ledger);
    mem_free(store->segments);
    mem_free(store->drops);
    arena_free(store->hold_arena);
    footers_close(&store->footers);
    pthread_mutex_destroy(&store->manifest_lock);
    pthread_mutex_destroy(&store->keep_lock);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->work);
    pthread_cond_destroy(&store->sealed);
    pthread_cond_destroy(&store->keep);
    arena_free(store->arena);
    mem_free(store);
}

static int start_threads(struct store *store, struct err *err)
{
    if (store->config.no_background || store->config.read_only)
        return 0;
    int errno_value = pthread_create(&store->seal_thread, NULL, store_seal_run, store);
    store->seal_started = errno_value == 0;
    if (errno_value == 0) {
        errno_value = pthread_create(&store->keep_thread, NULL, store_keep_run, store);
        store->keep_started = errno_value == 0;
    }
    return errno_value ? err_set_errno(err, errno_value, "cannot start the store's threads") : 0;
}

int store_open(const struct store_config *config, struct store **out, struct err *err)
{
    *out = NULL;
    struct store *store = store_new(config);
    if (!store)
        return err_nomem(err);
    if (store_load(store, err) < 0 || start_threads(store, err) < 0) {
        store_close(store);
        return err_within(err, "store %s", config->dir);
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    pthread_cond_broadcast(&store->work);
    pthread_cond_broadcast(&store->sealed);
    pthread_cond_broadcast(&store->keep);
    pthread_mutex_unlock(&store->lock);
    if (store->seal_started)
        pthread_join(store->seal_thread, NULL);
    if (store->keep_started)
        pthread_join(store->keep_thread, NULL);
    store_free(store);
}

/* ---- snapshots -------------------------------------------------------------------------- */

static void hold_set(struct snapshot *snapshot, struct mem_set *set)
{
    atomic_fetch_add(&set->refs, 1);
    snapshot->sets[snapshot->set_count++] = set;
    for (struct memtable *table = set->tables; table; table = table->next)
        if (table->part_count)
            snapshot->tables[snapshot->table_count++] =
                (struct snapshot_table){table, table->part_count, table->first};
}

/* Under the lock. */
static bool fill_snapshot(struct store *store, struct snapshot *snapshot)
{
    size_t tables = store->live->table_count;
    for (struct mem_set *set = store->sealing; set; set = set->next)
        tables += set->table_count;
    snapshot->segments = mem_alloc(store->segment_count * sizeof(*snapshot->segments) + 1);
    snapshot->tables = mem_alloc(tables * sizeof(*snapshot->tables) + 1);
    if (!snapshot->segments || !snapshot->tables)
        return false;
    for (size_t i = 0; i < store->segment_count; i++) {
        atomic_fetch_add(&store->segments[i]->refs, 1);
        snapshot->segments[snapshot->segment_count++] = store->segments[i];
    }
    for (struct mem_set *set = store->sealing; set; set = set->next)
        hold_set(snapshot, set);
    hold_set(snapshot, store->live);
    return true;
}

struct snapshot *store_snapshot(struct store *store)
{
    struct snapshot *snapshot = mem_calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return NULL;
    snapshot->store = store;
    snapshot->store_id = store->id;
    pthread_mutex_lock(&store->lock);
    bool filled = fill_snapshot(store, snapshot);
    pthread_mutex_unlock(&store->lock);
    if (filled)
        return snapshot;
    store_snapshot_release(snapshot);
    return NULL;
}

void store_snapshot_release(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->segment_count; i++)
        store_segment_unref(snapshot->segments[i]);
    for (size_t i = 0; i < snapshot->set_count; i++)
        mem_set_unref(snapshot->sets[i]);
    mem_free(snapshot->segments);
    mem_free(snapshot->tables);
    mem_free(snapshot);
}

/* ---- questions -------------------------------------------------------------------------- */

uint64_t store_covered(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t position = store->covered_position;
    pthread_mutex_unlock(&store->lock);
    return position;
}

uint64_t store_next_seq(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t next = store->covered_seq + 1;
    pthread_mutex_unlock(&store->lock);
    return next;
}

uint64_t store_id(struct store *store)
{
    return store->id;
}

void store_stats(struct store *store, struct store_stats *out)
{
    pthread_mutex_lock(&store->lock);
    *out = store->stats;
    out->segments = store->segment_count;
    for (size_t i = 0; i < store->segment_count; i++) {
        out->segment_rows += store->segments[i]->info.rows;
        out->segment_bytes += store->segments[i]->info.bytes;
        out->segment_raw_bytes += store->segments[i]->info.raw_bytes;
        out->cold_segments += store->segments[i]->info.place != 0;
        out->cold_bytes += store->segments[i]->info.place ? store->segments[i]->info.bytes : 0;
    }
    out->memory_rows = store->live->rows;
    out->memory_bytes = store->live->bytes;
    for (struct mem_set *set = store->sealing; set; set = set->next) {
        out->memory_rows += set->rows;
        out->memory_bytes += set->bytes;
    }
    pthread_mutex_unlock(&store->lock);
}

int store_ledger(struct store *store, struct ledger *out, struct err *err)
{
    if (ledger_init(out, err) < 0)
        return -1;
    pthread_mutex_lock(&store->lock);
    bool ok = ledger_merge(out, &store->ledger) && ledger_merge(out, &store->live->ledger);
    for (struct mem_set *set = store->sealing; ok && set; set = set->next)
        ok = ledger_merge(out, &set->ledger);
    pthread_mutex_unlock(&store->lock);
    if (ok)
        return 0;
    ledger_close(out);
    return err_nomem(err);
}
