#pragma once
/*
 * store/store: events at rest. Batches become rows in memory, these become segments, small
 * segments become larger ones, those of old days are packed, move to another folder, go.
 *
 *   store_append ──► live set ──► sealing set ──► segments ──► merged, packed, moved ──► retention
 *                      memory, one table per          files, named by the manifest
 *                      (day, stream)
 *
 * Exactly once (docs/decisions/store-exactly-once.md): a seal covers every partition up to one
 * journal position and takes effect by one replacement of the manifest, which also names the
 * highest hinomi.seq in it. After a restart the pipeline reads the journal from store_covered();
 * rows up to that seq are left out here.
 *
 * Threads    Append, flush, tick and ledger_received: the one pipeline thread. Snapshots, stats,
 *            covered, ledger: any. Two threads of its own: one seals, one merges, packs, moves and retains.
 * Limits     Two sets of seal_bytes each wait for the disk at most; then append waits too, or
 *            fails with the disk's error when sealing does not work (append again later).
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/rand.h"
#include "event/batch.h"
#include "store/ledger.h"

struct store;
struct snapshot;

/* The first whose pattern fits a stream counts. */
struct retention {
    struct slice stream; /* '*' stands for anything: "fw-*" */
    uint32_t days;       /* 0: for ever */
    uint32_t cold_days;  /* 0: never moved; RETENTION_AS_OTHERS: store_config.cold_days */
};

#define RETENTION_AS_OTHERS UINT32_MAX

/* What retention leaves alone, whatever the age and however full the disk: every segment of the stream
 * (pattern as above) that has an event of from <= @timestamp < to. */
struct retention_hold {
    struct slice name, stream;
    int64_t from_ns, to_ns;
};

struct store_config {
    const char *dir;
    const struct hin_io *io;       /* NULL: io_real() */
    const struct hin_clock *clock; /* NULL: clock_real() */
    const struct hin_rand *rand;   /* NULL: rand_real(); file ids */
    uint32_t seal_rows;            /* 0: 61440; of one partition, so that a seal is one block */
    size_t seal_bytes;             /* 0: 96 MiB; memory of all partitions together */
    uint32_t seal_age_ms;          /* 0: 60000 */
    int level;                     /* of zstd; 0: 1 */
    uint32_t past_days;            /* 0: TIME_PAST_DAYS_MAX; older is filed under the day of receipt */
    uint32_t future_hours;         /* 0: TIME_FUTURE_HOURS_MAX */
    const struct retention *retention; /* copied */
    size_t retention_count;
    uint32_t retention_days;       /* of other streams; 0: for ever */
    uint64_t disk_max;             /* bytes of all segments; 0: no bound */
    uint64_t disk_free_min;        /* bytes that stay free where segments lie; 0: no bound */
    uint32_t disk_free_percent;    /* likewise, of the file system; the larger of both counts */
    const char *cold_dir;          /* where old segments go; NULL: nowhere */
    uint32_t cold_days;            /* of streams that say nothing; 0: never */
    bool await_holds;              /* nothing is dropped before the first store_set_holds() */
    uint32_t pack_days;            /* days older than this are compressed once more; 0: 2 */
    int pack_level;                /* of zstd, for what is merged or packed; 0: 6; below level: as level */
    int64_t quiet_ms;              /* a day that is over is tidied up when nothing came to it for so long;
                                    * 0: an hour; -1: at once */
    bool no_background;            /* tests: seals happen in append and flush, merges on demand */
    bool read_only;                /* beside a running server: nothing is written, removed or started;
                                    * only snapshots and questions are allowed */
    void (*note)(void *context, const char *text); /* sentences for people; any thread */
    void *note_context;
};

struct store_stats {
    uint64_t segments, segment_rows, segment_bytes, segment_raw_bytes;
    uint64_t memory_rows, memory_bytes;
    uint64_t seals, seal_failures, merges, merged_segments;
    uint64_t dropped_segments, dropped_rows; /* by retention, ever */
    uint64_t held_segments, held_bytes; /* that would go but for a hold, as of the last retention */
    uint64_t short_bytes; /* over disk_max or below disk_free_min, and nothing is left that may go */
    uint64_t merged_rows, merged_bytes; /* written by merges */
    uint64_t packs, packed_segments, packed_rows, packed_bytes; /* written by packing */
    uint64_t moves, cold_segments, cold_bytes; /* moved; lying in further folders now */
    uint64_t skipped_rows; /* sealed already before the last restart */
};

