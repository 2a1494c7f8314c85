#pragma once
/*
 * search/value_order: the order of many values at once, as value_compare() has it. What comparing
 * would do again and again (printing addresses above all) is done once a value.
 *
 * Ownership  The answer lives in the arena.
 * Errors     NULL: memory is out.
 */
#include "event/value.h"

/* Indexes of the values, ascending; equal ones in the order they have. */
uint32_t *value_order(const struct value *values, uint32_t count, struct arena *arena);
