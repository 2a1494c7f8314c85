#pragma once
/*
 * collect/exported_reader: a file that `hinomi export --format ndjson` wrote, as deliveries. Each record is an
 * event's original bytes with the whole line as the hint "exported"; stream, input and time of
 * receipt are those of the event, so a delivery ends where they change.
 *
 * Ownership  A delivery's slices live until the next call.
 * Threads    One at a time.
 * Limits     EXPORT_LINE_BYTES_MAX a line.
 * Errors     -1 names the path. A line that is no exported event is left out, counted and told in the report.
 */
#include "collect/files/file_reader.h"

struct exported_reader;

struct exported_report {
    uint64_t refused;       /* lines left out */
    uint64_t first_refused; /* number of the first */
    char problem[200];      /* what was wrong with it */
};

MUST_USE int exported_reader_open(const char *path, struct exported_reader **out, struct err *err);
void exported_reader_close(struct exported_reader *reader); /* NULL is fine */
/* As file_reader_next. */
MUST_USE int exported_reader_next(struct exported_reader *reader, struct delivery *out,
                                  struct err *err);
const struct file_reader_report *exported_reader_report(const struct exported_reader *reader);
const struct exported_report *exported_reader_refused(const struct exported_reader *reader);
