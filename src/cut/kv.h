#pragma once
/*
 * cut/kv: key=value pairs, one after the other. Values may be in quotes (with the quote and backslashes
 * escaped by a backslash inside) or run to the next separator.
 *
 *   a=1 b="two words" c=          a = 1, b = two words, c = ""
 *   a=one word b=two words        with spaces: a = one word, b = two words
 *   a: one word, b: two           separator ", " and equals ':': a = one word, b = two
 *
 * Words without '=' are passed over. Linear in the text.
 */
#include "base/arena.h"
#include "base/slice.h"

struct kv {
    struct slice rest;
    struct slice separator; /* between pairs; runs of it are one */
    char equals;            /* between key and value */
    struct slice quotes;    /* each of these bytes opens a value that it closes */
    bool spaces;            /* a value runs until the next " word=" */
};

struct kv_pair {
    struct slice key, value;
    bool escaped; /* value has backslashes: kv_unescape() */
};

/* Takes the next pair. False at the end. */
bool kv_next(struct kv *kv, struct kv_pair *out);
/* A quote, a bracket, a separator or a backslash behind a backslash is itself; before anything else the backslash stays. */
MUST_USE struct slice kv_unescape(struct slice value, struct arena *arena);

/* Where a value that may hold separators ends: before the last separator in front of the next word that has
 * an unescaped equals behind it, or at the end. *escaped is set when it has backslashes. */
size_t kv_spaced_end(struct slice text, char separator, char equals, bool *escaped);
