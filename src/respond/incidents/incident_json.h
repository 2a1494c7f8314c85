#pragma once
/* respond/incidents/incident_json: incidents as docs/api.md shows them. */
#include "base/json.h"
#include "respond/incidents/incident.h"
#include "respond/respond.h"

/* states: "open,acknowledged"; empty: all. ERR_CONFIG for a state that does not exist. */
MUST_USE int incident_list_json(struct database *database, struct slice states, int64_t limit,
                                struct arena *arena, struct json *json, struct err *err);
MUST_USE int incident_json(struct database *database, int64_t id, const struct respond_held *held,
                           size_t held_count, int64_t now, struct arena *arena, struct json *json,
                           struct err *err);
