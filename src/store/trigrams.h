#pragma once
/*
 * store/trigrams: which three bytes follow one another in the words of a block (words.h), as a bit each: a
 * text that is looked for inside others is certainly not there when one of its own is missing. It works
 * for any script: a character of Japanese is three bytes.
 *
 *   letters and digits    36 * 36 * 36 numbers, one each
 *   others                a hash
 *
 * Threads  One writer.
 */
#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

enum { TRIGRAMS_BYTES = 8192 };

struct trigrams {
    uint8_t bits[TRIGRAMS_BYTES];
};

/* A folded word. */
void trigrams_add(struct trigrams *trigrams, struct slice word);
/* False only when certainly no text of the block has the folded text in it. bits: TRIGRAMS_BYTES; of
 * another size: true. */
bool trigrams_may_have(struct slice bits, struct slice text);
