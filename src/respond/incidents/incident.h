#pragma once
/*
 * respond/incidents/incident: the rows of one incident in SQLite, one function a statement
 * or two. What belongs together is bracketed by the caller with database_begin.
 */
#include "event/finding.h"
#include "state/database.h"

enum { INCIDENT_NAME_SIZE = 24 };

enum incident_text { /* in the order of the columns */
    INCIDENT_TITLE,
    INCIDENT_EXPLANATION,
    INCIDENT_WHY,
    INCIDENT_CHECK,
    INCIDENT_DO,
    INCIDENT_TEXTS,
};

enum incident_criticality { /* of assets among its entities */
    INCIDENT_HAS_CRITICAL = 1,
    INCIDENT_HAS_LOW = 2,
    INCIDENT_HAS_OTHER = 4,
};

struct incident {
    int64_t id;
    enum severity severity;
    struct slice state; /* open, acknowledged, closed */
    struct slice owner; /* none while open */
    int64_t opened_ns, updated_ns, first_event_ns, last_event_ns;
    enum severity raw_severity; /* of its findings; severity is that, moved by what the assets are */
    int64_t criticality;        /* enum incident_criticality, together */
    int64_t acknowledged_ns, contained_ns, closed_ns; /* 0: not yet */
    struct slice contained_by, verdict;
    int64_t entities_left; /* times that an entity found no room */
    struct slice en[INCIDENT_TEXTS], ja[INCIDENT_TEXTS];
    int64_t finding_count;
    const struct entity *entities;
    size_t entity_count;
};

struct timeline_entry {
    int64_t time_ns;
    const char *kind; /* finding, state, comment, notification, gate, link, severity, task, attachment */
    struct slice en, ja;
    struct slice rule; /* of a finding, else none, as the rest */
    enum severity severity;
    struct slice evidence; /* a JSON array */
    struct slice user;
    struct slice line;   /* of a finding: the line of repeats that it begins */
    struct slice detail; /* a JSON object: what programs need of it */
};

/* An entity with the name under which it meets others (links.h), or none. */
struct incident_entity {
    struct entity entity;
    struct slice link;
    bool glue;  /* findings with it join this incident */
    bool added; /* out: it was new */
};

/* "INC-7" */
void incident_name(int64_t id, char to[INCIDENT_NAME_SIZE]);
bool incident_parse_name(struct slice name, int64_t *id);

/* All of it, in the arena; ERR_NOT_FOUND. */
MUST_USE int incident_read(struct database *database, int64_t id, struct arena *arena,
                           struct incident *out, struct err *err);
/* Without the entities. */
MUST_USE int incident_read_head(struct database *database, int64_t id, struct arena *arena,
                                struct incident *out, struct err *err);
/* Sets id. Entities are not written. */
MUST_USE int incident_insert(struct database *database, struct incident *incident, struct err *err);
/* Everything but state, owner, clocks and entities. */
MUST_USE int incident_update(struct database *database, const struct incident *incident,
                             struct err *err);
/* How many of them were new comes back; beyond INCIDENT_ENTITIES_MAX they are left out, and counted. */
MUST_USE int incident_add_entities(struct database *database, int64_t id, struct incident_entity *entities,
                                   size_t count, struct err *err);
/* What the entity of an incident has become known as, "also_seen" or the like; both ways. */
MUST_USE int incident_relate(struct database *database, int64_t id, const char *kind, int64_t other,
                             const char *other_kind, struct slice link, struct err *err);
/* A further link of its chain (incident_chain.h). */
MUST_USE int incident_add_entry(struct database *database, int64_t id,
                                const struct timeline_entry *entry, struct err *err);
/* raw_severity, moved one step by the criticality of its assets: never below low. */
enum severity incident_severity(enum severity raw, int64_t criticality);
/* From a state (or from any that is not closed, when from is NULL) to another; owner none: as it
 * is. 1 when it changed, 0 when it was in another state. */
MUST_USE int incident_set_state(struct database *database, int64_t id, const char *from,
                                const char *to, struct slice owner, int64_t now, struct err *err);
/* One number of one statement with one number to bind; 0 without a row. */
MUST_USE int incident_number(struct database *database, const char *sql, int64_t id, int64_t *out,
                             struct err *err);
