/* GELF: the messages of a TCP stream do not depend on how it was cut; datagrams (length, bytes) are put together
 * without a crash, and what waits stays within its bounds. */
#include "base/clock.h"
#include "base/limits.h"
#include "collect/wire/gelf_chunk.h"
#include "collect/wire/gelf_frame.h"

#include "cut_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stream_sum feed(struct slice bytes, size_t step)
{
    struct gelf_frames frames;
    struct stream_sum sum = {0};
    gelf_frames_init(&frames);
    for (size_t at = 0; at < bytes.len; at += step)
        assert(gelf_frames_feed(&frames, slice_sub(bytes, at, step), stream_add, &sum) == 0);
    gelf_frames_finish(&frames, stream_add, &sum);
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
    take_datagrams(stream_check(data, size, feed));
    return 0;
}
