#pragma once
/*
 * search/parts: the first commands of a search by several threads, each with its part of the rows.
 *
 *   source, part 0 ─ where, eval ... ─ stats ┐ the search's own pipeline, on its thread
 *   source, part 1 ─ where, eval ... ─ stats ┴─ taken in when all rows are read ─► what stands behind stats
 *
 * The answer is that of one thread: only functions whose states merge exactly, whatever the order of rows,
 * behind commands that keep nothing from row to row (COMMAND_SPREADS). What only one thread can do may show while
 * rows are read: doubles that are added up, lookup(), groups or blocks for which a share of the memory is too
 * little, a thread that cannot be started. Then the parts end, their groups are taken in, and the search's thread
 * goes on with the rest of the rows in their order, all memory and the temporary file. Only when memory is out in
 * the midst of rows the search begins anew on one thread.
 *
 * Ownership  The search's. A part has arenas and a share of the budget of its own; what it has grouped lives
 *            until the stage that groups is released.
 * Threads    The search's thread calls all of this, and works on part 0. A preview shows what that one has.
 */
#include "search/run_inside.h"

struct parts;

/* After the pipeline is built. search->parts stays NULL where one thread is as good. */
MUST_USE int parts_plan(struct search *search, struct err *err);
/* As reading a batch; 1 also while the others are waited for, for some milliseconds a call. -1 with
 * parts_given_up(): begin anew. */
MUST_USE int parts_read(struct search *search, struct err *err);
/* Of a part at work: whether it is to read in slices, since memory may get short, and whether it is to stop. */
bool parts_near_end(const struct search *part);
bool parts_stop(const struct search *part);
/* Finishing failed: gives the parts up if it was for want of memory, and nothing was handed on yet. */
void parts_note_end(struct search *search, const struct err *err);
/* Why; NULL: they are not. Lives as long as the program. */
const char *parts_given_up(const struct search *search);
/* How many threads, and why not to the end; nothing without parts. */
void parts_explain(const struct search *search, struct buffer *to);
/* Ends the threads and frees what they hold. */
void parts_free(struct search *search);
