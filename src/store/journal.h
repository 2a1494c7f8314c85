#pragma once
/*
 * store/journal: what arrived, numbered and durable. An append is answered
 * when fdatasync has returned; that answer is the acknowledgement (docs/format/journal.md).
 *
 *   append ──► pending ──► group: number, write, fdatasync ──► done()
 *   (any thread)           (the journal's own thread)           │
 *   reader ◄── committed records in order ◄─────────────────────┘
 *
 * Ownership  The journal copies what it is given. done() is called exactly once for every
 *            append that returned 0, from the journal's thread, without a lock held;
 *            it must not block and must not call journal_close().
 * Threads    Append, trim, cursor and stats: any. A reader belongs to one thread.
 * Limits     JOURNAL_RECORD_BYTES_MAX a record; outstanding_bytes_max waiting (ERR_LIMIT);
 *            IDEMPOTENCY_KEYS_MAX keys, the oldest are forgotten first.
 * Errors     No space: the group is answered FAILED and nothing of it stays; later appends
 *            work when there is space. A failed fdatasync is final: every append is FAILED
 *            until the journal is opened anew (the kernel may have dropped what was written).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/rand.h"
#include "event/delivery.h"

struct journal;
struct journal_reader;

/* For people: one sentence about something repaired, skipped or lost. May be called from the
 * journal's thread, a reader's thread or inside journal_open. */
typedef void (*journal_note)(void *context, const char *text);

struct journal_config {
    const char *dir;               /* made when missing */
    const struct hin_io *io;       /* NULL: io_real() */
    const struct hin_clock *clock; /* NULL: clock_real() */
    const struct hin_rand *rand;   /* NULL: rand_real(); file ids */
    uint32_t commit_ms;            /* a group waits this long for company; 0 does not wait */
    size_t commit_bytes;           /* 0: JOURNAL_COMMIT_BYTES */
    size_t file_bytes;             /* 0: JOURNAL_FILE_BYTES */
    size_t outstanding_bytes_max;  /* 0: JOURNAL_OUTSTANDING_BYTES_MAX */
    uint32_t keys_max;             /* 0: IDEMPOTENCY_KEYS_MAX */
    uint64_t position_min, seq_min; /* numbers go on from here at least: what the store covers, so
                                     * that a lost journal cannot give old numbers to new events */
    journal_note note;             /* NULL: silent (the counters still tell) */
    void *note_context;
};

#define JOURNAL_OUTSTANDING_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum journal_result {
    JOURNAL_STORED,    /* durable */
    JOURNAL_DUPLICATE, /* the same key and bytes are durable already; numbers are the first ones' */
    JOURNAL_CONFLICT,  /* the key is known with other bytes; nothing was stored */
    JOURNAL_FAILED,    /* not durable; err says why */
};

struct journal_ack {
    enum journal_result result;
    uint64_t first_seq; /* of STORED and DUPLICATE */
    uint64_t position;  /* where the record begins */
    uint64_t end;       /* the position after it; 0 for DUPLICATE */
    const struct err *err; /* FAILED only; valid during the call */
};

typedef void (*journal_done)(void *context, const struct journal_ack *ack);

struct journal_stats {
    uint64_t records, events, bytes;    /* committed since open */
    uint64_t groups, duplicates, conflicts, refused;
    uint64_t recovered_records;         /* found at open */
    uint64_t torn_bytes;                /* cut off the tail at open */
    uint64_t damaged_ranges, damaged_bytes; /* in the middle: skipped and reported */
    uint64_t outstanding_bytes;
    uint64_t position;                  /* end of what is durable */
    uint64_t oldest_position;           /* first position still kept */
    uint64_t next_seq;
    bool failed;                        /* fdatasync failed: open anew */
};

MUST_USE int journal_open(const struct journal_config *config, struct journal **out,
                          struct err *err);
/* Commits what is pending, then stops. NULL is fine. Readers must be closed before. */
void journal_close(struct journal *journal);

/* ERR_LIMIT when too much is outstanding (answer 503), ERR_IO when the journal has failed. The
 * key counts together with origin.source and origin.identity. done may be NULL. */
MUST_USE int journal_append(struct journal *journal, const struct delivery *delivery,
                            journal_done done, void *context, struct err *err);
/* As journal_append, but returns after the answer. -1 for FAILED. */
MUST_USE int journal_append_wait(struct journal *journal, const struct delivery *delivery,
                                 struct journal_ack *ack, struct err *err);

/* From is a position given by an ack, a delivery's journal_end or 0; what was trimmed is skipped. */
MUST_USE int journal_reader_open(struct journal *journal, uint64_t from_position,
                                 struct journal_reader **out, struct err *err);
void journal_reader_close(struct journal_reader *reader); /* NULL is fine */

/* The next committed record: 1, its slices in the arena (NULL: the reader's, until it reads again); 0 when none came within wait_ms;
 * -1 on an error or, as ERR_CLOSED, when the journal is closing. A damaged range is skipped,
 * counted and noted. */
MUST_USE int journal_read(struct journal_reader *reader, struct arena *arena,
                          struct delivery *out, int64_t wait_ms, struct err *err);
/* Where the next record will be read. */
uint64_t journal_reader_position(const struct journal_reader *reader);

/* Removes whole files that hold nothing at or after covered_position; keys and cursors are kept
 * (written to a snapshot before). */
MUST_USE int journal_trim(struct journal *journal, uint64_t covered_position, struct err *err);

/* The cursor of the last durable delivery of this source and path, copied into the arena;
 * SLICE_NONE when there is none or memory is out. Those longest unused are forgotten beyond JOURNAL_CURSORS_BYTES_MAX. */
struct slice journal_cursor(struct journal *journal, struct slice source, struct slice path,
                            struct arena *arena);

void journal_stats(struct journal *journal, struct journal_stats *out);

/* For `hinomi check`, `hinomi verify` and the fuzz target: walks one journal file's bytes as recovery
 * would. */
enum { JOURNAL_CHECK_RANGES = 16 };
struct journal_check {
    uint64_t base; /* position of the file's first record */
    uint64_t records, events, torn_bytes, damaged_ranges, damaged_bytes;
    struct {
        uint64_t from, to;
    } ranges[JOURNAL_CHECK_RANGES]; /* the first damaged ones, bytes of the file */
};
MUST_USE int journal_check_file(const struct hin_io *io, const char *path,
                                struct journal_check *out, struct err *err);
/* The file of batch ids and cursors (DIR/keep) against its checksum; a missing one is fine. */
MUST_USE int journal_check_keep(const char *path, struct err *err);
