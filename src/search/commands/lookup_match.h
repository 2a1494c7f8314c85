#pragma once
/*
 * search/commands/lookup_match: which rows of a table a row meets, as its definition has it (know/know.h):
 * in any case, by patterns or networks in the table, by time, at most so many.
 *
 *   our keys ─► group (each combination once) ─► exact fields: index of the table
 *                                                other fields: each candidate's pattern or network
 *
 * Ownership  Everything lives in run->arena, lists of one frame in the frame's.
 */
#include "search/group.h"
#include "search/hold.h"

struct field_pair {
    struct slice theirs, ours;
};

struct lookup_list {
    const uint32_t *rows; /* of the table, in its order; by time: the nearest first */
    uint32_t count;
};

struct lookup_match;

/* spec NULL: all keys match exactly, in case too. name is for messages; time is our field with the time. */
MUST_USE int lookup_match_new(struct run *run, const struct spl_command *command, struct slice name,
                              const struct know_lookup *spec, const struct batch *rows,
                              const struct field_pair *keys, size_t count, struct slice time,
                              struct lookup_match **out, struct err *err);
/* By row of the frame; a row with several values in a key meets what any of them does. */
MUST_USE int lookup_match_rows(struct lookup_match *match, const struct frame *frame,
                               struct lookup_list **out, struct err *err);
