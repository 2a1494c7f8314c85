#pragma once
/*
 * store/words: which words the texts of a block have, as a filter: a term that is in none of them is
 * in no row, and nothing of the block needs to be read.
 *
 * A word is a run of letters, digits and bytes from 0x80 on, folded. Added are texts as they are kept:
 * entries of dictionaries, fixed parts of skeletons, what slots keep as text. What is kept as numbers
 * is not (words_may_have knows what numbers can say), and no word reaches over the edge of a slot
 * (skeleton.h sees to that).
 *
 * Threads  One writer.
 * Limits   WORDS_MAX different words; beyond, the block has no filter.
 */
#include "store/trigrams.h"

#include <stdint.h>

enum { WORDS_MAX = 1 << 20 };

struct words;

MUST_USE struct words *words_new(void); /* NULL: memory is out, and there will be no filter */
void words_free(struct words *words);   /* NULL is fine */
void words_clear(struct words *words);
/* NULL words is fine. */
void words_add(struct words *words, struct slice text);
/* The filter's bytes in the arena; SLICE_NONE when there are none, or too many words. */
struct slice words_filter(const struct words *words, struct arena *arena);

/* The words' trigrams, until the next call that changes them; SLICE_NONE as for the filter. */
struct slice words_trigrams(const struct words *words);

/* The next word of a folded text, which moves past it; false at its end. */
bool words_next(struct slice *text, struct slice *word);
/* So many bytes at the start of a run may be the end of an escape (\n, \u00e9), which stands for another
 * byte: with them there is no telling. */
size_t words_escape_end(struct slice run);
/* Numbers in any base, addresses and times print such words without their being kept as text, so the
 * filters are not asked for them, and need not have them. */
bool words_may_be_printed(struct slice word);

/* False only when certainly no text of the block has a term with these words, each between breakers.
 * term is folded. */
bool words_may_have(struct slice filter, struct slice term);
