#pragma once
/*
 * serve/stamp_evidence: the zone that a source's stamps seem to be in: its newest events are decoded again, once in
 * another zone, which tells whose stamps name none; how far these are from when the events came tells which it is.
 */
#include "serve/understood.h"

/* Of the events that source->apart took; source->zone is set when most of them agree. */
MUST_USE int stamp_evidence_find(struct looking *looking, struct understood_source *source, struct err *err);
