#pragma once
/*
 * cut/encoding: text in another encoding than UTF-8 (thin over iconv): CP932, EUC-JP, UTF-16LE, ...
 * The event keeps its own bytes; decoders read this form.
 *
 * Ownership  The result lives in the arena.
 * Threads    A converter belongs to one thread.
 * Errors     Bytes that mean nothing in the encoding become U+FFFD, one each, and are told.
 */
#include "base/arena.h"
#include "base/slice.h"

#include <iconv.h>

enum { ENCODING_NAME_MAX = 40 };

/* The encoding last asked for stays open. Zeroed memory is a valid start. */
struct encoding {
    char name[ENCODING_NAME_MAX];
    iconv_t converter;
    bool open;
};

void encoding_close(struct encoding *encoding);
bool encoding_is_known(struct slice name);
/* SLICE_NONE when memory is out or the name is not known. *damaged is set, never cleared. */
struct slice encoding_to_utf8(struct encoding *encoding, struct slice name, struct slice text,
                              struct arena *arena, bool *damaged);

/* The encoding that a line seems to be written in: one of the three that Japanese systems used before UTF-8,
 * or SLICE_NONE when it is UTF-8 (ASCII is) or nothing that is known. Bytes that both CP932 and EUC-JP could
 * mean are taken for the one in which they are the more usual characters (JIS X 0208: kana and the kanji of
 * level 1 before the rest). Source: JIS X 0208, RFC 1468, Microsoft's code page 932. */
struct slice encoding_guess(struct slice text);
