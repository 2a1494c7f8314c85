#pragma once
/*
 * gate/gate_text: a text in the gate's canonical bytes, in what people sign, and on its socket: a length of 4 bytes, little-endian,
 * and its bytes (docs/gate.md).
 *
 * Threads  Any.
 */
#include "base/buffer.h"

void gate_text_put(struct buffer *to, struct slice text);
/* Borrows from the bytes; false when they end before it does. */
bool gate_text_take(struct slice *from, struct slice *out);
