#pragma once
/*
 * respond/incidents/incident_chain: the record of one incident. Each entry of its timeline is a link of a chain of its
 * own: number 1, 2, 3 ..., and a hash over itself and the hash before (state/audit_chain.h), over these texts:
 *
 *   actor = user | via = kind | peer = INC-n | action = English text | object = Japanese text | detail = evidence |
 *   result = rule, severity + 1 (0: none), line, detail; each text its length (LEB128) and its bytes
 *
 * How far the chain has come stands beside it (incident_chain), so that entries cut off at the end are missed, too. The
 * entry of closing says how many findings there are and a digest over all of them, in detail.
 *
 * Threads  Any; adding inside a transaction.
 */
#include "respond/incidents/incident.h"
#include "state/audit_chain.h"

struct incident_head {
    int64_t entries;
    char hash[AUDIT_HASH_SIZE]; /* "": no entry yet */
};

MUST_USE int incident_chain_head(struct database *database, int64_t id, struct incident_head *out, struct err *err);

/* 64 hexadecimal digits over the findings of an incident in the order in which they were filed: number, id and bytes
 * of each, with their lengths as in audit_chain.h. */
MUST_USE int incident_findings_digest(struct database *database, int64_t id, int64_t *count, char to[AUDIT_HASH_SIZE],
                                      struct err *err);

/* Walks all incidents: entries, heads, what closing said of the findings, and the bytes of attachments. ERR_CORRUPT names
 * the first that is not what was written. */
struct incident_chain_sum {
    int64_t incidents, entries, unchained, attachments; /* unchained: from before there were chains */
};
MUST_USE int incident_chain_check(struct database *database, struct incident_chain_sum *sum, struct err *err);
