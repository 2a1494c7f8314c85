#pragma once
/*
 * cut/line_join: which lines of a text belong to one record: stack traces, SQL over several lines, slow logs.
 *
 *   2026-03-01 09:00:00 ERROR it broke          begins a record
 *     at Main.run(Main.java:7)                  goes on with it
 *   2026-03-01 09:00:01 INFO  next              begins another
 *
 * Ownership  Whoever made the rule owns its regexes.
 * Threads    Read-only.
 */
#include "base/slice.h"
#include "pattern/regex.h"

struct line_join {
    const struct regex *begins;    /* a line that it matches begins a record */
    const struct regex *continues; /* or: one that it matches does not */
    bool by_stamp;                 /* or: one that begins with a time does */
};

bool line_join_begins(const struct line_join *join, struct slice line);

/* A date or a time of day among the first few bytes, perhaps behind a bracket or a syslog priority. */
bool line_has_stamp(struct slice line);

/* Whether the lines of this beginning of a file (its last line may be cut off) look as if those without a stamp
 * belong to the one before them. */
bool line_join_by_stamp(struct slice head);
