/* Framing: the frames do not depend on how the stream was cut; the first byte of the input picks the cuts. */
#include "base/hash.h"
#include "collect/syslog_frame.h"

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
    struct syslog_frames frames;
    struct sum sum = {0};
    syslog_frames_init(&frames);
    for (size_t at = 0; at < bytes.len; at += step)
        assert(syslog_frames_feed(&frames, slice_sub(bytes, at, step), add, &sum) == 0);
    syslog_frames_finish(&frames, add, &sum);
    syslog_frames_close(&frames);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    struct sum whole = feed(bytes, bytes.len), cut = feed(bytes, (size_t)data[0] % 17 + 1);
    assert(whole.hash == cut.hash && whole.frames == cut.frames);
    return 0;
}
