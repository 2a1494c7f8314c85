/* RELP's frames do not depend on how the stream was cut; the first byte of the input picks the cuts. */
#include "base/hash.h"
#include "collect/relp_frame.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    uint64_t hash, frames;
};

static void add(void *context, const struct relp_frame *frame)
{
    struct sum *sum = context;
    sum->hash = hash_bytes_seeded(frame->data, sum->hash + frame->number + frame->part + 2u * frame->last);
    sum->hash = hash_bytes_seeded(slice_text(frame->command), sum->hash);
    sum->frames++;
}

static struct sum feed(struct slice bytes, size_t step)
{
    struct relp_frames frames;
    struct sum sum = {0};
    int result = 0;
    relp_frames_init(&frames);
    for (size_t at = 0; at < bytes.len && result == 0; at += step)
        result = relp_frames_feed(&frames, slice_sub(bytes, at, step), add, &sum);
    relp_frames_close(&frames);
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
