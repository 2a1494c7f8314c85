#pragma once
/*
 * search/cost: what reading a source cost, and what of it could not be read.
 */
#include "search/stage.h"
#include "store/scan.h"

/* Adds a source's numbers to the search's. */
void cost_add(struct search_progress *progress, const struct scan_stats *stats);
/* A message for each stretch of rows that is missing or lacks a column: the answer is incomplete. */
void cost_tell_damage(struct run *run, const struct scan_stats *stats);
/* A message when regular expressions hit their limit. */
void cost_tell_regex(struct run *run);
/* A line for people. */
void cost_print(const struct search_progress *progress, struct buffer *to);
