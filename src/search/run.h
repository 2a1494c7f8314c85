#pragma once
/*
 * search/run: runs a parsed query over a backend.
 *
 *   struct search *search;
 *   search_new(query, &options, &search, &err);      plans; nothing is read yet
 *   search_step(search, &err) ... until it is not 1  reads a batch and pushes it through
 *   search_result(search)                            rows, names, messages
 *   search_free(search)
 *
 * With plan_only search_new() says what could not be run, of subsearches, too.
 *
 * Or search_run(), which is the loop. Between two steps search_preview() shows what the answer
 * would be if there were no more rows, so a server can send partial results every 200 ms or so.
 *
 * Ownership  The query, backend, clock and zone are borrowed until search_free().
 * Threads    One thread at a time; search_cancel() from any.
 * Limits     options.memory_max: 5/8 of it for what is held, the rest for reading. sort, stats, join,
 *            dedup, transaction and the answer itself go on in a temporary file of at most
 *            SPILL_BYTES_MAX; the rest fails with ERR_LIMIT, which says what to do.
 *            options.time_max_ms.
 * Errors     -1: the whole search failed. A bound that only cuts the answer short makes a
 *            message and complete = false.
 */
#include "base/clock.h"
#include "know/know.h"
#include "search/command.h"
#include "search/source.h"

struct search;
struct zone;

struct search_progress {
    uint64_t rows_read;  /* rows the source gave */
    uint64_t rows_total; /* about; 0: unknown */
    uint64_t batches;
    uint64_t blocks, blocks_skipped; /* of the store; skipped: no row was looked at */
    uint64_t bytes_read;             /* off the disk, or its cache */
    uint64_t block_rows;             /* of the blocks that were not skipped */
    int64_t cpu_ns;                  /* of processor time, all threads together */
    int64_t elapsed_ms;
};

struct search_result;
struct search_trial;

struct search_options {
    const struct search_backend *backend;
    const struct hin_clock *clock; /* NULL: the machine's */
    const struct zone *zone;       /* of the user; NULL: UTC */
    int64_t from_ns, to_ns;        /* 0: no bound; the query's own earliest and latest win */
    int64_t memory_max;            /* 0: MEMORY_QUERY_MAX */
    const char *spill_folder;      /* for rows that memory has no room for; NULL: $TMPDIR */
    int64_t time_max_ms;           /* 0: none */
    int64_t rows_max;              /* rows of the answer that are kept; 0: all that memory allows.
                                      Reaching it is said in a message */
    int64_t subsearch_rows_max;    /* 0: 100,000 */
    bool naive;                    /* the plan without any shortcut, to check an answer against
                                      (search/naive.h) */
    uint32_t threads;              /* that read, and group where they can; 0: as the backend says */
    int64_t part_rows_min;         /* rows of the source from which several threads group (search/parts.h);
                                      0: as many as it is worth it for */
    bool rows_on_disk;             /* an answer that memory has no room for goes to the temporary file;
                                      search_rows() reads it. Otherwise that is ERR_LIMIT */
    /* Takes the answer's rows in order, as soon as they are known; they are not kept then. -1 ends
     * the search. NULL: search_rows() and search_result() have them. */
    int (*take)(void *context, const struct search_result *part, struct err *err);
    void *take_context;
    /* Called between batches, about every progress_ms; not 0 cancels. */
    int (*progress)(void *context, struct search *search, const struct search_progress *progress);
    void *progress_context;
    int64_t progress_ms; /* 0: 200 */
    const struct knowledge *knowledge; /* macros, lookups, data models ...; NULL: none. Borrowed */
    struct slice person;               /* whose own definitions count, too */
    const struct search_backend *tables; /* lookup tables; NULL: the backend's own */
    const struct search_writer *writer;  /* what outputlookup and collect may do; NULL: nothing */
    /* Called now and then during long work, by every thread of the search; NULL: nobody is interested. */
    void (*busy)(void *context);
    void *busy_context;
    bool *cancelled; /* set by __atomic_store_n() it ends the search, and its planning, too: subsearches of
                        its filter run in search_new(). NULL: search_cancel() alone does */
    struct search_trial *trial; /* search/trial.h: only a sample is read, nothing is changed; NULL: none */
    /* With plan_only: told what each search of events in it, subsearches too, would ask its source for; indexes and filter
     * are of use. Lives while it is called. NULL: nobody asks. */
    void (*asks)(void *context, const struct search_request *request);
    void *asks_context;
    bool plan_only; /* nothing is read: missing tables and streams are no errors, the search has no
                       rows. With a backend: what may not be done there is an error */
};

/* What searches may change. Called on the search's thread. */
struct search_writer {
    /* The whole of a lookup table as CSV, in the place of the old one if there is one. name is a file's
     * name that know_is_file_name(). */
    int (*table)(void *context, struct slice name, struct slice csv, struct err *err);
    /* Lines of JSON become events of the stream; the journal has them when it returns 0. */
    int (*collect)(void *context, struct slice stream, struct slice source, struct slice lines,
                   uint32_t count, struct err *err);
    void *context;
};

struct search_message {
    const char *code; /* "limit", "subsearch-empty" ... */
    struct slice text;
    struct slice command;
    uint64_t kept, seen; /* of what was cut; 0 when nothing was */
    struct search_message *next;
};

struct search_result {
    const struct batch *rows;  /* in order; columns are in output order too. No rows but row_count not
                                  0: they are on disk */
    uint64_t row_count;
    const struct slice *names; /* of the columns, as people know them (_time, host ...) */
    bool events;               /* still events, not a table */
    bool complete;
    const struct search_message *messages;
    struct search_progress progress;
};

MUST_USE int search_new(const struct spl_query *query, const struct search_options *options,
                        struct search **out, struct err *err);
/* 1: there is more, 0: done, -1. */
MUST_USE int search_step(struct search *search, struct err *err);
MUST_USE int search_run(struct search *search, struct err *err);
/* The answer so far, or in full after the last step. Lives until search_free(). */
const struct search_result *search_result(struct search *search);
/* The whole answer part by part, also when it is on disk; names and columns of a part may be fewer. */
MUST_USE int search_rows(struct search *search,
                         int (*take)(void *context, const struct search_result *part,
                                     struct err *err),
                         void *context, struct err *err);
/* A partial answer in arena; complete is false. */
MUST_USE int search_preview(struct search *search, struct arena *arena, struct search_result *out,
                            struct err *err);
void search_cancel(struct search *search);
/* Bytes that it holds, subsearches and rows included. Not while a step runs. */
size_t search_bytes(const struct search *search);
void search_free(struct search *search); /* NULL is fine */

/* The plan as text: what is asked of the source, and the commands after it. */
void search_explain(struct search *search, struct buffer *to);
