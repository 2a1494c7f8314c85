#pragma once
/*
 * search/newest: puts events newest first (@timestamp, then hinomi.seq) when their source does not.
 *
 *   block 10:00-11:00 ──► rows newer than what is still to come go on, from the newest
 *   block 09:30-10:02      rows from 10:00 to 10:02 wait for it, and are merged
 *
 * A source that sweeps (search/source.h) is read once, from the newest block to the oldest, and only
 * rows that a later block may stand between are held. Of any other source all rows are held.
 *
 * Memory  With a limit (head, rows_max) only about that many rows. More than memory has room for go
 *         to the temporary file (search/sorter.h).
 */
#include "search/stage.h"

struct wanted;

/* wanted: fields that the stages behind want; others may be left out. It lives as long as the stage. */
MUST_USE int stage_newest_first(struct run *run, struct stage *op, uint64_t limit,
                                const struct wanted *wanted, struct err *err);
/* What is pushed from now on is followed by no newer row than that; INT64_MAX: unknown. */
void newest_note(struct stage *op, int64_t later_max);

/* How many rows the commands behind can need at most; 0: unknown. */
uint64_t newest_limit(const struct spl_command *command, uint64_t rows_max);
