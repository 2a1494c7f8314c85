#pragma once
/*
 * search/commands/term_lists: texts as lists of numbered words, for cluster and patterns.
 *
 * Ownership  Everything lives in the arena.
 */
#include "search/rows.h"


struct term_list {
    uint32_t *ids;
    uint32_t count;
};

/* The next word of *text between delimiters; false at the end. */
bool term_next(struct slice *text, struct slice delims, struct slice *word);
/* Words of a text by number, the same number for the same word. ids has room for TERMS_MAX. */
MUST_USE int term_list_make(struct map *words, struct slice text, struct slice delims,
                            struct term_list *out);
/* All runs of three bytes instead of words. */
MUST_USE int term_list_ngrams(struct map *words, struct slice text, struct term_list *out);
/* Each number once, ascending. */
void term_list_sort(struct term_list *list);
/* How alike they are, 0 to 1: in order (longest common subsequence over the longer one), or as sets
 * that were sorted (cosine). */
double term_list_in_order(const struct term_list *a, const struct term_list *b);
double term_list_as_sets(const struct term_list *a, const struct term_list *b);
