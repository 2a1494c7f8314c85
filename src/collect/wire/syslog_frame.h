#pragma once
/*
 * collect/syslog_frame: cuts a TCP byte stream into syslog messages.
 *
 * Sources  RFC 6587: octet counting ("123 <34>1 ...") and non-transparent
 *          framing (LF; a NUL is taken as well). Told apart per message: a digit
 *          1-9 at the start of a message begins a count, anything else a line.
 * Limits   A message over EVENT_BYTES_MAX comes in parts, none of it is lost.
 *          A count that is no number, or of more than 9 digits, is counted in
 *          bad_counts and the bytes are taken as a line.
 * The frames do not depend on how the stream was cut by the network.
 */
#include "base/buffer.h"

struct syslog_frames {
    struct buffer pending;
    size_t octets_left; /* of a counted message that is being read */
    bool counted;       /* inside a counted message */
    bool part;          /* the next frame continues an over-long message */
    uint64_t bad_counts;
};

void syslog_frames_init(struct syslog_frames *frames);
void syslog_frames_close(struct syslog_frames *frames);

/* part: the frame is a piece of a longer message (the first piece too). */
typedef void (*syslog_frame_visit)(void *context, struct slice frame, bool part);

/* -1 only when memory is out. */
MUST_USE int syslog_frames_feed(struct syslog_frames *frames, struct slice bytes,
                                syslog_frame_visit visit, void *context);
/* What has come of an unfinished message is given as a part of it; the rest follows. */
void syslog_frames_spill(struct syslog_frames *frames, syslog_frame_visit visit, void *context);
/* At the end of the stream: what is left without a terminator is a message too. */
void syslog_frames_finish(struct syslog_frames *frames, syslog_frame_visit visit, void *context);
