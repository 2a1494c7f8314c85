#pragma once
/*
 * respond/incidents/gather: what an incident takes in, whoever decides that it does: join.c for findings, regroup.c
 * for people.
 *
 * Threads  Inside a transaction.
 */
#include "respond/incidents/finding_rows.h"
#include "respond/incidents/join.h"

struct gather {
    struct join *join;
    int64_t now;
    struct join_result *result;
};

void gather_changed(struct join_result *result, int64_t id);
/* An entry of the timeline; texts that are SLICE_NONE mean that memory was out. */
MUST_USE int gather_entry(const struct gather *gather, int64_t incident, const char *kind, struct slice user,
                          struct slice en, struct slice ja, struct err *err);
/* To the notifiers. */
MUST_USE int gather_tell(const struct gather *gather, int64_t id, const char *event, struct err *err);

/* Somebody is to wake up for it, if the waking plan says so. */
MUST_USE int gather_wake(const struct gather *gather, int64_t id, const struct finding *finding, struct err *err);

struct slice finding_rule(const struct finding *finding);
struct slice finding_title(const struct finding *finding);
/* Up to 100 ids of events as a JSON array, in the arena. */
MUST_USE int finding_evidence_json(const struct finding *finding, struct arena *arena, struct slice *out, struct err *err);

/* An incident speaks in the words of its gravest finding, the earliest among equals. texts NULL: none. */
void gather_words(struct incident *incident, const struct finding *finding, const struct respond_texts *texts);
/* The finding as an entry, or one more on its line. */
MUST_USE int gather_finding(const struct gather *gather, int64_t incident, const struct finding *finding, const char *line,
                            struct err *err);
/* Adds them and moves the severity as the list of assets says, which the timeline tells. The row of the incident is not
 * written. How many were new. */
MUST_USE int gather_entities(const struct gather *gather, struct incident *incident, struct incident_entity *entities,
                             size_t count, struct err *err);
/* Findings, entities, lines and tasks that are not done go over to into, whose row is not written; from is closed. */
struct gather_why {
    struct slice user;   /* none: a finding links them */
    struct slice en, ja; /* the reason, or none */
};
MUST_USE int gather_merge(const struct gather *gather, struct incident *into, int64_t from, const struct gather_why *why,
                          struct err *err);
