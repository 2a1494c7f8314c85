#pragma once
/*
 * respond/notify/mailbox: reads the mailbox that notices come from and finds the mails that answer them.
 *
 *   every 15 s: sign in ─ new mails ─ peek ─ "[HIN:token]"? ─ reply(token, from) ─ taken: marked as read
 *
 * A mail without a mark, or written by a program (away, not delivered), is left as it is and looked at once. One whose
 * answer could not be taken now is given again in the next round.
 *
 * Ownership  The configuration is borrowed until mailbox_stop().
 * Threads    One of its own, from which reply and note are called.
 * Limits     MAILBOX_MAILS_MAX mails and MAILBOX_ROUND_MS a round; see limits.h.
 * Errors     A round that fails is told by note, once until one works again; the next comes at its time.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

struct hin_net;
struct mailbox;

enum mailbox_result {
    MAILBOX_TAKEN,     /* it answered a notice; the mail is marked as read */
    MAILBOX_NOT_OURS,  /* the token is none, or too old: the mail stays as it is */
    MAILBOX_LATER,     /* not now (a full disk): the same mail comes again */
};

struct mailbox_config {
    struct slice url; /* "imaps://host/INBOX"; none: there is no mailbox */
    struct slice user, password;
    struct slice ca_file; /* PEM, beside the system's; or none */
    int64_t every_ns;     /* 0: 15 s */
    bool allow_private;
    const struct hin_net *net; /* NULL: the machine's */
    enum mailbox_result (*reply)(void *context, struct slice token, struct slice from);
    void (*note)(void *context, const char *text); /* a sentence for people; may be NULL */
    void *context;
};

/* Whether it can work: URL, user, password. ERR_CONFIG. */
MUST_USE int mailbox_check(const struct mailbox_config *config, struct err *err);
MUST_USE int mailbox_start(const struct mailbox_config *config, struct mailbox **out, struct err *err);
void mailbox_stop(struct mailbox *mailbox); /* NULL is fine; waits for the round */

/* One round, for tests; also what the thread does. How many answers were taken, or -1. */
struct mailbox_place { /* up to where mails have been looked at; zero at first */
    uint32_t validity, next;
};
MUST_USE int mailbox_round(const struct mailbox_config *config, struct mailbox_place *place, struct err *err);
