#pragma once
/*
 * respond/notify/imap: as much of IMAP (RFC 9051, 3501) as reading new mails needs. A mail is peeked at, so it stays new
 * until it is marked.
 *
 * Ownership  Answers live in the arena of the conversation.
 * Threads    One at a time.
 * Limits     MAILBOX_ANSWER_BYTES of one answer, MAILBOX_MAIL_BYTES of a mail, MAILBOX_MAILS_MAX mails.
 * Errors     ERR_DENIED: the server said no; ERR_INPUT: what came is no IMAP; else as net/wire.
 */
#include "net/wire.h"

/* One answer: "* 3 FETCH (UID 4 BODY[] {5}" and five bytes and ")"; only the first literal is kept. */
struct imap_line {
    struct slice text;    /* up to the first literal's braces, without the line end */
    struct slice literal; /* or none */
};
/* The answer at the start of bytes: 1 and how long it is, 0 when there is more to come, -1 when it is none. */
int imap_take(struct slice bytes, struct imap_line *out, size_t *used);
/* The numbers of "* SEARCH 4 7 9"; false when it is none of these. */
bool imap_read_search(struct slice line, uint32_t *to, size_t max, size_t *count);

struct arena;
struct imap {
    struct wire *wire;
    struct arena *arena;
    struct buffer in; /* came and is not read yet */
    unsigned tag;
    uint32_t validity; /* of the numbers of this folder */
};

/* Takes the wire over, signs in and opens the folder. imap_end() in any case. */
MUST_USE int imap_begin(struct imap *imap, struct wire *wire, struct arena *arena, struct slice user, struct slice password,
                        struct slice folder, struct err *err);
void imap_end(struct imap *imap);
/* Numbers (UIDs) of mails from `first` on that nobody has read, ascending. */
MUST_USE int imap_search_new(struct imap *imap, uint32_t first, uint32_t *to, size_t max, size_t *count, struct err *err);
/* The mail's beginning; SLICE_NONE when it is not there any more. */
MUST_USE int imap_peek(struct imap *imap, uint32_t uid, struct slice *mail, struct err *err);
MUST_USE int imap_mark_seen(struct imap *imap, uint32_t uid, struct err *err);
