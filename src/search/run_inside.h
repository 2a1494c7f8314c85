#pragma once
/*
 * search/run_inside: what the parts of a search's run share: run.c (its course), run_plan.c (what is
 * asked of the source), run_sub.c (searches within it).
 */
#include "search/newest.h"
#include "search/spill.h"
#include "search/spl_pipeline.h"

enum { HELD_EIGHTHS = 5 }; /* of the memory; the rest is for reading */

struct parts; /* search/parts.h */

struct search {
    struct run run;
    const struct spl_query *asked; /* as search_new() was given it */
    struct search_memory memory; /* of a subsearch: its search's is used */
    struct search_options options;
    struct pipeline pipeline;
    struct search_source source;
    bool has_source;
    bool drained;
    bool in_slices; /* stages make columns: a block in slices needs less memory for them, and is sooner
                       at its end when it is to be cancelled */
    struct sorter *into;  /* of a subsearch: takes its rows as they come; NULL: they are kept */
    struct stage *newest; /* puts rows in order; NULL when the source is, or no order is needed */
    bool finished;
    struct parts *parts;  /* several threads group; NULL: one does */
    uint32_t part;        /* of the source, that this one reads when there are parts */
    const struct parts *part_of; /* those that it belongs to */
    bool in_batch;        /* some of its rows have not been pushed, */
    uint32_t next_row;    /* from this one on */
    const char *given_up; /* why it began anew on one thread */
    const struct expr *pushed; /* the filter given to the source */
    size_t pushed_commands;    /* leading commands that are in it */
    struct search_request request;
    struct wanted wanted;
    struct wanted wanted_behind; /* likewise, when the rows are in order */
    struct search_progress progress;
    struct search_result result;
    int64_t started_ns, told_ns;
    bool cancelled;
};

/* run_plan.c: the range, and the source with what can be left to it. */
bool query_has_source(const struct spl_query *query);
MUST_USE int search_plan_range(struct search *search, struct err *err);
MUST_USE int search_open_source(struct search *search, struct err *err);
/* The commands that the source has not done. */
const struct spl_command *search_rest(const struct search *search);

/* run.c */
MUST_USE int search_start(struct search *search, const struct spl_query *query, struct arena *arena,
                          struct err *err);
/* What reading has cost; NULL: nothing is on disk, or it is over. */
const struct scan_stats *search_source_stats(const struct search *search);
/* The next batch, or its part's next one, through the pipeline: 1, 0: there are no more or it wants no more, -1
 * (in_batch says whether rows had been read). */
MUST_USE int search_read_batch(struct search *search, struct err *err);
/* Rows that are pushed at a time, of a batch of so many. */
uint32_t search_slice(const struct search *search, uint32_t rows);
/* Rows first to first + count of what the source gave; first is a multiple of 64. */
MUST_USE int search_push_rows(struct search *search, const struct search_rows *rows, uint32_t first,
                              uint32_t count, struct err *err);
void search_close_all(struct search *search);

/* run_sub.c */
MUST_USE int search_plan_only(struct run *run, const struct spl_query *query, struct err *err);
