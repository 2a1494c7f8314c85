#pragma once
/* respond/inside: what the files of respond/respond.h share (respond.c: findings, respond_gate.c, respond_people.c,
 * incidents/cases.c and its neighbours). */
#include "base/buffer.h"
#include "respond/incidents/join.h"
#include "respond/wake/wake.h"

#include <pthread.h>

#define RESPOND_ARENA_MAX (64 * MIB)

struct item { /* a finding and its texts, or what the gate did, as bytes */
    struct buffer bytes;
    bool of_gate, is_call; /* call: what is told to programs */
};

struct respond {
    struct respond_config config; /* its texts are copied into the arena */
    struct arena *arena;
    struct queue *queue; /* of struct item; full: the sender waits */
    struct pace pace;
    struct outbox *outbox;
    struct wake *wake;
    struct join join;
    struct join_memory memory;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t idle;
    uint64_t put, filed;
    bool stopping;
    pthread_mutex_t telling; /* around changed(); see respond_tell */
};

/* respond.c: gives the item to the thread, or frees it and says false. wait: for room in the queue. */
bool respond_put(struct respond *respond, struct item *item, bool wait);
void respond_note(const struct respond *respond, const char *text);
/* respond_gate.c: inside a transaction. */
MUST_USE int gate_entry_file(struct join *join, struct slice bytes, struct err *err);
MUST_USE int gate_call_file(struct join *join, struct slice bytes, struct err *err);

/* respond_people.c: something a person does to an incident, in one transaction. */
struct deed {
    struct respond *respond;
    int64_t id, now;
    struct slice user;
    const void *what; /* what the deed needs besides */
    struct arena *arena;
    struct incident incident;   /* as it was before */
    struct join_result changed; /* what the gate is to hear of, filled by the deed; first what takes over */
};
MUST_USE int deed_do(struct respond *respond, struct slice name, struct slice user, const void *what,
                     int (*act)(struct deed *deed, struct err *err), struct err *err);
MUST_USE int deed_do_number(struct respond *respond, int64_t id, struct slice user, const void *what,
                            int (*act)(struct deed *deed, struct err *err), struct err *err);
/* What such a deed hands on to gather.h. */
struct join deed_join(const struct deed *deed);
MUST_USE int deed_entry(struct deed *deed, const char *kind, struct slice en, struct slice ja, struct err *err);
/* incidents/cases.c: the one deed that is done to a closed incident. */
MUST_USE int deed_reopen(struct deed *deed, struct err *err);
MUST_USE int text_check(struct slice text, const char *what, struct err *err);

/* Tells config.changed how an incident stands, if it is as asked: closed or not. */
void respond_tell(struct respond *respond, int64_t id, bool closed);
