#pragma once
/*
 * search/parser: SPL text to a query (docs/search.md).
 *
 * Ownership  The query lives in the arena and borrows nothing from text.
 * Limits     QUERY_BYTES_MAX, SUBSEARCH_DEPTH_MAX, COMMANDS_MAX.
 * Errors     -1: start and end are bytes of text (of what a macro stands for: of its call, and the
 *            sentence names it), suggestion is the nearest command, option or
 *            function where there is one.
 */
#include "know/know.h"
#include "search/command.h"

enum { SUBSEARCH_DEPTH_MAX = 16, COMMANDS_MAX = 1000 };

struct spl_options {
    bool keep_macros; /* `macros` may stand in the text: checked as far as possible, not run */
    const struct knowledge *knowledge; /* where macros are defined (know/know.h); NULL: nowhere */
    struct slice person;               /* whose own macros count, too */
};

MUST_USE int spl_parse(struct slice text, struct arena *arena, struct spl_query **out,
                       struct err *err);
MUST_USE int spl_parse_with(struct slice text, struct arena *arena,
                            const struct spl_options *options, struct spl_query **out,
                            struct err *err);
/* For subsearches: text is a part of the query that p stands in, start its place. */
MUST_USE int spl_parse_part(struct spl_parser *p, size_t start, size_t end, enum spl_part part,
                            const struct spl_query **out);
