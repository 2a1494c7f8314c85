#pragma once
/*
 * store/store_state: what the store's own files and scan share.
 */
#include "pattern/wildcard.h"
#include "store/footers.h"
#include "store/manifest.h"
#include "store/memtable.h"
#include "store/segment_writer.h"
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
    bool keep_apart;     /* damaged: not merged, packed or moved; the keep thread's */
    bool doubtful;       /* a manifest that may be on disk names it */
    bool leaving;        /* counted in leaving_bytes */
    int64_t born_ns;     /* mono; when it was made or the store opened */
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
    struct ledger_counts counts;
    uint64_t journal_end;
};

/* A rule or hold with its pattern ready. */
struct stream_rule {
    struct wildcard stream;
    struct retention retention;
};

struct stream_hold {
    struct wildcard stream;
    int64_t from_ns, to_ns;
};

struct store {
    struct store_config config;
    struct stream_rule *rules; /* of config.retention */
    char *dir;
    struct arena *arena;  /* configuration; lives as long as the store */
    uint64_t id;
    uint64_t sealed_seq_at_open;

    struct footers footers;

    pthread_mutex_t manifest_lock; /* one replacement at a time; taken before lock */
    pthread_mutex_t keep_lock;     /* one retention at a time, and the holds; taken before both */
    struct arena *hold_arena;
    struct stream_hold *holds;
    size_t hold_count;
    bool holds_known;
    uint64_t said_short;           /* the short_bytes that people were told about */
    atomic_uint_fast64_t leaving_bytes; /* dropped, but a reader still has the files */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t work;  /* for the sealing thread */
    pthread_cond_t sealed; /* for those who wait for it */
    struct store_segment **segments;
    size_t segment_count, segment_size;
    uint64_t next_number;
    uint64_t covered_position, covered_seq;
    struct ledger ledger; /* as of covered */
    struct manifest_place places[MANIFEST_PLACES_MAX]; /* texts in arena */
    size_t place_count;
    uint32_t cold_place;  /* of cold_dir; 0: there is none or it cannot be used */
    bool cold_said;       /* that it cannot be used */
    struct manifest_drop *drops; /* streams in arena */
    size_t drop_count;
    struct map streams;   /* names in arena that drops use */
    struct mem_set *live;
    struct store_tail *tails; /* store_tail.h */
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
    const struct mem_part *first; /* of these parts */
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

/* store_load.c */
MUST_USE int store_load(struct store *store, struct err *err);

/* store_place.c */
MUST_USE int store_segment_path(const struct store *store, const struct segment_info *info,
                                char to[STORE_PATH_MAX], struct err *err);
const char *store_place_dir(const struct store *store, uint32_t place, char to[STORE_PATH_MAX]);
/* Whether the folder there is the one meant (its mark is). */
bool store_place_is_there(const struct store *store, uint32_t place);
/* Looks for cold_dir and marks it when it is new; says once when it cannot be used. */
void store_place_open_cold(struct store *store);
/* Bytes that ought to be free there and are not, what leaves anyway counted as free. */
MUST_USE int store_place_short(struct store *store, uint32_t place, struct io_space *space,
                               uint64_t *bytes, struct err *err);

struct store_segment *store_segment_new(struct store *store, const struct segment_info *info);
void store_segment_unref(struct store_segment *segment);
/* Nothing changed about it for store_config.quiet_ms: a day that is being imported is not yet worth
 * the tidying of one that is over. */
bool store_segment_is_quiet(const struct store_segment *segment);
/* All of them, each held, oldest first; NULL when memory is out. store_segments_release() */
struct store_segment **store_segments_hold(struct store *store, size_t *count);
void store_segments_release(struct store_segment **segments, size_t count);

/* store_seal.c */
void *store_seal_run(void *store);
/* The oldest sealing set; 0 done or none, -1 (the set stays queued). */
MUST_USE int store_seal_oldest(struct store *store, struct err *err);

/* store_commit.c: a replacement of segments in the manifest and then in the list. */
struct store_change {
    struct store_segment **added, **removed;
    size_t added_count, removed_count;
    const struct mem_set *set; /* NULL: covered and ledger stay */
    struct manifest_drop *drops; /* by retention; serials are set here, streams copied */
    size_t drop_count;
};
/* The caller holds nothing but keep_lock. */
MUST_USE int store_commit(struct store *store, const struct store_change *change, struct err *err);

/* Names of streams as long as the store; there are few. Under the lock. */
MUST_USE bool store_intern_stream(struct store *store, struct slice *stream);
uint64_t store_take_number(struct store *store);
void store_take_summary(struct segment_info *info, const struct segment_summary *summary);
/* Tables as durable files that the manifest does not name yet. out has room for every table;
 * what was made before a failure is counted and must be forgotten. */
MUST_USE int store_write_tables(struct store *store, const struct memtable *tables,
                                uint64_t covered, int level, struct store_segment **out,
                                size_t *count, struct err *err);
/* Lets go of segments whose files are not wanted any more. */
void store_forget_segments(struct store_segment **segments, size_t count);

/* store_keep.c */
void *store_keep_run(void *store);

/* store_holds.c; under keep_lock */
bool store_is_held(const struct store *store, const struct segment_info *info);
/* store_retain.c */
MUST_USE int store_copy_retention(struct store *store);
struct retention store_retention_of(const struct store *store, struct slice stream);