MUST_USE int store_open(const struct store_config *config, struct store **out, struct err *err);
/* Rows in memory are not sealed (the journal has them): store_flush first for a fast start. */
void store_close(struct store *store); /* NULL is fine; snapshots must be released before */

/* batch_finish() has been called. Rows must come in order of hinomi.seq; rows with seq 0 come from
 * elsewhere than the journal and are never left out. The batch stays the caller's. */
MUST_USE int store_append(struct store *store, const struct batch *batch, struct err *err);
/* Everything appended is in segments when it returns 0. */
MUST_USE int store_flush(struct store *store, struct err *err);
/* Seals what has grown old; call it now and then when nothing is appended. */
MUST_USE int store_tick(struct store *store, struct err *err);
/* The journal position up to which everything is in segments: replay from here, trim up to here. */
uint64_t store_covered(struct store *store);
/* The next seq that a journal may give (journal_config.seq_min). */
uint64_t store_next_seq(struct store *store);
/* For event.id: see event_id_from_seq(). */
uint64_t store_id(struct store *store);

/* What can be seen now: consistent, unchanged by later appends, merges and retention. */
MUST_USE struct snapshot *store_snapshot(struct store *store);
void store_snapshot_release(struct snapshot *snapshot); /* NULL is fine */

/* store_pieces.c: what a snapshot consists of: its segments, then rows in memory. The list and its
 * texts live in the arena. */
struct store_piece {
    struct slice stream, path; /* path SLICE_NONE: in memory */
    uint64_t number, rows, bytes, raw_bytes;
    int64_t time_min, time_max;
    bool cold; /* in a further folder */
};
MUST_USE int store_pieces(const struct snapshot *snapshot, struct arena *arena,
                          struct store_piece **out, size_t *count, struct err *err);

/* store_merge.c, store_pack.c, store_cold.c: joins small segments of a partition; compresses those of old
 * days once more; moves older ones to cold_dir. 1 when something was done. The thread's work; else
 * for tests. */
MUST_USE int store_merge(struct store *store, struct err *err);
MUST_USE int store_pack(struct store *store, struct err *err);
MUST_USE int store_chill(struct store *store, struct err *err);
/* store_retain.c: drops segments, manifest first: whose day is over their stream's age; then, oldest
 * first, what is over disk_max or disk_free_min. What a hold covers stays. */
MUST_USE int store_retain(struct store *store, struct err *err);
/* store_holds.c: the holds from now on, copied. When it returns 0 nothing they cover is dropped any
 * more. Any thread; waits for a retention that is under way. */
MUST_USE int store_set_holds(struct store *store, const struct retention_hold *holds, size_t count,
                             struct err *err);
/* What retention took since the one with this serial (0: all that is known), oldest first. Slices live
 * in the arena. Any thread. */
struct manifest_drop;
MUST_USE int store_drops(struct store *store, uint64_t after, struct arena *arena,
                         struct manifest_drop **out, size_t *count, struct err *err);

void store_stats(struct store *store, struct store_stats *out);
/* Bytes of segments that may still be written before retention must drop something: by the room of the disk
 * that data arrives on, and by disk_max. Any thread. */
MUST_USE int store_room(struct store *store, uint64_t *out, struct err *err);

/* A journal record was read: what it says was received, or lost, in one minute. It enters the books together
 * with the batch whose journal_end reaches journal_end. */
MUST_USE int store_ledger_received(struct store *store, struct slice source, int64_t received_ns,
                                   const struct ledger_counts *counts, uint64_t journal_end, struct err *err);
/* The books as of now, as a ledger of the caller's (ledger_close). */
MUST_USE int store_ledger(struct store *store, struct ledger *out, struct err *err);
