#pragma once
/*
 * search/commands/csv_file: files in the csv folder beside the events; inputcsv and outputcsv.
 *
 * CSV as RFC 4180 has it. A field with several values stands in its cell line by line, and once more in
 * a column __mv_NAME as $first$;$second$ ($ doubled), so that it comes back as it was.
 */
#include "search/rows.h"

/* The path of a file by its name, .csv added when it has no ending; -1 for names that could lead out of
 * the folder. */
MUST_USE int csv_file_path(struct run *run, struct slice name, struct slice *out, struct err *err);
MUST_USE int csv_file_read(struct run *run, struct slice path, struct batch **out, struct err *err);
MUST_USE int csv_file_write(struct run *run, struct slice path, const struct batch *rows,
                            struct err *err);
