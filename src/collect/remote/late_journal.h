#pragma once
/*
 * collect/late_journal: libsystemd's reader of the journal, loaded when a collector of that kind is opened: it is not
 * on every machine, and is under the LGPL.
 *
 * Ownership  The library stays loaded.
 * Threads    Any; a journal belongs to one thread.
 * Errors     ERR_CONFIG when it is not installed.
 * Source     sd-journal(3).
 */
#include "base/err.h"

#include <systemd/sd-journal.h>

/* The functions by their names without "sd_journal_". */
#define LATE_JOURNAL(X)                                                                        \
    X(open) X(open_directory) X(close) X(add_match) X(add_conjunction) X(add_disjunction)      \
    X(set_data_threshold) X(seek_head) X(seek_tail) X(seek_cursor) X(test_cursor) X(next)      \
    X(previous) X(get_cursor) X(get_realtime_usec) X(get_monotonic_usec)                       \
    X(enumerate_available_data) X(restart_data) X(wait)

struct late_journal {
#define MEMBER(name) __typeof__(sd_journal_##name) *name;
    LATE_JOURNAL(MEMBER)
#undef MEMBER
};

/* NULL and an error when it cannot be loaded. */
const struct late_journal *late_journal(struct err *err);
