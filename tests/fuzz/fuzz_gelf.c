/* GELF: the messages of a TCP stream do not depend on how it was cut; datagrams (length, bytes) are put together
 * without a crash, and what waits stays within its bounds. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "collect/gelf_chunk.h"
#include "collect/gelf_frame.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    uint64_t hash, frames;
};

static void add(void *context, struct slice frame, bool part)
{
    struct sum *sum = context;
    sum->hash = hash_bytes_seeded(frame, sum->hash + part);
    sum->frames++;
}

static struct sum feed(struct slice bytes, size_t step)
{
    struct gelf_frames frames;
    struct sum sum = {0};
    gelf_frames_init(&frames);
    for (size_t at = 0; at < bytes.len; at += step)
        assert(gelf_frames_feed(&frames, slice_sub(bytes, at, step), add, &sum) == 0);
    gelf_frames_finish(&frames, add, &sum);
    gelf_frames_close(&frames);
    return sum;
}

static void take_datagrams(struct slice bytes)
{
    struct gelf_chunks *chunks = gelf_chunks_new();
    int64_t now_ns = 0;
    while (chunks && bytes.len) {
        size_t len = (unsigned char)bytes.ptr[0];
        struct slice message, datagram = slice_sub(bytes, 1, len);
        enum gelf_datagram result = gelf_chunks_take(chunks, datagram, SLICE("192.0.2.1:1"), now_ns, &message);
        assert(result != GELF_MESSAGE || message.len <= GELF_UNPACKED_BYTES_MAX);
        assert(gelf_chunks_waiting(chunks) <= GELF_WAITING_MAX);
        bytes = slice_from(bytes, 1 + len);
        now_ns += 100 * NS_PER_MS;
    }
    gelf_chunks_free(chunks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    struct sum whole = feed(bytes, bytes.len), cut = feed(bytes, (size_t)data[0] % 17 + 1);
    assert(whole.hash == cut.hash && whole.frames == cut.frames);
    take_datagrams(bytes);
    return 0;
}
