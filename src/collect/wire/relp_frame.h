#pragma once
/*
 * collect/relp_frame: cuts a TCP byte stream into frames of RELP, the Reliable Event Logging Protocol:
 * TXNR SP COMMAND SP DATALEN [SP DATA] LF.
 *
 * Source   R. Gerhards, "RELP - The Reliable Event Logging Protocol (Specification)", version 1 (rsyslog's site).
 * Limits   TXNR and DATALEN have 1 to 9 digits, COMMAND 1 to 32 letters. Data over EVENT_BYTES_MAX comes in parts.
 * Errors   A stream that breaks the grammar cannot be followed any further: it ends with the connection, and the sender
 *          still holds what was not answered.
 * The frames do not depend on how the stream was cut by the network.
 */
#include "base/buffer.h"

enum { RELP_COMMAND_MAX = 32 };

struct relp_frame {
    uint32_t number; /* TXNR */
    char command[RELP_COMMAND_MAX + 1];
    struct slice data;
    bool part; /* one of several of the same frame */
    bool last; /* the frame ends with it */
};

struct relp_frames {
    struct buffer pending;
    struct relp_frame frame; /* being read */
    size_t data_left;
    bool in_data, part;
};

void relp_frames_init(struct relp_frames *frames);
void relp_frames_close(struct relp_frames *frames);
/* -1 when the stream is no RELP (any more) or memory is out; visit was called for the frames before. */
MUST_USE int relp_frames_feed(struct relp_frames *frames, struct slice bytes,
                              void (*visit)(void *context, const struct relp_frame *frame), void *context);
