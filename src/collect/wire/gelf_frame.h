#pragma once
/*
 * collect/gelf_frame: cuts a TCP byte stream into GELF messages.
 *
 * Messages end with NUL, as the specification says, or with LF, as many senders do. Which of the two a connection
 * means is told by its first message: an LF within its braces is white space of the JSON, and the message goes on.
 * Where LF ends messages NUL does as well, not the other way round.
 *
 * Source   Graylog, "GELF via TCP".
 * Limits   A message over EVENT_BYTES_MAX comes in parts, none of it is lost.
 * The frames do not depend on how the stream was cut by the network.
 */
#include "base/buffer.h"

struct gelf_frames {
    struct buffer pending;
    size_t seen; /* bytes of it that were looked at */
    enum { GELF_ENDS_UNKNOWN, GELF_ENDS_NUL, GELF_ENDS_LF } ends;
    uint32_t depth; /* of the first message: open braces; and where in it we are */
    bool quoted, escaped, line_began;
    bool part; /* the next frame continues an over-long message */
};

void gelf_frames_init(struct gelf_frames *frames);
void gelf_frames_close(struct gelf_frames *frames);

/* part: the frame is a piece of a longer message (the first piece too). */
typedef void (*gelf_frame_visit)(void *context, struct slice frame, bool part);

/* -1 only when memory is out. */
MUST_USE int gelf_frames_feed(struct gelf_frames *frames, struct slice bytes, gelf_frame_visit visit, void *context);
/* What has come of an unfinished message is given as a part of it; the rest follows. */
void gelf_frames_spill(struct gelf_frames *frames, gelf_frame_visit visit, void *context);
/* At the end of the stream: what is left without an end is a message too. */
void gelf_frames_finish(struct gelf_frames *frames, gelf_frame_visit visit, void *context);
