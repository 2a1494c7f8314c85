#pragma once
/* cut/csv: the cells of one line (RFC 4180), with any one-byte separator. */
#include "base/arena.h"
#include "base/slice.h"

struct csv {
    struct slice rest;
    char separator;
    bool more; /* set to true at the start */
};

struct csv_cell {
    struct slice text;
    bool escaped; /* has doubled quotes: csv_unescape() */
};

/* Takes the next cell; an empty line is one empty cell. False at the end. */
bool csv_next(struct csv *csv, struct csv_cell *out);
MUST_USE struct slice csv_unescape(struct slice text, struct arena *arena);
