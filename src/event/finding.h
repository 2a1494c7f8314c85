#pragma once
/*
 * event/finding: one hit of one rule. Findings are stored as events too
 * (event.kind "alert", event.dataset "hinomi.finding").
 *
 * Its id is a hash of rule, group and first evidence, so that a restart that
 * reads the journal again cannot double it.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

enum severity {
    SEVERITY_NONE = 0,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
};

const char *severity_name(enum severity severity); /* "low" ...; "none" */
enum severity severity_parse(struct slice name);   /* Sigma's "informational" is NONE */

struct entity {
    struct slice type; /* user, account, host, ip, wallet, asset, address, key, session, hash, ... */
    struct slice value;
};

struct evidence {
    struct slice event_id;
    uint64_t seq;
    int64_t time_ns;
};

struct finding {
    char id[33]; /* 128 bits in hex */
    struct slice rule_id;
    struct slice rule_name;  /* the id, else the title */
    struct slice rule_version;
    struct slice title;
    struct slice catalogue; /* WDR-01, or none */
    enum severity severity;
    struct slice explanation_en, explanation_ja; /* plain sentences with their numbers */
    const struct entity *entities;
    size_t entity_count;
    const struct evidence *evidence;
    size_t evidence_count;
    uint64_t evidence_seen; /* events that it stands for; 0: evidence_count, else not all are named */
    struct slice group_key; /* the values of group-by, or none */
    const struct entity *groups; /* the same, each under the name that the rule gives it */
    size_t group_count;
    const struct entity *holds; /* what is to be held: account, asset, wallet, address, partner, or all (no value) */
    size_t hold_count;
    int64_t event_ns;  /* @timestamp of the event that completed it */
    int64_t raised_ns; /* when it could be known */
    struct slice retracts; /* id of the finding of absence that this one takes back, or none */
    struct slice follows;  /* id of the finding that went on: this one counts what came since, or none */
};

/* Sets id from rule_id (else rule_name), group_key and the first evidence. */
void finding_set_id(struct finding *finding);
/* As if this were its group. */
void finding_set_id_of(struct finding *finding, struct slice group_key);
/* Deep. False when memory is out. */
bool finding_copy(const struct finding *from, struct arena *arena, struct finding *to);

/* A finding as bytes, for snapshots and queues; the version is inside. */
void finding_encode(const struct finding *finding, struct buffer *to);
/* Slices borrow from bytes, the arrays live in the arena. */
MUST_USE int finding_decode(struct slice bytes, struct arena *arena, struct finding *out,
                            struct err *err);
