#pragma once
/*
 * detect/finding_row: a finding as the event that it is stored as (docs/rules.md), for state tables that remember
 * findings: "when: event.dataset = "hinomi.finding" AND hinomi.catalogue = "PMP-01"". It counts at the moment it is raised,
 * live as in a replay; the stored event that comes back through the journal is not looked at again.
 *
 * Threads  One at a time.
 */
#include "event/batch.h"
#include "event/finding.h"
#include "table/state.h"

/* Whether any feed takes findings: those whose condition reads hinomi.catalogue. */
bool finding_rows_wanted(const struct state_definitions *definitions);

/* Adds a row; everything is copied. What goes on with or takes back another finding has another event.action. -1: memory. */
MUST_USE int finding_row_add(struct batch *batch, const struct finding *finding);
