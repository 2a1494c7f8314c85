#pragma once
/*
 * search/source: where rows come from, seen from the search. The store's scan, a table file and
 * a query's own rows all answer to this, so an adapter is about fifty lines.
 *
 *   search ──request──> backend.open ──> source.next() ... next() ── close()
 *
 * A batch may be larger than BATCH_ROWS_MAX (blocks of the store are). Columns have the names of
 * the schema (@timestamp, event.original, host.name ...). A column may have codes: rows with the
 * same code under the same dict_epoch (never 0) have the same value; grouping uses that.
 *
 * Ownership  A batch and its bits belong to the source and live until the next next() or close().
 *            The search does not change them.
 * Threads    A source is used by one thread, or its parts by one each; a backend by any number of searches at once.
 */
#include "base/err.h"
#include "event/batch.h"
#include "expr/expr.h"

struct redecoder;   /* event/redecode.h */
struct scan_sample; /* store/scan_survey.h */
struct scan_stats;  /* store/scan.h */
struct scan_survey;
struct search_states; /* search/state_tables.h */
struct hin_clock;
struct hin_rand;
struct zone;

struct search_request {
    int64_t from_ns, to_ns; /* @timestamp in [from, to); the source keeps to it exactly */
    const struct slice
        *indexes;       /* streams, with stars, any of them; the source keeps to it exactly */
    size_t index_count; /* 0: the default ones */
    const struct slice *columns; /* what will be read behind the filter; all of them when
                                    all_columns. A source that does not apply the filter gives the
                                    filter's columns, too */
    size_t column_count;
    bool all_columns;
    struct slice late_column; /* one of columns, whose texts are only matched: where late_machine finds
                                 nothing they may be left out; ptr NULL: none. A hint */
    const struct regex_machine *late_machine;
    bool late_whole; /* other texts come whole; else they may be cut to what the machine touches */
    const struct expr *filter; /* what rows must fulfil, or NULL: a hint, the search tests again
                                  unless the source says filtered */
    bool codes_only;           /* columns with a dictionary may come without values, if the
                                  source applies the filter itself */
    bool minutes;              /* times count to the minute and nothing else is read: a row may stand
                                  for several (search_rows.weights) */
    bool newest_first;         /* rows are wanted newest first; otherwise any order will do */
    int64_t rows_enough;       /* the search stops after so many rows that pass; 0: all */
    uint32_t threads;          /* that read, at most; 0: as the backend likes */
    size_t memory_max;         /* for reading; 0: MEMORY_QUERY_MAX */
    int64_t now_ns;            /* for the filter's functions, with clock, rand and zone */
    const struct hin_clock *clock;
    const struct hin_rand *rand;
    const struct zone *zone;
    bool (*stop)(void *context); /* the search is to end: next() may end with any error; NULL: never.
                                    Any thread of the source asks it */
    void *stop_context;
    const struct scan_sample *sample; /* the only blocks to read, as survey() named them; NULL: all */
};

struct search_rows {
    const struct batch *batch;
    const uint64_t *selected; /* the rows of it that count; NULL: all */
    const uint32_t *weights;  /* how many rows each stands for; NULL: itself */
    int64_t later_max;        /* of a source that sweeps: no row of a later batch is newer */
    uint32_t first;           /* rows before it do not count; a multiple of 64 */
};

struct search_source {
    /* 1: *out is set; 0: the end. */
    int (*next)(void *context, struct search_rows *out, struct err *err);
    void (*close)(void *context); /* NULL is fine */
    /* What reading has cost so far, and what could not be read; NULL: nothing is on disk. */
    const struct scan_stats *(*stats)(void *context);
    void *context;
    /* Instead of next(), by as many threads at once as there are parts, each with its own number: every part has
     * other rows. A batch lives until the part's next one. When no thread asks any more, next() gives what is left
     * of the parts, in the order in which it would have given it; also after ERR_NOMEM or ERR_LIMIT, which may be
     * for want of memory that a part alone does not have. */
    int (*next_part)(void *context, uint32_t part, struct search_rows *out, struct err *err);
    /* Of the part's last batch, rows from this one on were not used. */
    void (*put_back)(void *context, uint32_t part, uint32_t row);
    uint32_t parts; /* 0, 1: only next() is there */
    bool filtered;       /* selected holds exactly the rows that pass the filter */
    bool ordered;        /* rows come newest first, if that was asked, or in an order of their own
                            that counts (a table's). Otherwise the search sorts where it matters */
    bool sweeps;         /* newest first was asked: rows of a batch ascend by time, batches come so that
                            later_max falls, and the search can hand on what is newer at once */
    uint64_t rows_total; /* about how many rows there are to read, for progress; 0: unknown */
    const char *kind;    /* for explain: "store", "table" ... */
};

/* A stored part of an index, for eventcount and dbinspect: a segment, or rows still in memory. */
struct search_piece {
    struct slice index, path; /* path SLICE_NONE: in memory */
    const char *state;        /* hot (in memory), warm, cold */
    uint64_t number, rows, bytes, raw_bytes;
    int64_t from_ns, to_ns; /* of the first and last event */
};

/* Files beside the events. They live as long as the backend. */
struct search_files {
    const char *geoip; /* a MaxMind database for iplocation; NULL: there is none */
    const char *csv;   /* the folder of inputcsv and outputcsv; NULL: there is none */
    const char *memory; /* the folder of what rules remember; NULL: there is none */
    const struct search_states *states; /* its tables; NULL: none */
};

/* An earlier search's answer; lives in the arena that it was asked for with. */
struct search_job {
    const struct batch *rows;
    bool events;   /* not a table made of them */
    bool complete;
};

/* What the server that a search runs in can be asked, with the rights of who searches. From the search's
 * thread. */
struct search_server {
    /* ERR_NOT_FOUND, also for another person's; ERR_CONFLICT when it is not done. */
    int (*job)(void *context, struct slice id, struct arena *arena, struct search_job *out,
               struct err *err);
    /* GET of a path of its API, with a query behind a ?; JSON in the arena. */
    int (*get)(void *context, struct slice path, struct arena *arena, struct slice *json,
               struct err *err);
    void *context;
};

struct search_backend {
    /* NULL: there are no events to search, only tables and generated rows. */
    int (*open)(void *context, const struct search_request *request, struct arena *arena,
                struct search_source *out, struct err *err);
    /* A lookup table by name; ERR_NOT_FOUND when there is none. NULL: no tables. */
    int (*open_table)(void *context, struct slice name, struct arena *arena,
                      struct search_source *out, struct err *err);
    void *context;
    /* What is stored; NULL: nothing can be said. The list lives in the arena. */
    int (*pieces)(void *context, struct arena *arena, struct search_piece **out, size_t *count,
                  struct err *err);
    const struct search_files *files; /* NULL: none */
    const struct search_server *server; /* NULL: there is none */
    const struct redecoder *redecoder; /* for what older decoders took; NULL: it stays as stored. Such rows
                                          are not for open(): search/redecoded.h */
    /* What a source would have to look at, without reading rows; NULL: that is not known. */
    int (*survey)(void *context, const struct search_request *request, struct arena *arena,
                  struct scan_survey *out, struct err *err);
};
