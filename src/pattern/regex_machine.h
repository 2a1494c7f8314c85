#pragma once
/*
 * pattern/regex_machine: where a regular expression may match in a text that is only known in parts,
 * told by an automaton instead of by matching.
 *
 *   pattern   port (?<p>[0-9]+)$        positions   p o r t ␣ [0-9]
 *
 * A position is a byte of the pattern, or a class of bytes; the machine knows which may follow which
 * (V. M. Glushkov, "The abstract theory of automata", 1961). What is not a question of bytes is taken as
 * fulfilled: assertions, references to groups, the reach of atomic groups. So a machine that finds no
 * match is right, and one that finds some may be wrong.
 *
 * Syntax: pcre2pattern(3), bytes, as regex_new() without flags takes it.
 * Ownership  The machine lives in its arena. Threads: read-only once all patterns are added.
 * Limits     REGEX_POSITIONS_MAX.
 */
#include "base/arena.h"
#include "base/limits.h"

struct regex_machine;
enum { REGEX_POSITION_WORDS = REGEX_POSITIONS_MAX / 64 };

struct byte_set {
    uint64_t bits[4];
};
void byte_set_add(struct byte_set *set, unsigned char byte);
void byte_set_add_text(struct byte_set *set, struct slice text);
void byte_set_fill(struct byte_set *set);

MUST_USE struct regex_machine *regex_machine_new(struct arena *arena);
/* Finds matches of this pattern, too. False when that cannot be told of it: it may match the empty
 * text, it has something unusual, or is too long; then the machine is of no use. */
MUST_USE bool regex_machine_add(struct regex_machine *machine, struct slice pattern);
/* What is around a match has no say in it: the bytes in which all matches lie give the same ones. */
bool regex_machine_is_closed(const struct regex_machine *machine);
/* The bytes that a match may have at its first places, for each of them; how many places there are of which
 * something is known, most at best. */
unsigned regex_machine_beginning(const struct regex_machine *machine, struct byte_set *places, unsigned most);
/* All positions. */
void regex_machine_all(const struct regex_machine *machine, uint64_t out[REGEX_POSITION_WORDS]);
/* How many different bytes a match may begin (backward: end) with: few are passed by quickly. */
unsigned regex_machine_starts(const struct regex_machine *machine, bool back);

/* A walk over a text, part by part, from its start, or from its end backward. */
struct regex_walk {
    const struct regex_machine *machine;
    bool back;
    bool hit; /* in the last part a match may end (backward: begin) */
    uint64_t live[REGEX_POSITION_WORDS]; /* positions that the last byte may have been */
    uint64_t from[REGEX_POSITION_WORDS], sum[REGEX_POSITION_WORDS]; /* of a branch */
    bool sum_hit;
};
void regex_walk_begin(struct regex_walk *walk, const struct regex_machine *machine, bool back);
/* The next part is this. */
void regex_walk_text(struct regex_walk *walk, struct slice text);
/* All that may be live anywhere in the next part. */
void regex_walk_through(struct regex_walk *walk, struct slice text);
/* The next part is any text in which so much may begin; of matches that lie inside it nothing is said. */
void regex_walk_across(struct regex_walk *walk, const uint64_t begun[REGEX_POSITION_WORDS]);
/* The next part has only such bytes, any number of them. */
void regex_walk_bytes(struct regex_walk *walk, const struct byte_set *bytes);
/* The next part is one of the texts between branch and join. */
void regex_walk_branch(struct regex_walk *walk);
void regex_walk_choice(struct regex_walk *walk, struct slice text);
void regex_walk_join(struct regex_walk *walk);
