#pragma once
/*
 * state/knowledge: definitions that people make (macros, lookups, data models ...) as the texts they
 * are; what they mean is src/know's business.
 *
 * Threads  Any; several processes may change them (a command beside a running server).
 * Limits   KNOW_OBJECTS_MAX definitions, KNOW_TEXT_BYTES_MAX bytes a text.
 */
#include "base/clock.h"
#include "state/database.h"

struct kept_definition {
    struct slice kind, name, owner;
    bool shared; /* others have it, too */
    struct slice text;
    int64_t updated_ns;
};

/* Takes the place of the one of that kind and name: the shared one, or the owner's own. */
MUST_USE int knowledge_put(struct database *database, const struct hin_clock *clock,
                           const struct kept_definition *definition, struct err *err);
/* ERR_NOT_FOUND when there is none; owner counts unless it is shared. */
MUST_USE int knowledge_remove(struct database *database, const struct kept_definition *definition,
                              struct err *err);
/* -1 stops. Texts live in the arena; the database's lock is held: no other call into it. */
typedef int (*knowledge_visit)(void *context, const struct kept_definition *definition,
                               struct err *err);
MUST_USE int knowledge_each(struct database *database, struct arena *arena, knowledge_visit visit,
                            void *context, struct err *err);
/* A number that changes with every change. */
MUST_USE int knowledge_version(struct database *database, int64_t *out, struct err *err);
