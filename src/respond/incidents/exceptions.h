#pragma once
/*
 * respond/incidents/exceptions: what people keep quiet. An exception hides findings: they are recorded with its number
 * and counted, and make no incident. A mute lets them join an incident, but none is opened, nobody is told and no severity
 * changes. Both name a rule (or every rule) and values, have a reason, an owner and an end.
 *
 * All that is named must fit: each entity (type and value) among the finding's entities, each field among the names
 * and values of its group. Entities are compared as links are (links.h).
 *
 * Threads  A list belongs to one thread at a time; in join.h the database's lock guards it.
 * Limits   EXCEPTIONS_MAX that are or lately were in force, EXCEPTION_TERMS_MAX values each, EXCEPTION_BYTES_MAX, EXCEPTION_DAYS_MAX.
 */
#include "base/limits.h"
#include "event/finding.h"
#include "state/database.h"

enum { EXCEPTION_ENDED_DAYS = 30 }; /* so long an incident says which one kept its like quiet */

struct exception_term {
    bool is_field; /* of the group, by the name that the rule gives it; else an entity */
    struct slice name, value;
};

struct exception {
    int64_t id;
    bool mute;
    struct slice rule; /* its id, name, catalogue number or title; none: every rule */
    const struct exception_term *terms;
    size_t term_count;
    struct slice reason, owner, added_by, ended_by;
    struct slice finding; /* id of the one it was made from, or none */
    int64_t added_ns, expires_ns, ended_ns; /* 0: not ended by hand */
    int64_t count, last_ns; /* findings that it kept quiet */
};

struct exception_list {
    struct arena *arena;
    const struct exception *rows; /* oldest first */
    size_t count;
};

bool exception_fits(const struct exception *exception, const struct finding *finding);
/* When it stops, or stopped. */
int64_t exception_end(const struct exception *exception);

/* Those whose end is after since_ns. Everything lives in the arena. */
MUST_USE int exceptions_read(struct database *database, int64_t since_ns, struct arena *arena,
                             struct exception_list *out, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE int exception_read(struct database *database, int64_t id, struct arena *arena, struct exception *out, struct err *err);
/* Checks it, adds it, sets id. ERR_CONFIG says what is missing or too much, ERR_LIMIT. */
MUST_USE int exception_check(const struct exception *exception, int64_t now, struct err *err);
MUST_USE int exception_add(struct database *database, struct exception *exception, int64_t now, struct err *err);
/* ERR_CONFLICT when it has ended already. */
MUST_USE int exception_end_now(struct database *database, int64_t id, struct slice user, int64_t now, struct err *err);
MUST_USE int exception_count(struct database *database, int64_t id, int64_t now, struct err *err);

/* What it would have kept quiet in the days before now, of all findings that are known and that nothing hid. */
struct exception_preview {
    int64_t findings, incidents, pages; /* incidents that would not have opened, and what was sent of them */
    int64_t looked_at, from_ns;         /* all findings since then are known; 0: from the beginning */
    struct {
        int64_t number, incident, event_ns;
    } sample[EXCEPTION_SAMPLE_MAX]; /* the latest */
    size_t sample_count;
};
MUST_USE int exception_try(struct database *database, const struct exception *exception, int64_t days, int64_t now,
                           struct exception_preview *out, struct err *err);
