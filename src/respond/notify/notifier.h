#pragma once
/*
 * respond/notify/notifier: a way to reach people. One descriptor each, listed in notifiers.def.
 * To add one: notifier_X.c with a const struct notifier notifier_X, and NOTIFIER(X) in the list.
 */
#include "base/rand.h"
#include "respond/notify/notice.h"
#include "respond/respond.h"

struct hin_net;

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

/* A text of a row, beside what every row has (notifier_row.h). */
struct notifier_option {
    const char *name;     /* "url" */
    size_t offset;        /* of its slice in struct respond_notifier */
    const char *summary;  /* one line for people */
    const char *standard; /* when left out; NULL: nothing */
    bool required;
    bool secret; /* never shown; "file:PATH" and "env:NAME" are read */
};
#define NOTIFIER_OPTION(field, ...) {.name = #field, .offset = offsetof(struct respond_notifier, field), __VA_ARGS__}

struct notifier {
    const char *name;
    const char *summary;
    const char *details; /* paragraphs for the reference, or NULL */
    const char *address; /* what a person's address is there, for people; NULL: check_address is */
    const struct notifier_option *options;
    size_t option_count;
    /* Whether a row of the configuration can work; ERR_CONFIG. */
    int (*check)(const struct respond_notifier *row, struct err *err);
    /* Whether a person can be reached there: a mail address, a number. ERR_CONFIG. NULL: it reaches a place and no
     * single person, so messages have no address. */
    int (*check_address)(struct slice address, struct err *err);
    /* Whether news, which are for no single person, have somewhere to go in this row; NULL: always. */
    bool (*takes_news)(const struct respond_notifier *row);
    /* May block for NOTIFY_TIMEOUT_MS. Unless SENT, err says why. */
    enum notifier_result (*send)(const struct notifier_message *message, const struct hin_net *net,
                                 const struct hin_rand *rand, struct notifier_answer *answer, struct err *err);
};

/* All kinds, in the order of the list; NULL at the end. */
extern const struct notifier *const notifier_kinds[];
/* False: only persons can be told by this row, as it has no `to`. */
bool notifier_takes_news(const struct respond_notifier *row);
/* NULL when there is none of that name. */
const struct notifier *notifier_find(struct slice name);
