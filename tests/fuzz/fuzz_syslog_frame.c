/* Framing: the frames do not depend on how the stream was cut; the first byte of the input picks the cuts. */
#include "collect/wire/syslog_frame.h"

#include "cut_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stream_sum feed(struct slice bytes, size_t step)
{
    struct syslog_frames frames;
    struct stream_sum sum = {0};
    syslog_frames_init(&frames);
    for (size_t at = 0; at < bytes.len; at += step)
        assert(syslog_frames_feed(&frames, slice_sub(bytes, at, step), stream_add, &sum) == 0);
    syslog_frames_finish(&frames, stream_add, &sum);
    syslog_frames_close(&frames);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_check(data, size, feed);
    return 0;
}
