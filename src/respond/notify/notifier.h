#pragma once
/*
 * respond/notify/notifier: a way to reach people. One descriptor each, listed in notifiers.def.
 * To add one: notifier_X.c with a const struct notifier notifier_X, and NOTIFIER(X) in the list.
 */
#include "base/rand.h"
#include "respond/notify/notice.h"
#include "respond/respond.h"

enum { NOTIFIER_RECEIPT_SIZE = 200 };

struct notifier_message {
    const struct respond_notifier *to;
    struct slice address; /* of the person, checked by check_address; none: the row's own `to`, or what its URL says */
    struct slice payload; /* the notice as JSON: the same bytes in all attempts */
    const struct notice *notice; /* the same, read */
    struct slice key;     /* idempotency key: the same over all attempts */
    int64_t now_ns;
    struct arena *arena;  /* of this attempt */
};

enum notifier_result {
    NOTIFIER_SENT,
    NOTIFIER_AGAIN,   /* the other side may work later */
    NOTIFIER_REFUSED, /* the other side says that it is our mistake */
};

struct notifier_answer {
    int64_t wait_s; /* how long the other side asks to be left alone; 0: nothing said */
    char receipt[NOTIFIER_RECEIPT_SIZE]; /* what it said when it took it: its id of the message, or its last line */
};

struct notifier {
    const char *name;
    const char *summary;
    /* Whether a row of the configuration can work; ERR_CONFIG. */
    int (*check)(const struct respond_notifier *row, struct err *err);
    /* Whether a person can be reached there: a mail address, a number. ERR_CONFIG. NULL: it reaches a place and no
     * single person, so messages have no address. */
    int (*check_address)(struct slice address, struct err *err);
    /* May block for HTTP_FETCH_TIMEOUT_MS. Unless SENT, err says why. */
    enum notifier_result (*send)(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err);
};

/* NULL when there is none of that name. */
const struct notifier *notifier_find(struct slice name);
