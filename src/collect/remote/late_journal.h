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
struct late_journal {
    __typeof__(sd_journal_open) *open;
    __typeof__(sd_journal_open_directory) *open_directory;
    __typeof__(sd_journal_close) *close;
    __typeof__(sd_journal_add_match) *add_match;
    __typeof__(sd_journal_add_conjunction) *add_conjunction;
    __typeof__(sd_journal_add_disjunction) *add_disjunction;
    __typeof__(sd_journal_set_data_threshold) *set_data_threshold;
    __typeof__(sd_journal_seek_head) *seek_head;
    __typeof__(sd_journal_seek_tail) *seek_tail;
    __typeof__(sd_journal_seek_cursor) *seek_cursor;
    __typeof__(sd_journal_test_cursor) *test_cursor;
    __typeof__(sd_journal_next) *next;
    __typeof__(sd_journal_previous) *previous;
    __typeof__(sd_journal_get_cursor) *get_cursor;
    __typeof__(sd_journal_get_realtime_usec) *get_realtime_usec;
    __typeof__(sd_journal_get_monotonic_usec) *get_monotonic_usec;
    __typeof__(sd_journal_enumerate_available_data) *enumerate_available_data;
    __typeof__(sd_journal_restart_data) *restart_data;
    __typeof__(sd_journal_wait) *wait;
};

/* NULL and an error when it cannot be loaded. */
const struct late_journal *late_journal(struct err *err);
