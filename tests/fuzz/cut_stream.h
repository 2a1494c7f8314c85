#pragma once
/* For fuzz targets of what cuts a byte stream into messages: they must not depend on how the stream was cut by the network. */
#include "base/hash.h"

#include <assert.h>

struct stream_sum {
    uint64_t hash, frames;
};

/* A visitor of frames. */
static inline void stream_add(void *context, struct slice frame, bool part)
{
    struct stream_sum *sum = context;
    sum->hash = hash_bytes_seeded(frame, sum->hash + part);
    sum->frames++;
}

/* feed gives the whole of bytes, so many at a time, to a fresh cutter, and sums up what comes. The first byte of the input picks
 * the cuts; what is behind it is returned. */
static inline struct slice stream_check(const uint8_t *data, size_t size, struct stream_sum (*feed)(struct slice bytes, size_t step))
{
    if (size < 2)
        return SLICE_NONE;
    struct slice bytes = slice_of(data + 1, size - 1);
    struct stream_sum whole = feed(bytes, bytes.len), cut = feed(bytes, (size_t)data[0] % 17 + 1);
    assert(whole.hash == cut.hash && whole.frames == cut.frames);
    return bytes;
}
