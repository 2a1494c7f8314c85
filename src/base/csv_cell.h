#pragma once
/*
 * base/csv_cell: a cell of a CSV file (RFC 4180). Text that a spreadsheet would take for a formula (it begins
 * with = + - @ TAB CR, or with = + - @ in their full-width forms) gets a leading '.
 */
#include "base/buffer.h"

/* number: it is one, so that its sign is no formula's. */
void csv_put_cell(struct buffer *to, struct slice text, bool number);
