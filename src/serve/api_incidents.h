#pragma once
/* serve/api_incidents: what the handlers of incidents share (api_incidents.c: looking; api_cases.c: work on them). */
#include "serve/api.h"

/* The answer to a change of the incident that api->param names: the incident as it is now. */
void api_incident_reply(struct api *api, const char *action, struct slice text, int result, const struct err *err);
