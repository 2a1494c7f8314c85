#pragma once
/*
 * decode/condition: the condition of a step ("when", "if"). What decoders ask most, whether a field is there
 * and whether it is a certain text, is answered from the event's columns; the rest is expr/expr's, and is not
 * asked at all where the only field that it reads is missing. The answers are those of expr_eval().
 *
 * Ownership  All of it lives in the arena of the compiler.
 * Threads    Read-only after compiling.
 */
#include "decode/decoder.h"

struct decoder_compiler; /* decode/verb.h */

enum condition_kind {
    CONDITION_ASK, /* the expression; NULL when field is given and missing */
    CONDITION_ALL, /* AND, OR of the parts */
    CONDITION_ANY,
    CONDITION_NOT,
    CONDITION_MISSING,
    CONDITION_THERE,
    CONDITION_EQUAL, /* to a text that is no number */
    CONDITION_NOT_EQUAL,
};

struct condition {
    enum condition_kind kind;
    uint32_t field; /* UINT32_MAX: several, or none */
    struct slice text;
    const struct expr *expr; /* all of it */
    const struct condition *parts;
    uint32_t part_count;
};

/* A field without which it never holds; UINT32_MAX: none is known. */
uint32_t condition_needs(const struct condition *condition);

/* -1 when memory or fields are out. */
MUST_USE int condition_compile(struct decoder_compiler *compiler, const struct expr *expr,
                               struct condition *out);
