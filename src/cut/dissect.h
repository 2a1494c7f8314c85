#pragma once
/*
 * cut/dissect: text cut at literals, without backtracking.
 *
 *   %{source.ip} %{?ident} %{user.name} [%{_stamp}] "%{_request}" %{_status->} %{_rest}
 *
 *   %{name}     up to the literal that follows (the end when none does)
 *   %{name->}   likewise, and the literal may be repeated behind it
 *   %{} %{?x}   cut but not kept
 *
 * Ownership  Lives in the arena given to dissect_compile().
 * Threads    Read-only.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { DISSECT_KEYS_MAX = 64 };

struct dissect_part {
    struct slice key;     /* empty: not kept */
    struct slice literal; /* behind it; empty only for the last */
    bool repeated;
};

struct dissect {
    struct slice prefix; /* the literal at the start */
    struct dissect_part *parts;
    size_t count;
};

MUST_USE int dissect_compile(struct slice pattern, struct arena *arena, struct dissect *out,
                             struct err *err);
/* values[i] belongs to parts[i]. False when a literal is missing. */
bool dissect_match(const struct dissect *dissect, struct slice text,
                   struct slice values[DISSECT_KEYS_MAX]);
