#pragma once
/*
 * store/scan_survey: what a scan would have to look at, told by footers, time ranges, the words and
 * trigrams of blocks and the dictionaries and filters of columns; no rows are read.
 *
 *   snapshot ── segment (every n-th of very many) ── block that may have rows ── struct survey_block
 *
 * Ownership  Everything lives in the arena given.
 * Threads    As scan.h.
 * Limits     SURVEY_SEGMENTS_MAX footers are looked at; of more segments every n-th speaks for n.
 * Errors     A segment that cannot be read is left out: the scan itself tells of it.
 */
#include "store/scan.h"

struct memtable; /* store/memtable.h */

struct survey_block {
    uint64_t segment;  /* the number in its file's name; 0: rows in memory, block counts parts */
    uint32_t block;
    double rows;       /* of it inside the time range, taken as spread evenly over its time */
    double bytes;      /* of the columns that the request names, as they are stored */
    int64_t time_max;
    uint64_t group;    /* the same for blocks of a stream */
};

struct scan_survey {
    struct survey_block *blocks; /* those that may have rows, by stream and time */
    size_t count;
    uint64_t ruled_out;          /* blocks of the time range and streams that have none for sure */
    uint64_t bytes_read;         /* to rule them out */
    double each;                 /* segments that each of these stands for: 1, more when there are
                                  * very many */
};

MUST_USE int scan_survey(struct snapshot *snapshot, const struct scan_request *request,
                         struct arena *arena, struct scan_survey *out, struct err *err);

/* The only blocks that a scan is to read. */
struct scan_sample {
    const struct survey_block *blocks;
    size_t count;
};
bool scan_sample_has(const struct scan_sample *sample, uint64_t segment, uint32_t block);
bool scan_sample_has_segment(const struct scan_sample *sample, uint64_t segment);
/* The number of a part of a table in memory. */
uint32_t scan_sample_part(const struct snapshot *snapshot, const struct memtable *table, uint32_t part);
