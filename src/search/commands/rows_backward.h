#pragma once
/*
 * search/commands/rows_backward: what reverse and tail share.
 */
#include "search/stage.h"

/* Pushes the last count rows of batch, the last one first. batch NULL: there are no rows. */
int rows_backward(struct stage *op, const struct batch *batch, uint32_t count, struct err *err);
