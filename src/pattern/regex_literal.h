#pragma once
/*
 * pattern/regex_literal: bytes that every match of a regular expression has in it, read off the
 * pattern: a text without them need not be matched.
 *
 * Syntax: pcre2pattern(3). What is not certain is left out; a pattern with anything unusual (verbs,
 * option settings, numeric escapes, \Q) has no literal.
 */
#include "base/arena.h"

/* The longest one, in the arena, or empty. Matching may be caseless: the literal is as it is written. */
struct slice regex_literal(struct slice pattern, struct arena *arena);

/* Whether it makes a difference that characters may have several bytes. True when in doubt. */
bool regex_minds_characters(struct slice pattern, bool caseless);
