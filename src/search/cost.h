#pragma once
/*
 * search/cost: what reading a source cost, and what of it could not be read.
 */
#include "search/stage.h"
#include "store/scan.h"

/* Adds a source's numbers to the search's. */
void cost_add(struct search_progress *progress, const struct scan_stats *stats);
/* Adds what a subsearch has read; its rows are not the search's. */
void cost_add_sub(struct search_progress *progress, const struct search_progress *sub);
/* A message for each stretch of rows that is missing or lacks a column: the answer is incomplete. */
void cost_tell_damage(struct run *run, const struct scan_stats *stats);
/* A message when regular expressions hit their limit. */
void cost_tell_regex(struct run *run);
struct json;
struct search_estimate; /* search/estimate.h */

/* What was said before, beside what it came to; real NULL: it did not run. */
void cost_print_estimate(const struct search_estimate *estimate, const struct search_progress *real,
                         struct buffer *to);
/* The members of an object. */
void cost_put_estimate(const struct search_estimate *estimate, struct json *to);
/* A line for people. */
void cost_print(const struct search_progress *progress, struct buffer *to);
