#pragma once
/*
 * search/estimate: what a search will cost, said before it runs.
 *
 * Footers, time ranges and the words and filters of blocks say which blocks can have rows and how many
 * bytes the wanted columns have there (store/scan_survey.h). What rows cost in each stage, and how many
 * come out of it, is measured on some of these blocks (search/trial.h), once on half of them and once on
 * all, so that groups that become fewer with more rows are seen. docs/decisions/search-estimate.md.
 *
 * Threads    The caller's alone.
 * Errors     As search_new() and search_run(): what is wrong with a search is said here, too.
 */
#include "search/run.h"

struct search_estimate {
    uint64_t blocks, blocks_read; /* of the time range and streams; of them read */
    uint64_t rows;                /* of the blocks that are read */
    uint64_t rows_matched;        /* that pass the filter of the source */
    uint64_t rows_answer;
    uint64_t bytes;               /* read off the disk, or its cache */
    int64_t cpu_ns;               /* of processor time, all threads together */
    uint64_t held_bytes;          /* of memory, when all rows are in */
    bool may_spill;               /* that may be more than stays in memory */
    int64_t took_ns;              /* of processor time, to find all this out */
};

MUST_USE int search_estimate(const struct spl_query *query, const struct search_options *options,
                             struct search_estimate *out, struct err *err);
