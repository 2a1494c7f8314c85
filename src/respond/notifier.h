#pragma once
/*
 * respond/notifier: a way to reach people. One descriptor each, listed in notifiers.def.
 * To add one: notifier_X.c with a const struct notifier notifier_X, and NOTIFIER(X) in the list.
 */
#include "base/rand.h"
#include "respond/respond.h"

struct notifier_message {
    const struct respond_notifier *to;
    struct slice payload; /* JSON; docs/incidents.md */
    struct slice key;     /* idempotency key: the same over all attempts */
    int64_t now_ns;
};

enum notifier_result {
    NOTIFIER_SENT,
    NOTIFIER_AGAIN,   /* the other side may work later */
    NOTIFIER_REFUSED, /* the other side says that it is our mistake */
};

struct notifier {
    const char *name;
    const char *summary;
    /* Whether a row of the configuration can work; ERR_CONFIG. */
    int (*check)(const struct respond_notifier *row, struct err *err);
    /* May block for HTTP_FETCH_TIMEOUT_MS. Unless SENT, err says why; *wait_s is how long the other
     * side asks to be left alone, 0 for nothing said. */
    enum notifier_result (*send)(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, int64_t *wait_s, struct err *err);
};

/* NULL when there is none of that name. */
const struct notifier *notifier_find(struct slice name);
