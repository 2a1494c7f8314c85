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
struct late_archive {
    __typeof__(archive_read_new) *read_new;
    __typeof__(archive_read_support_filter_all) *read_support_filter_all;
    __typeof__(archive_read_support_format_zip) *read_support_format_zip;
    __typeof__(archive_read_support_format_tar) *read_support_format_tar;
    __typeof__(archive_read_support_filter_bzip2) *read_support_filter_bzip2;
    __typeof__(archive_read_support_filter_xz) *read_support_filter_xz;
    __typeof__(archive_read_support_format_raw) *read_support_format_raw;
    __typeof__(archive_read_open_filename) *read_open_filename;
    __typeof__(archive_read_open) *read_open;
    __typeof__(archive_read_next_header) *read_next_header;
    __typeof__(archive_read_data) *read_data;
    __typeof__(archive_read_free) *read_free;
    __typeof__(archive_error_string) *error_string;
    __typeof__(archive_entry_pathname_utf8) *entry_pathname_utf8;
    __typeof__(archive_entry_filetype) *entry_filetype;
};

/* NULL and an error when it cannot be loaded. */
const struct late_archive *late_archive(struct err *err);
