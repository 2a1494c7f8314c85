#pragma once
/*
 * store/store_state: what store.c, store_seal.c, store_keep.c and scan share.
 */
#include "store/footers.h"
#include "store/manifest.h"
#include "store/memtable.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STORE_PATH_MAX = 4096, STORE_PARTITIONS_MAX = 64, STORE_SEALING_MAX = 2 };

/* A file that readers may still hold after it has left the manifest. */
struct store_segment {
    atomic_uint refs;
    atomic_bool dropped; /* the last reader removes the file */
    struct store *store;
    struct segment_info info; /* stream text follows the struct */
    bool keep_apart;     /* damaged: not merged */
    bool doubtful;       /* a manifest that may be on disk names it */
    struct segment_footer *footer;         /* these three under the lock of footers */
    struct store_segment *newer, *older;
    char path[];
};

/* Rows in memory that will be sealed together. */
struct mem_set {
    atomic_uint refs;
    struct memtable *tables;
    uint32_t table_count;
    uint64_t rows, bytes;
    uint64_t covered_position, covered_seq;
    int64_t started_ns;  /* mono; of the first row */
    struct ledger ledger;
    struct mem_set *next; /* in the queue of sealing sets */
};

struct pending_received {
    struct slice source; /* mem_strdup'ed */
    int64_t minute;
    uint64_t count, journal_end;
};

struct store {
    struct store_config config;
    char *dir;
    struct arena *arena;  /* configuration; lives as long as the store */
    uint64_t id;
    uint64_t sealed_seq_at_open;

    struct footers footers;

    pthread_mutex_t manifest_lock; /* one replacement at a time; taken before lock */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t work;  /* for the sealing thread */
    pthread_cond_t sealed; /* for those who wait for it */
    struct store_segment **segments;
    size_t segment_count, segment_size;
    uint64_t next_number;
    uint64_t covered_position, covered_seq;
    struct ledger ledger; /* as of covered */
    struct mem_set *live;
    struct mem_set *sealing, **sealing_last;
    uint32_t sealing_count;
    struct err seal_error; /* of the last try; ERR_NONE when it worked */
    atomic_bool stopping; /* written under the lock */
    pthread_cond_t keep;   /* for the merging thread */
    struct store_stats stats;

    struct pending_received *pending; /* pipeline thread only */
    size_t pending_count, pending_size;

    pthread_t seal_thread, keep_thread;
    bool seal_started, keep_started;
};

struct snapshot_table {
    const struct memtable *table;
    uint32_t part_count;
};

struct snapshot {
    struct store *store;
    uint64_t store_id;
    struct store_segment **segments; /* held */
    size_t segment_count;
    struct mem_set *sets[STORE_SEALING_MAX + 2]; /* held */
    size_t set_count;
    struct snapshot_table *tables;
    size_t table_count;
};

PRINTF_LIKE(2, 3) void store_say(struct store *store, const char *format, ...);

struct mem_set *mem_set_new(void);
void mem_set_unref(struct mem_set *set); /* NULL is fine */

MUST_USE int store_segment_path(const struct store *store, uint64_t number,
                                char to[STORE_PATH_MAX], struct err *err);
struct store_segment *store_segment_new(struct store *store, const struct segment_info *info);
void store_segment_unref(struct store_segment *segment);

/* store_seal.c */
void *store_seal_run(void *store);
/* The oldest sealing set; 0 done or none, -1 (the set stays queued). */
MUST_USE int store_seal_oldest(struct store *store, struct err *err);
/* Replaces segments in the manifest and then in the list: removed go, added come. set may be NULL:
 * then covered and ledger stay. The caller holds nothing. */
MUST_USE int store_commit(struct store *store, struct store_segment **added, size_t added_count,
                          struct store_segment **removed, size_t removed_count,
                          const struct mem_set *set, bool by_retention, struct err *err);

/* store_keep.c */
void *store_keep_run(void *store);

/* Tables as durable files that the manifest does not name yet. out has room for every table;
 * what was made before a failure is counted and must be forgotten. */
MUST_USE int store_write_tables(struct store *store, const struct memtable *tables,
                                uint64_t covered, struct store_segment **out, size_t *count,
                                struct err *err);
/* Lets go of segments whose files are not wanted any more. */
void store_forget_segments(struct store_segment **segments, size_t count);
