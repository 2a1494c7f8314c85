#pragma once
/*
 * store/ints: 64-bit integers packed small (docs/format/segment.md, "ints").
 *
 *   flags 1 | [first, zigzag varint: with delta only] | group | group | ...
 *   group of up to 128: minimum (zigzag varint) | width 1 | ceil(n * width / 8) bytes
 *
 *   flags  bit 0     differences to the number before; the first one is apart
 *          bits 1-2  every number was divided by 1, 10^3, 10^6 or 10^9
 *
 * Threads  Any; no state.
 */
#include "base/buffer.h"

void ints_encode(const int64_t *numbers, size_t count, struct buffer *to);
/* Takes count numbers off the front of *from; false when they are not there. */
MUST_USE bool ints_take(struct slice *from, int64_t *numbers, size_t count);
/* Past them, unread. */
MUST_USE bool ints_skip(struct slice *from, size_t count);
/* False when the bytes are not exactly count numbers. */
MUST_USE bool ints_decode(struct slice from, int64_t *numbers, size_t count);

/* Plain packing of codes below 2^width, width 0..32. */
size_t ints_packed_size(size_t count, unsigned width);
void ints_pack(const uint32_t *codes, size_t count, unsigned width, char *to);
MUST_USE bool ints_unpack(struct slice from, uint32_t *codes, size_t count, unsigned width);
/* One of them; from is what ints_unpack() would take, index < count. */
uint32_t ints_unpack_one(struct slice from, size_t index, unsigned width);
