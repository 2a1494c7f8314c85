#pragma once
/*
 * store/journal_state: what the journal's files share (journal.c, journal_commit.c,
 * journal_recover.c, journal_keep.c, journal_reader.c). Nobody else includes it.
 */
#include "base/limits.h"
#include "base/map.h"
#include "store/journal.h"
#include "store/journal_cursors.h"
#include "store/journal_file.h"
#include "store/journal_keys.h"

#include <pthread.h>

/* One append on its way: the frame's header is written when its number is known. */
struct journal_pending {
    struct journal_pending *next;
    struct buffer bytes; /* JOURNAL_FRAME_HEADER bytes of room, then the payload */
    uint32_t payload_crc;
    uint32_t event_count;
    bool has_key;
    struct hash128 key, body;
    journal_done done;
    void *context;
    struct journal_ack ack; /* filled when its group is through */
};

/* A file that is kept; the last one is written to. */
struct journal_file {
    uint64_t base;
    uint64_t file_id;
    uint64_t size; /* bytes in the file, header included */
};

struct journal {
    struct journal_config config;
    char *dir;

    /* the journal's thread and open/close only */
    int fd;               /* of the last file, -1 when none is open */
    struct buffer staged; /* a group's bytes, gathered for one write */
    pthread_t thread;
    bool thread_started;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t work;  /* pending or stopping */
    pthread_cond_t news;  /* committed moved, failed or stopping: readers wait here */
    struct journal_pending *first, **last;
    size_t pending_bytes;
    bool stopping;
    bool trimming;        /* one at a time */
    struct err failure;   /* code != ERR_NONE: fdatasync failed */
    struct journal_file *files;
    size_t file_count, file_size;
    uint64_t next_seq;
    uint64_t committed;   /* position after the last durable record */
    struct journal_keys keys;
    struct journal_cursors cursors;
    struct journal_stats stats;
};

PRINTF_LIKE(2, 3) void journal_say(struct journal *journal, const char *format, ...);

/* journal_commit.c: the thread's body, and one group (for tests without a thread). */
void *journal_commit_run(void *journal);

/* journal_recover.c: snapshot, then every file. */
MUST_USE int journal_recover(struct journal *journal, struct err *err);
/* The last file, made anew at position; the caller holds no lock. */
MUST_USE int journal_file_create(struct journal *journal, uint64_t position, struct err *err);

/* journal_keep.c: keys, cursors and numbers in one file. */
MUST_USE int journal_keep_save(struct journal *journal, struct err *err);
/* *position: where reading must go on. A missing file is fine and gives 0. */
MUST_USE int journal_keep_load(struct journal *journal, uint64_t *position, struct err *err);
/* Under the lock (or before the thread runs): what a durable delivery leaves behind. */
MUST_USE int journal_remember(struct journal *journal, struct slice payload, uint64_t first_seq,
                              uint64_t position, struct err *err);
struct hash128 journal_key_hash(const struct delivery *delivery);
