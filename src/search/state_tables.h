#pragma once
/*
 * search/state_tables: the tables that rules keep of the events that went by (table/state.h,
 * content/state/), as lookup tables: inputlookup state:wallet, lookup state:wallet key AS wallet.address.
 *
 * They belong to the pipeline's thread, so what is read is the newest checkpoint on disk (flow/checkpoint.h),
 * a message says of when. Columns are key and the table's fields, rows ascend by key; windows (sums, counts,
 * means) are as of the newest event that the rules had seen.
 *
 * Threads  Any number of searches at once.
 */
#include "search/stage.h"

struct state_definitions; /* table/state.h */

/* What was remembered, in an arena. */
struct state_copy {
    struct slice bytes; /* for state_load(); empty: nothing yet */
    int64_t time_ns;    /* of the newest event seen */
    uint64_t position;  /* of the journal */
};

struct search_states {
    const struct state_definitions *definitions;
    /* memory: search_files.memory. */
    int (*read)(const char *memory, struct arena *arena, struct state_copy *out, struct err *err);
};

/* Whether a lookup table's name means a table of the rules: state:NAME. */
bool state_tables_has(struct slice name);
/* Its rows, in run->arena. ERR_NOT_FOUND names those that there are. */
MUST_USE int state_tables_rows(struct run *run, struct slice name, struct batch **rows,
                               struct err *err);
