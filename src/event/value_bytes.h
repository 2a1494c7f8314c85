#pragma once
/*
 * event/value_bytes: one value as bytes: its type, then a text with its length, a number as a zigzag varint, a double's bits, an
 * address or a decimal. Part of the segment format and of the gate's journal (docs/format).
 *
 * Threads  Any.
 */
#include "event/value.h"

void value_put_bytes(struct buffer *to, struct value v);
/* Text is borrowed from the bytes; addresses and decimals go to the arena. */
MUST_USE bool value_take_bytes(struct slice *from, struct arena *arena, struct value *out);
