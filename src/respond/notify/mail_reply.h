#pragma once
/*
 * respond/notify/mail_reply: what is looked for in a mail that came back: the mark of the notice it answers, "[HIN:token]",
 * and whose answer it is. The mark may stand in the subject (RFC 2047 words, folded) or in any part of text, quoted or not,
 * in quoted-printable or base64, in UTF-8, ISO-2022-JP or any encoding that iconv knows.
 *
 * Ownership  Texts live in the arena or borrow from the mail.
 * Limits     MAILBOX_PARTS_MAX parts; parts in parts to a depth of 8.
 * Errors     None: a mail that cannot be read has no token.
 * Sources    RFC 5322, 2045, 2046, 2047, 3834 (what answers by itself).
 */
#include "base/arena.h"
#include "base/slice.h"

enum { MAIL_TOKEN_LEAST = 8, MAIL_TOKEN_MOST = 128 };

struct mail_reply_found {
    struct slice token; /* letters, digits, - and _; or none */
    struct slice from;  /* "sato@example.jp"; or none */
    bool automatic;     /* written by a program: away, not delivered; nobody has answered */
};

/* mail: header and body as they came, perhaps cut at the end. */
void mail_reply_read(struct slice mail, struct arena *arena, struct mail_reply_found *out);
