#pragma once
/*
 * base/unescape: texts that were escaped for their way, back as they were.
 *
 * What is no escape stays as it is; nothing fails but memory. Results live in the arena, or are the text
 * itself when it has nothing to undo.
 * Threads  any
 * Errors   SLICE_NONE: memory is out, or (base64, hex) the text is none of that.
 */
#include "base/arena.h"
#include "base/slice.h"

/* What stands behind the mark of an escape, from `at` on: writes what it means to *to, which has room for as many bytes as
 * are read; their number, 0 when it is no escape. */
typedef size_t unescape_read(struct slice text, size_t at, char **to);
MUST_USE struct slice unescape_each(struct slice text, char mark, unescape_read *read, struct arena *arena);

/* "%41", and '+' as a space (application/x-www-form-urlencoded). */
MUST_USE struct slice unescape_url(struct slice text, struct arena *arena);
/* \n \r \t \b \f \0 \" \' \\ \/, \xNN, \uNNNN (with surrogate pairs, as UTF-8), \NNN in octal. */
MUST_USE struct slice unescape_backslash(struct slice text, struct arena *arena);
/* \040 and no other. */
MUST_USE struct slice unescape_octal(struct slice text, struct arena *arena);
/* RFC 4648, sections 4 and 5 (both alphabets), padded or not, white space between. */
MUST_USE struct slice unescape_base64(struct slice text, struct arena *arena);
/* Two digits a byte. */
MUST_USE struct slice unescape_hex(struct slice text, struct arena *arena);

/* 0..15, or -1. */
int unescape_hex_digit(char c);
/* Of RFC 4648, section 4: 0..63, or -1. */
int unescape_base64_digit(char c);
