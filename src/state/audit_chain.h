#pragma once
/*
 * state/audit_chain: one row of the audit trail, and the chain that ties each row to all before it
 * (docs/format/audit.md). Needs no database, so that an export can be checked elsewhere.
 *
 *   hash(n) = BLAKE2b-256( hash(n-1) | id | time | actor | via | peer | action | object | detail | result )
 *
 * The hash before is 64 hexadecimal digits (of the first row: zeros); each field its length
 * (4 bytes, little-endian) and its bytes; id and time (ns since 1970) as decimal digits.
 *
 * Threads  Any.
 */
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum { AUDIT_HASH_SIZE = 65 };

struct audit_row {
    int64_t id;      /* 1, 2, 3 ... without gaps */
    int64_t time_ns;
    struct slice actor;  /* who: a user, a token's name, "root" at a terminal */
    struct slice via;    /* "session", "token", "none" (not signed in), "terminal", "retention" */
    struct slice peer;   /* address:port, or "" */
    struct slice action; /* "login", "token.add", "search" ... */
    struct slice object; /* what it was done to */
    struct slice detail;
    struct slice result; /* "ok", or why it was refused */
    char hash[AUDIT_HASH_SIZE];
};

/* before: the hash of the row before, or NULL for the first row. */
void audit_chain_hash(const char *before, const struct audit_row *row, char to[AUDIT_HASH_SIZE]);

/* A walk over rows in order of id. */
struct audit_walk {
    int64_t rows;
    char hash[AUDIT_HASH_SIZE]; /* of the last row that was right; "" before the first */
    const char *wanted;         /* a hash noted earlier, or NULL */
    bool wanted_seen;
    const char *what;   /* what the rows are of, for the sentences; NULL: "the audit trail" */
};
/* ERR_CORRUPT names the first row that is missing, changed or added. */
MUST_USE int audit_walk_next(struct audit_walk *walk, const struct audit_row *row, struct err *err);
/* After the last row: ERR_CORRUPT when the wanted hash did not come. */
MUST_USE int audit_walk_end(const struct audit_walk *walk, struct err *err);
