#pragma once
/*
 * cut/journal_export: the entries of systemd's journal as `journalctl -o export` and systemd-journal-remote give
 * them, and the fields of one entry.
 *
 *   __CURSOR=s=1;i=2            a field of one line
 *   MESSAGE                     a field that holds line ends or bytes that are no text:
 *   <8 bytes: length, little-endian><that many bytes>
 *                               a blank line ends the entry
 *
 * Ownership  Records, names and values are parts of the text.
 * Threads    A state belongs to one thread.
 * Limits     An entry over the limit that the caller gives comes in parts of at most that size, cut between two fields
 *            where that is possible; only what the caller holds is looked at.
 * Source     systemd, "Journal Export Formats" (systemd.io/JOURNAL_EXPORT_FORMATS).
 */
#include "base/slice.h"

#include <stdint.h>

/* All zero: at the beginning of a text. */
struct journal_export {
    uint64_t left; /* bytes of a field with a length that are still to come, with its line end */
    bool in_line;  /* the text goes on within a field of one line */
    bool in_entry; /* parts of the present entry were given */
};

struct journal_record {
    struct slice bytes; /* without the blank line */
    bool part;          /* of an entry over the limit */
};

/* Whether a text that begins so holds entries. */
bool journal_export_detect(struct slice head);

/* The next entry, or part of one over entry_max, of a text that goes on where the last call left it: *used bytes are
 * done with, in any case. False: text has to be longer for that (entry_max bytes are always enough), or there is none
 * any more. With all, no more text follows; what is not whole then is a record all the same. */
bool journal_export_next(struct journal_export *state, struct slice text, bool all, size_t entry_max, size_t *used,
                         struct journal_record *out);

/* The next field of an entry, which *entry is shortened by. Lines that are
 * no fields are passed over. False at the end, or at a field that is cut off, which is in *entry then. */
bool journal_export_field(struct slice *entry, struct slice *name, struct slice *value);
