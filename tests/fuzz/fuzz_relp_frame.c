/* RELP's frames do not depend on how the stream was cut; the first byte of the input picks the cuts. */
#include "collect/wire/relp_frame.h"

#include "cut_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(void *context, const struct relp_frame *frame)
{
    struct stream_sum *sum = context;
    sum->hash = hash_bytes_seeded(frame->data, sum->hash + frame->number + frame->part + 2u * frame->last);
    sum->hash = hash_bytes_seeded(slice_text(frame->command), sum->hash);
    sum->frames++;
}

static struct stream_sum feed(struct slice bytes, size_t step)
{
    struct relp_frames frames;
    struct stream_sum sum = {0};
    int result = 0;
    relp_frames_init(&frames);
    for (size_t at = 0; at < bytes.len && result == 0; at += step)
        result = relp_frames_feed(&frames, slice_sub(bytes, at, step), add, &sum);
    relp_frames_close(&frames);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_check(data, size, feed);
    return 0;
}
