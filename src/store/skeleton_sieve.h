#pragma once
/*
 * store/skeleton_sieve: which skeletons a regular expression may match, and in which of their parts, told
 * from what stands between their slots and what the slots can say; no text is put together.
 *
 *   pattern   "(GET|POST) ([^ "]+)          skeleton   … - ["[slot] [slot]" [slot] "[slot]"
 *                                           from ──────────^───────────^ to
 *
 * A slot says its own texts or those of its column where they are few, else any text of their bytes.
 * Doubt counts as yes (pattern/regex_machine.h).
 *
 * Threads  One; everything lives in the reader's arena.
 */
#include "pattern/regex_machine.h"
#include "store/skeleton_reader.h"

/* A question to a column's texts. */
struct skeleton_match {
    const struct regex_machine *machine;
    bool whole; /* texts are wanted whole; else from the first part that a match may touch to the last */
};

/* Texts of some rows, ascending. */
struct skeleton_texts {
    uint32_t count;
    uint32_t *rows;
    struct value *values;
};

/* skeleton_read.c: the texts of the rows in wanted (NULL: all) that may match, of a SKELETON. From now on
 * the column's peers want no other rows. */
MUST_USE int skeleton_read_matching(struct segment_column *column, const uint64_t *wanted,
                                    const struct skeleton_match *match, struct arena *arena,
                                    struct skeleton_texts *out, struct err *err);

/* Marks skeletons that are not yet but will never match, and sets the parts of the others. Texts that
 * slots keep are loaded when one of these has any. */
MUST_USE int skeleton_sieve(struct skeleton_reader *reader, const struct skeleton_match *match,
                            struct err *err);
bool skeleton_is_any_left(const struct skeleton_reader *reader); /* that may match */
