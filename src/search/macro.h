#pragma once
/*
 * search/macro: `name(argument, "argument, 2")` replaced by its definition, as text, before parsing.
 *
 *   `web` | stats count       index=web status=500 | stats count
 *   ^^^^^ piece "web"         ^^^^^^^^^^^^^^^^^^^^
 *
 * Ownership  What is made lives in the arena.
 * Limits     MACRO_DEPTH_MAX, QUERY_BYTES_MAX of what comes out, KNOW_ARGS_MAX.
 * Errors     -1 with the range of the macro's call in text.
 */
#include "base/arena.h"
#include "base/err.h"
#include "know/know.h"

/* From start on (up to the next piece) the text was made by a macro, or stood there itself. */
struct macro_piece {
    size_t start;
    struct slice name; /* SLICE_NONE: it stood there, at byte from */
    size_t from, to;   /* of a macro: its call in the text that people wrote */
};
struct macro_text {
    struct slice text;
    const struct macro_piece *pieces; /* NULL: there was no macro, the text is as written */
    size_t count;
};

MUST_USE int macro_expand(struct slice text, struct arena *arena, const struct knowledge *knowledge,
                          struct slice person, struct macro_text *out, struct err *err);
/* Comments become blanks and line breaks inside of quotes too, so positions stay as they are. */
MUST_USE int macro_blank_comments(char *text, size_t len, struct err *err);
/* An error about the text that came out: its range becomes one of what people wrote, and a sentence
 * about what a macro stands for names the macro. */
void macro_place(const struct macro_text *expanded, struct err *err);
