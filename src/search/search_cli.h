#pragma once
/*
 * search/cli: "hinomi search". Exit status 0 done, 1 the search failed, 2 wrong usage.
 *
 *   --data FILE [--data-dir DIR]   rows of a file; other tables are in the folder
 *   --format table|json|jsonl|csv  --from T  --to T  --tz ZONE  --limit N
 *   --explain                      the plan, and what the search cost beside what was said before
 *   --estimate                     only what it would cost (search/estimate.h); --format json: as an object
 *   --threads N                    that read the store; else one a processor, up to SCAN_THREADS_MAX
 *   --plan naive                   without any shortcut, to check an answer (search/naive.h)
 *   --content DIR                  definitions (docs/knowledge.md) in DIR/content/search, DIR/search or
 *                                  DIR itself
 *   --macros FILE                  definitions of one file
 *   --parse-only                   reads SPL on standard input and only checks it; macros stay
 *   --plan-only                    the same with macros replaced: says in a line what cannot be run;
 *                                  needs no data
 */
#include "search/source.h"

struct know_builder;

/* What the program around knows; zero for nothing. */
struct search_setting {
    const struct search_backend *backend; /* the store's; NULL: --data */
    struct know_builder *knowledge;       /* definitions so far; taken over. NULL: none */
    const struct search_backend *tables;  /* lookup tables beside the backend, or NULL */
    const struct search_writer *writer;   /* NULL: --data-dir's folder may be written to */
    const struct search_states *states;   /* tables of the rules, for --data-dir; NULL: none */
};

/* argv[0] is the command's name. */
int search_main(int argc, char **argv, const struct search_setting *setting);
