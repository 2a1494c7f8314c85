#pragma once
/*
 * gate/gate_incidents: which open incident touches an account, an asset, a wallet or a destination.
 *
 * Threads  One at a time.
 * Limits   INCIDENTS_OPEN_MAX incidents of INCIDENT_ENTITIES_MAX entities; beyond, or when memory is
 *          out, incidents_incomplete() is true until a restart, and the gate holds.
 */
#include "gate/gate.h"

enum { INCIDENTS_OPEN_MAX = 4096, INCIDENT_ENTITIES_MAX = 1024 };

struct incidents;

struct incident_touch {
    struct slice id; /* none: nothing touches */
    enum severity severity;
};

MUST_USE struct incidents *incidents_new(void);
void incidents_free(struct incidents *incidents); /* NULL is fine */

/* Replaces what is known of that incident; not open: forgets it. */
void incidents_set(struct incidents *incidents, struct slice id, enum severity severity, bool open,
                   const struct entity *entities, size_t entity_count);
bool incidents_incomplete(const struct incidents *incidents);

/* The worst one. The slice lives until the next incidents_set(). */
struct incident_touch incidents_touching(const struct incidents *incidents,
                                         const struct gate_request *request);
