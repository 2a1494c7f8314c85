#pragma once
/*
 * collect/poll_round: an HTTP API read round by round.
 *
 *   round:  from (the last round's end, less the overlap) .. to (now, less the delay; at most a window later)
 *     for each day and each of `each`: pages, one after the other
 *       for each record that was not seen: into the delivery
 *       or, of a list: for each entry that was not seen: fetch it, its records into the delivery
 *
 * A delivery holds records, and how far it came with them (collect/remote/poll_state.h): both are durable together or not at all.
 *
 * Threads  One: the reader's; poll_round_gaps() any.
 */
#include "collect/remote/poll_fetch.h"
#include "collect/remote/poll_page.h"
#include "collect/remote/poll_state.h"

#include <stdatomic.h>

enum poll_paging { POLL_ONE_PAGE, POLL_LINK, POLL_HEADER, POLL_URL, POLL_CURSOR, POLL_PAGE_NUMBER, POLL_OFFSET };

struct poll_round {
    struct reader_thread *reader;
    struct poll_fetch fetch;
    struct poll_state state;
    struct poll_form list, entries; /* entries: of what is fetched */
    enum poll_paging paging;
    bool fetches;                   /* the records are entries of a list */
    bool by_day;
    struct arena *page_arena, *entry_arena;
    uint32_t record_count;
    int64_t given_ns;               /* by the clock that never goes back */
    atomic_ulong gaps;              /* entries that were listed and are not to be had */
};

MUST_USE int poll_round_init(struct poll_round *round, struct reader_thread *reader, struct err *err);
void poll_round_close(struct poll_round *round); /* zeroed memory is fine */

/* Goes on behind what is durable; from `start` ago when nothing is. False: it is to stop. */
bool poll_round_resume(struct poll_round *round);
/* Once at the start: prepare_url. False: it is to stop. */
bool poll_round_prepare(struct poll_round *round);
/* One round. False: it is to stop. *behind: another one can follow at once. */
bool poll_round_run(struct poll_round *round, bool *behind);

MUST_USE int poll_round_check(const struct collector_settings *settings, struct err *err);
