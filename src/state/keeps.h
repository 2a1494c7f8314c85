#pragma once
/*
 * state/keeps: retention holds, that is spans of events that retention must leave alone: for a court, an
 * authority, an investigation. "keep" in commands and routes, since a hold of the gate is another thing.
 *
 *   added ──► in force ──► wished to end, by one person ──► ended, by another
 *
 * One person alone cannot end a hold: the wish must be repeated by somebody else within
 * RETENTION_WISH_HOURS, else it lapses. Ended holds stay in the table.
 *
 * Threads  Any; several processes may change them (a command beside a running server).
 * Limits   RETENTION_HOLDS_MAX in force; KEEP_TEXT_MAX bytes a text.
 */
#include "base/clock.h"
#include "state/database.h"

enum { KEEP_TEXT_MAX = 1024, KEEP_NAME_MAX = 64 };

struct keep {
    int64_t id;
    struct slice name;
    struct slice stream;     /* '*' stands for anything; "*": all streams */
    int64_t from_ns, to_ns;  /* from <= @timestamp < to */
    struct slice reason, added_by;
    int64_t added_ns;
    int64_t in_force_ns;     /* when the store had it; 0: not yet */
    struct slice wished_by, wish_reason; /* who wants it to end; none when lapsed */
    int64_t wished_ns;
    struct slice ended_by;
    int64_t ended_ns;        /* 0: it holds */
};

/* name, stream, from_ns, to_ns, reason and added_by are read. ERR_CONFIG says what is wrong with them,
 * ERR_CONFLICT that the name is taken, ERR_LIMIT that there are too many. */
MUST_USE int keeps_add(struct database *database, const struct hin_clock *clock,
                       const struct keep *keep, struct err *err);

enum keep_end { KEEP_WISHED, KEEP_ENDED };
/* By somebody who has been asked for proof of who he is. KEEP_WISHED: another person has to say the same.
 * ERR_NOT_FOUND: nothing of that name holds; ERR_CONFLICT: the same person said so before. */
MUST_USE int keeps_end(struct database *database, const struct hin_clock *clock, struct slice name,
                       struct slice person, struct slice reason, enum keep_end *out,
                       struct err *err);

typedef void (*keep_visit)(void *context, const struct keep *keep);
/* all: ended ones, too. Texts live in the arena. */
MUST_USE int keeps_list(struct database *database, const struct hin_clock *clock, bool all,
                        struct arena *arena, keep_visit visit, void *context, struct err *err);
/* A number that changes with every change; for a server to look at now and then. */
MUST_USE int keeps_version(struct database *database, int64_t *out, struct err *err);
/* The store has those up to this id. */
MUST_USE int keeps_in_force(struct database *database, const struct hin_clock *clock,
                            int64_t last_id, struct err *err);
