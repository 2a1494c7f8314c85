#pragma once
/*
 * decode/decode_exported: an event that was exported gets its fields back as they were; no decoder is
 * asked (docs/format/export.md).
 */
#include "decode/decode_run.h"

/* line: the hint "exported"; the row's raw and received_ns are set. False when memory is out. */
MUST_USE bool decode_exported(struct run *run, struct event_row *row, struct slice line);
