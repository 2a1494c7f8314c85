#pragma once
/*
 * app/broken_note: says which events of a file could not be decoded: a sentence on standard error
 * for the first one of a file, and how many more there were. They are kept as they came.
 *
 * Threads  One at a time.
 */
#include "event/batch.h"

struct broken_note {
    char path[4096];
    uint64_t first_seq; /* of that file's first event */
    uint64_t more;      /* broken ones behind the first */
    bool said;
};

/* Batches in the order of their files; the file is the rows' origin. */
void broken_note_batch(struct broken_note *note, const struct batch *batch);
void broken_note_end(struct broken_note *note);
