#include "collect/wire/gelf_frame.h"

#include "base/lane.h"
#include "base/limits.h"

struct visitor {
    gelf_frame_visit visit;
    void *context;
};

void gelf_frames_init(struct gelf_frames *frames)
{
    *frames = (struct gelf_frames){0};
    buffer_init(&frames->pending, 4 * EVENT_BYTES_MAX);
}

void gelf_frames_close(struct gelf_frames *frames)
{
    buffer_close(&frames->pending);
}

static void give(const struct visitor *visitor, struct slice frame, bool part)
{
    frame = part ? frame : slice_trim(frame);
    if (frame.len)
        visitor->visit(visitor->context, frame, part);
}

/* Whether the first message ends before this byte; an end of its own is the byte itself. */
static bool ends_first(struct gelf_frames *frames, char c)
{
    bool line_began = frames->line_began;
    frames->line_began = c == '\n';
    if (c == '\0') {
        frames->ends = GELF_ENDS_NUL;
        return true;
    }
    if (c == '\n' && (frames->quoted || frames->depth == 0)) { /* none of JSON: it cannot be within a text */
        frames->ends = GELF_ENDS_LF;
        return true;
    }
    if (c == '{' && line_began && !frames->quoted && frames->depth) { /* the one before was broken: GELF is flat */
        frames->ends = GELF_ENDS_LF;
        return true;
    }
    if (frames->quoted) {
        frames->quoted = c != '"' || frames->escaped;
        frames->escaped = c == '\\' && !frames->escaped;
    } else if (c == '"') {
        frames->quoted = true;
    } else if (c == '{') {
        frames->depth++;
    } else if (c == '}' && frames->depth) {
        frames->depth--;
    }
    return false;
}

/* The length of the frame at the start of text, whose first seen bytes hold no end; text.len: none yet. */
static size_t find_end(struct gelf_frames *frames, struct slice text)
{
    const char *end = text.ptr + text.len, *at = text.ptr + frames->seen;
    if (frames->ends == GELF_ENDS_LF)
        return (size_t)(lane_seek(at, end, '\n', '\0') - text.ptr);
    if (frames->ends == GELF_ENDS_NUL)
        return (size_t)(lane_seek(at, end, '\0', '\0') - text.ptr);
    while (at < end && !ends_first(frames, *at))
        at++;
    return (size_t)(at - text.ptr);
}

/* Takes the next frame off *rest; false when more bytes are needed for it. */
static bool next_frame(struct gelf_frames *frames, struct slice *rest, const struct visitor *visitor)
{
    struct slice window = slice_sub(*rest, 0, EVENT_BYTES_MAX);
    if (frames->ends == GELF_ENDS_UNKNOWN && frames->seen == 0 && !frames->part && window.ptr[0] == '\n') {
        *rest = slice_from(*rest, 1); /* before the first message it tells nothing */
        return true;
    }
    size_t len = find_end(frames, window);
    if (len < window.len) {
        give(visitor, slice_sub(*rest, 0, len), frames->part);
        *rest = slice_from(*rest, rest->ptr[len] == '{' ? len : len + 1);
        frames->part = false;
    } else if (window.len < EVENT_BYTES_MAX) {
        frames->seen = len;
        return false;
    } else {
        give(visitor, window, true);
        *rest = slice_from(*rest, window.len);
        frames->part = true;
    }
    frames->seen = 0;
    return true;
}

int gelf_frames_feed(struct gelf_frames *frames, struct slice bytes, gelf_frame_visit visit, void *context)
{
    struct visitor visitor = {visit, context};
    while (bytes.len) { /* in steps, so that pending stays within its bound */
        struct slice piece = slice_sub(bytes, 0, EVENT_BYTES_MAX);
        bytes = slice_from(bytes, piece.len);
        buffer_put(&frames->pending, piece);
        if (buffer_failed(&frames->pending))
            return -1;
        struct slice all = buffer_slice(&frames->pending), rest = all;
        while (rest.len && next_frame(frames, &rest, &visitor))
            continue;
        buffer_consume(&frames->pending, all.len - rest.len);
    }
    return 0;
}

void gelf_frames_finish(struct gelf_frames *frames, gelf_frame_visit visit, void *context)
{
    struct visitor visitor = {visit, context};
    give(&visitor, buffer_slice(&frames->pending), frames->part);
    buffer_clear(&frames->pending);
    frames->seen = 0;
    frames->part = false;
}

void gelf_frames_spill(struct gelf_frames *frames, gelf_frame_visit visit, void *context)
{
    struct visitor visitor = {visit, context};
    if (!frames->pending.len)
        return;
    give(&visitor, buffer_slice(&frames->pending), true);
    buffer_clear(&frames->pending);
    frames->seen = 0;
    frames->part = true;
}
