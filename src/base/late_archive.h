#pragma once
/*
 * base/late_archive: libarchive, loaded when the first archive is read: with the libraries behind it it takes
 * longer to load than most commands take in all.
 *
 * Ownership  The library stays loaded.
 * Threads    Any.
 * Errors     ERR_CONFIG when it is not installed.
 */
#include "base/err.h"

#include <archive.h>
#include <archive_entry.h>

/* The functions by their names without "archive_". */
#define LATE_ARCHIVE(X)                                                                        \
    X(read_new) X(read_support_filter_all) X(read_support_format_zip)                          \
    X(read_support_filter_bzip2) X(read_support_filter_xz) X(read_support_format_raw)          \
    X(read_support_format_tar) X(read_open_filename) X(read_open) X(read_next_header)          \
    X(read_data) X(read_free) X(error_string) X(entry_pathname_utf8) X(entry_filetype)

struct late_archive {
#define MEMBER(name) __typeof__(archive_##name) *name;
    LATE_ARCHIVE(MEMBER)
#undef MEMBER
};

/* NULL and an error when it cannot be loaded. */
const struct late_archive *late_archive(struct err *err);
