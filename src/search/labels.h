#pragma once
/*
 * search/labels: event types and tags in searches. eventtype=web becomes what the event type web
 * asks for, tag=privileged the fields and values with that tag, and tag::user=... those of one field.
 * A field of the data's own called eventtype or tag counts as well.
 */
#include "search/run.h"
#include "search/stage.h"

/* filter may be NULL. */
MUST_USE int labels_replace(struct run *run, const struct expr *filter, const struct expr **out,
                            struct err *err);
/* The filter of an event type, labels in it replaced. */
MUST_USE int labels_event_type(struct run *run, const struct know_object *type,
                               const struct expr **out, struct err *err);
/* A search without commands as a filter, macros replaced; what says where it is from. *out is NULL
 * when everything passes. */
MUST_USE int labels_filter_of(struct run *run, struct slice text, const char *what,
                              const struct expr **out, struct err *err);
