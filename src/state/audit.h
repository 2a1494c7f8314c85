#pragma once
/*
 * state/audit: who did what, in state.db; rows are only added, each with a hash over itself and the
 * row before (audit_chain.h). Written by the API and by the commands that change users and tokens.
 *
 * Threads  Any; several processes may add (a command beside a running server).
 * Limits   AUDIT_TEXT_MAX bytes a text; what is over is cut and says so. Bytes that are not UTF-8
 *          become '?'.
 */
#include "base/clock.h"
#include "state/audit_chain.h"
#include "state/database.h"

enum { AUDIT_TEXT_MAX = 8 * 1024 };

/* id, time and hash are set here. Durable when it returns 0. */
MUST_USE int audit_add(struct database *database, const struct hin_clock *clock,
                       const struct audit_row *row, struct err *err);

/* The same inside a transaction, so that what was done and who did it are one. */
MUST_USE int audit_add_within(struct database *database, const struct hin_clock *clock, const struct audit_row *row,
                              struct err *err);

struct audit_filter {
    int64_t from_ns, to_ns; /* from <= time < to; both 0: all */
    int64_t before;         /* only ids below it; 0: all */
    int64_t limit;          /* 0: all */
    struct slice actor, action; /* exactly this one; none: any. "token" also takes "token.add" */
    bool newest_first;
};

/* Texts of the row live during the call only. Not 0 stops and is returned. The database's lock is
 * held: no other call into it. */
typedef int (*audit_visit)(void *context, const struct audit_row *row, struct err *err);
MUST_USE int audit_each(struct database *database, const struct audit_filter *filter,
                        audit_visit visit, void *context, struct err *err);
