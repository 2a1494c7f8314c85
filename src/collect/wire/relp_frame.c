#include "collect/wire/relp_frame.h"

#include "base/limits.h"

enum { DIGITS_MAX = 9, HEAD_MAX = DIGITS_MAX + 1 + RELP_COMMAND_MAX + 1 + DIGITS_MAX + 1 };

enum step { STEP_MORE, STEP_WAIT, STEP_BROKEN };

void relp_frames_init(struct relp_frames *frames)
{
    *frames = (struct relp_frames){0};
    buffer_init(&frames->pending, 4 * EVENT_BYTES_MAX);
}

void relp_frames_close(struct relp_frames *frames)
{
    buffer_close(&frames->pending);
}

static bool take_number(struct slice text, uint32_t *out)
{
    uint64_t n;
    if (text.len == 0 || text.len > DIGITS_MAX || text.ptr[0] == '+' || !slice_to_u64(text, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool take_command(struct slice text, struct relp_frame *frame)
{
    if (text.len == 0 || text.len > RELP_COMMAND_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 0x20) < 'a' || (text.ptr[i] | 0x20) > 'z')
            return false;
    memcpy(frame->command, text.ptr, text.len);
    frame->command[text.len] = '\0';
    return true;
}

/* "7 syslog 12 " or, without data, "7 close 0" before its LF, which stays. */
static enum step take_head(struct relp_frames *frames, struct slice *rest)
{
    struct slice window = slice_sub(*rest, 0, HEAD_MAX), number, command, after;
    size_t len = 0;
    if (!slice_cut(window, ' ', &number, &after) || !slice_cut(after, ' ', &command, &after))
        return memchr(window.ptr, '\n', window.len) || window.len == HEAD_MAX ? STEP_BROKEN : STEP_WAIT;
    while (len < after.len && after.ptr[len] >= '0' && after.ptr[len] <= '9')
        len++;
    if (len == after.len)
        return window.len == HEAD_MAX || len > DIGITS_MAX ? STEP_BROKEN : STEP_WAIT;
    uint32_t data;
    if (!take_number(number, &frames->frame.number) || !take_command(command, &frames->frame) ||
        !take_number(slice_sub(after, 0, len), &data) || (after.ptr[len] != ' ' && after.ptr[len] != '\n') ||
        (after.ptr[len] == '\n' && data > 0))
        return STEP_BROKEN;
    *rest = slice_from(*rest, (size_t)(after.ptr + len - rest->ptr) + (after.ptr[len] == ' '));
    frames->data_left = data;
    frames->in_data = true;
    frames->part = false;
    return STEP_MORE;
}

struct visitor {
    void (*visit)(void *context, const struct relp_frame *frame);
    void *context;
};

static enum step take_data(struct relp_frames *frames, struct slice *rest, const struct visitor *visitor)
{
    size_t want = frames->data_left < EVENT_BYTES_MAX ? frames->data_left : EVENT_BYTES_MAX;
    bool last = want == frames->data_left;
    if (rest->len < want + last)
        return STEP_WAIT;
    if (last && rest->ptr[want] != '\n')
        return STEP_BROKEN;
    frames->frame.data = slice_sub(*rest, 0, want);
    frames->frame.last = last;
    frames->frame.part = frames->part || !last;
    visitor->visit(visitor->context, &frames->frame);
    *rest = slice_from(*rest, want + last);
    frames->data_left -= want;
    frames->part = !last;
    frames->in_data = !last;
    return STEP_MORE;
}

static enum step cut(struct relp_frames *frames, const struct visitor *visitor)
{
    struct slice all = buffer_slice(&frames->pending), rest = all;
    enum step step = STEP_MORE;
    while (step == STEP_MORE && rest.len)
        step = frames->in_data ? take_data(frames, &rest, visitor) : take_head(frames, &rest);
    buffer_consume(&frames->pending, all.len - rest.len);
    return step;
}

int relp_frames_feed(struct relp_frames *frames, struct slice bytes,
                     void (*visit)(void *context, const struct relp_frame *frame), void *context)
{
    struct visitor visitor = {visit, context};
    while (bytes.len) { /* in steps, so that pending stays within its bound */
        struct slice piece = slice_sub(bytes, 0, EVENT_BYTES_MAX);
        bytes = slice_from(bytes, piece.len);
        buffer_put(&frames->pending, piece);
        if (buffer_failed(&frames->pending) || cut(frames, &visitor) == STEP_BROKEN)
            return -1;
    }
    return 0;
}
