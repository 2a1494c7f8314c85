#pragma once
/*
 * store/scan_inside: what the parts of a scan share: scan.c (which units, in what order) and
 * scan_block.c (the rows of one block of a segment).
 */
#include "store/scan.h"
#include "store/scan_newest.h"
#include "store/segment.h"
#include "store/store_state.h"

/* A segment or a table in memory. */
struct unit {
    struct store_segment *segment; /* or */
    const struct memtable *table;
    const struct mem_part *first;
    uint32_t part_count;
    int64_t time_min, time_max;
    uint32_t read;    /* newest first: blocks that were, */
    uint32_t rows_read; /* and rows of the next one, */
    int64_t next_max; /* and the newest time of what is left */
    size_t place;     /* among the units of all shares */
};

struct scan {
    struct snapshot *snapshot;
    struct scan_request request;
    struct arena *parts_list; /* of the open table */
    struct arena *work;   /* of the block given out */
    struct arena *scratch;
    struct arena *names;  /* of damages; as long as the scan */
    struct arena_budget budget; /* of work and scratch */
    struct expr_scope scope;
    struct unit *units;
    size_t unit_count, unit;
    size_t *active; /* newest first: units of which some blocks were read */
    size_t active_count, fresh; /* the first unit that was never looked at */
    bool begun;           /* the unit at hand is open */
    struct segment *segment;
    uint64_t bytes_counted; /* of it, in stats */
    uint32_t slice;         /* rows of a block that memory has room for; 0: all */
    struct scan_place place; /* of the rows that were given last */
    uint32_t rows_done;     /* of the block at hand, when they come in slices */
    int64_t before_ns;      /* newest first: the time of the row before the last slice */
    uint32_t block;       /* next of the unit, counted in reading order */
    const struct mem_part **parts;
    struct scan_newest newest;
    struct scan_stats stats;
};

bool scan_in_streams(const struct scan_request *request, struct slice stream);
bool scan_in_time(const struct scan_request *request, int64_t low, int64_t high);
bool scan_inside_time(const struct scan_request *request, int64_t low, int64_t high);

/* True when the failure is the disk's or the bytes': it is noted, and the scan goes on. */
bool scan_is_damage(const struct err *err);
void scan_note_damage(struct scan *scan, const struct store_segment *segment, struct slice column,
                      int64_t low, int64_t high, uint64_t rows, const struct err *err);

/* Of the selected rows those that may be among the newest ones wanted. */
void scan_keep_newest(struct scan *scan, uint64_t *selected, uint32_t row_count,
                      int64_t (*time_at)(const void *context, uint32_t row), const void *context);

/* The next slice of a block, *done rows of which were given; 1 rows, 0 none of these, -1. A slice that
 * memory has no room for is halved, and so are those behind it. A share of a scan leaves that to who
 * goes on alone (store/scan_pool.h). *done is 0 when the block has nothing more to give. */
MUST_USE int scan_read_block(struct scan *scan, uint32_t index, uint32_t *done,
                             struct scan_rows *out, struct err *err);
bool scan_wants(const struct scan_request *request, struct slice name);
bool scan_wants_any(const struct scan_request *request);
