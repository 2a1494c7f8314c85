#pragma once
/*
 * search/cli: "hinomi search". Exit status 0 done, 1 the search failed, 2 wrong usage.
 *
 *   --data FILE [--data-dir DIR]   rows of a file; other tables are in the folder
 *   --format table|json|jsonl|csv  --from T  --to T  --tz ZONE  --limit N  --explain
 *   --threads N                    that read the store; else one a processor, up to SCAN_THREADS_MAX
 *   --plan naive                   without any shortcut, to check an answer (search/naive.h)
 *   --parse-only                   reads SPL on standard input and only checks it
 */
#include "search/source.h"

int search_main(int argc, char **argv);

/* The same over any backend (the store's); argv starts behind "search". A NULL backend: --data. */
int search_main_with(int argc, char **argv, const struct search_backend *backend);
