#pragma once
/*
 * pattern/wildcard: '*' (any run of bytes) and '?' (one code point) against
 * whole text. Linear in the text for any number of stars.
 *
 * The pattern is tokenised by the caller's dialect, since escapes differ.
 */
#include "base/arena.h"
#include "base/slice.h"

enum wildcard_kind { WILDCARD_LITERAL, WILDCARD_ANY, WILDCARD_ONE };

struct wildcard_part {
    enum wildcard_kind kind;
    struct slice text; /* of a LITERAL; already folded when the match is caseless */
};

struct wildcard {
    const struct wildcard_part *parts;
    size_t count;
    bool caseless; /* the text must be folded by the caller too */
};

bool wildcard_match(const struct wildcard *wildcard, struct slice text);

/* A cased pattern in which only '*' is special, as in configuration: "fw-*". Parts live in the arena and
 * borrow from text. False when memory is out. */
bool wildcard_from_stars(struct arena *arena, struct slice text, struct wildcard *out);
