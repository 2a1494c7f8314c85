#pragma once
/*
 * respond/wake/roster: how each person is reached, and who stands in for whom; rows in SQLite that people keep
 * themselves. What was arranged is ended, never deleted.
 *
 * Errors  -1; ERR_CONFIG for what cannot be, ERR_NOT_FOUND, ERR_LIMIT (CONTACTS_MAX, STAND_INS_MAX).
 */
#include "respond/wake/rota.h"
#include "state/database.h"

struct contact {
    int64_t id;
    struct slice person, notifier, address;
    int64_t proven_ns; /* last time that a message to it was taken; 0: never */
};

/* In the order in which they are tried, in the arena. */
MUST_USE int roster_contacts(struct database *database, struct slice person, struct arena *arena, struct contact **out,
                             size_t *count, struct err *err);
/* The same, but none of somebody who may not sign in any more: who has left is not woken. */
MUST_USE int roster_reach(struct database *database, struct slice person, struct arena *arena, struct contact **out,
                          size_t *count, struct err *err);
/* Replaces all contacts of a person, by the order given; those that stay keep when they were proven. Inside a
 * transaction. */
MUST_USE int roster_set_contacts(struct database *database, struct slice person, const struct contact *contacts,
                                 size_t count, int64_t now_ns, struct err *err);
/* A message to it was taken. Inside a transaction. */
MUST_USE int roster_proven(struct database *database, struct slice person, struct slice notifier, struct slice address,
                           int64_t now_ns, struct err *err);

/* Those that are not over at from_ns. */
MUST_USE int roster_stand_ins(struct database *database, int64_t from_ns, struct arena *arena, struct stand_in **out,
                              size_t *count, struct err *err);
struct stand_in_wish {
    struct stand_in what;
    struct slice reason, by;
};
/* Sets what.id. */
MUST_USE int roster_add_stand_in(struct database *database, const struct plan *plan, struct stand_in_wish *wish,
                                 int64_t now_ns, struct err *err);
MUST_USE int roster_end_stand_in(struct database *database, int64_t id, struct slice by, int64_t now_ns, struct err *err);

/* "ja", "en", or none: what the person chose in the console. */
MUST_USE int roster_language(struct database *database, struct slice person, struct arena *arena, struct slice *out,
                             struct err *err);
