#include "collect/wire/syslog_frame.h"

#include "base/limits.h"

enum { COUNT_DIGITS_MAX = 9 };

void syslog_frames_init(struct syslog_frames *frames)
{
    *frames = (struct syslog_frames){0};
    buffer_init(&frames->pending, 4 * EVENT_BYTES_MAX);
}

void syslog_frames_close(struct syslog_frames *frames)
{
    buffer_close(&frames->pending);
}

struct visitor {
    syslog_frame_visit visit;
    void *context;
};

/* Line ends at the end of a message are none of it; within one they are. */
static void give(const struct visitor *visitor, struct slice frame, bool part, bool last)
{
    while (last && frame.len && (frame.ptr[frame.len - 1] == '\n' || frame.ptr[frame.len - 1] == '\r' ||
                         frame.ptr[frame.len - 1] == '\0'))
        frame.len--;
    if (frame.len)
        visitor->visit(visitor->context, frame, part);
}

enum step { STEP_MORE, STEP_WAIT };

/* "123 " at the start: 1 and the count, 0 when more bytes are needed, -1 when it is no count. */
static int take_count(struct slice bytes, size_t *digits, size_t *count)
{
    size_t n = 0, i = 0;
    for (; i < bytes.len && bytes.ptr[i] >= '0' && bytes.ptr[i] <= '9'; i++) {
        if (i == COUNT_DIGITS_MAX)
            return -1;
        n = n * 10 + (size_t)(bytes.ptr[i] - '0');
    }
    if (i == bytes.len)
        return 0;
    if (bytes.ptr[i] != ' ')
        return -1;
    *digits = i + 1;
    *count = n;
    return 1;
}

static enum step counted_step(struct syslog_frames *frames, struct slice *rest,
                              const struct visitor *visitor)
{
    bool long_message = frames->part || frames->octets_left > EVENT_BYTES_MAX;
    size_t want = frames->octets_left < EVENT_BYTES_MAX ? frames->octets_left : EVENT_BYTES_MAX;
    if (rest->len < want)
        return STEP_WAIT;
    give(visitor, slice_sub(*rest, 0, want), long_message, want == frames->octets_left);
    *rest = slice_from(*rest, want);
    frames->octets_left -= want;
    frames->part = frames->octets_left > 0;
    frames->counted = frames->octets_left > 0;
    return STEP_MORE;
}

static enum step line_step(struct syslog_frames *frames, struct slice *rest,
                           const struct visitor *visitor)
{
    struct slice window = slice_sub(*rest, 0, EVENT_BYTES_MAX + 1);
    const char *end = memchr(window.ptr, '\n', window.len);
    size_t len = end ? (size_t)(end - window.ptr) : window.len;
    const char *zero = memchr(window.ptr, '\0', len);
    len = zero ? (size_t)(zero - window.ptr) : len;
    if (len < window.len) {
        give(visitor, slice_sub(*rest, 0, len), frames->part, true);
        *rest = slice_from(*rest, len + 1);
        frames->part = false;
        return STEP_MORE;
    }
    if (rest->len <= EVENT_BYTES_MAX)
        return STEP_WAIT;
    give(visitor, slice_sub(*rest, 0, EVENT_BYTES_MAX), true, false);
    *rest = slice_from(*rest, EVENT_BYTES_MAX);
    frames->part = true;
    return STEP_MORE;
}

static enum step next_frame(struct syslog_frames *frames, struct slice *rest,
                            const struct visitor *visitor)
{
    if (frames->counted)
        return counted_step(frames, rest, visitor);
    if (!frames->part && rest->ptr[0] >= '1' && rest->ptr[0] <= '9') {
        size_t digits = 0, count = 0;
        int found = take_count(*rest, &digits, &count);
        if (found == 0)
            return STEP_WAIT;
        if (found > 0) {
            *rest = slice_from(*rest, digits);
            frames->counted = true;
            frames->octets_left = count;
            return STEP_MORE;
        }
        ptrdiff_t line = slice_find_char(*rest, '\n');
        if (line < 0 && rest->len <= EVENT_BYTES_MAX)
            return STEP_WAIT; /* counted once, when the line is complete */
        frames->bad_counts++;
    }
    return line_step(frames, rest, visitor);
}

static void cut(struct syslog_frames *frames, const struct visitor *visitor)
{
    struct slice all = buffer_slice(&frames->pending), rest = all;
    while (rest.len) {
        if (!frames->counted && !frames->part &&
            (rest.ptr[0] == '\n' || rest.ptr[0] == '\r' || rest.ptr[0] == '\0')) {
            rest = slice_from(rest, 1); /* empty lines, and the LF some senders put after a count */
            continue;
        }
        if (next_frame(frames, &rest, visitor) == STEP_WAIT)
            break;
    }
    buffer_consume(&frames->pending, all.len - rest.len);
}

int syslog_frames_feed(struct syslog_frames *frames, struct slice bytes, syslog_frame_visit visit,
                       void *context)
{
    struct visitor visitor = {visit, context};
    while (bytes.len) { /* in steps, so that pending stays within its bound */
        struct slice piece = slice_sub(bytes, 0, EVENT_BYTES_MAX);
        bytes = slice_from(bytes, piece.len);
        buffer_put(&frames->pending, piece);
        if (buffer_failed(&frames->pending))
            return -1;
        cut(frames, &visitor);
    }
    return 0;
}

void syslog_frames_spill(struct syslog_frames *frames, syslog_frame_visit visit, void *context)
{
    struct visitor visitor = {visit, context};
    if (!frames->pending.len)
        return;
    give(&visitor, buffer_slice(&frames->pending), true, false);
    if (frames->counted)
        frames->octets_left -= frames->pending.len;
    frames->part = true;
    buffer_clear(&frames->pending);
}

void syslog_frames_finish(struct syslog_frames *frames, syslog_frame_visit visit, void *context)
{
    struct visitor visitor = {visit, context};
    give(&visitor, buffer_slice(&frames->pending), frames->part, true);
    buffer_clear(&frames->pending);
    frames->counted = frames->part = false;
    frames->octets_left = 0;
}
