#pragma once
/*
 * schedule/fill: texts with {names} in them, as questions have: "{count} times since {time first}", {{ and }} are braces.
 *
 * Ownership  Pieces borrow from the text.
 * Errors     -1 and a sentence: a brace that is not closed, an empty name, more than FILL_WORDS_MAX words.
 */
#include "base/buffer.h"
#include "base/err.h"

enum { FILL_WORDS_MAX = 3 };

struct fill_piece {
    struct slice text; /* word_count 0: as it stands */
    struct slice words[FILL_WORDS_MAX];
    size_t word_count;
};

/* 1: the next piece, taken off *rest; 0: the end; -1. */
MUST_USE int fill_next(struct slice *rest, struct fill_piece *out, struct err *err);

/* A value of anybody's as a literal of the search language: quoted, and no star, quote or backslash of it means anything.
 * -1: it has a line break, which the search language reads as a blank, so the answer would be about another value. */
MUST_USE int fill_put_literal(struct buffer *to, struct slice value, struct err *err);
/* A value for people: at most bytes_max, at the end of a character, then "…". */
void fill_put_shown(struct buffer *to, struct slice value, size_t bytes_max);
