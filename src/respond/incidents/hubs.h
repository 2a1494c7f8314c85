#pragma once
/*
 * respond/incidents/hubs: values that are met everywhere (a proxy's address, a domain controller, the hot wallet of
 * every withdrawal) and therefore say nothing about who belongs together.
 *
 * A value is a hub when the list of assets says shared, or when in the thirty days before it was met on HUB_DAYS days
 * with HUB_PARTNERS different others: each finding without an incident counts with the other values it names, and an
 * incident counts as one, so that a slow attack does not make a hub of its own values. An address of the internet
 * outside never becomes one by itself: that is how attackers look.
 *
 * Threads  Only inside a transaction of the database (its lock guards this).
 * Limits   LINK_PARTNERS_MAX a value and day, LINK_ROWS_MAX in all: the oldest days go.
 */
#include "respond/incidents/assets.h"
#include "state/database.h"

struct hubs {
    struct database *database;
    uint64_t *noted;  /* hashes of what was written lately, so that a storm writes it once */
    struct hub_known *known;
    int64_t rows, newest_day; /* -1: not counted yet */
};

MUST_USE int hubs_init(struct hubs *hubs, struct database *database, struct err *err);
void hubs_close(struct hubs *hubs);

/* Values that were met together; incident 0: in no incident. */
MUST_USE int hubs_note(struct hubs *hubs, const struct slice *links, size_t count, int64_t incident, int64_t event_ns,
                       struct err *err);
/* Before a rollback: what was written lately may not have been. */
void hubs_forget(struct hubs *hubs);

struct hub_answer {
    bool hub;
    bool listed; /* by the list of assets */
    int64_t days, partners;
};
MUST_USE int hubs_ask(struct hubs *hubs, const struct assets *assets, const struct entity *entity, struct slice link,
                      int64_t event_ns, struct hub_answer *out, struct err *err);
