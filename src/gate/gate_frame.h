#pragma once
/*
 * gate/gate_frame: the bytes on the gate's Unix socket (docs/format/gate-socket.md). Both sides send frames; a caller asks and
 * waits for the answer to what it asked, as often as it likes.
 *
 *   frame    | "HGS1" | kind 1 | 0 | count 2 | length 4 | body of that length |      little-endian
 *   ask      | length 4 | canonical bytes of a request |  ...                        count of them
 *   answer   | length 4 | what the gate says |            ...                        in the same order
 *
 * Threads  Any; nothing is kept.
 * Limits   GATE_FRAME_BYTES_MAX, GATE_ASK_MAX in a frame.
 */
#include "base/buffer.h"
#include "gate/gate.h"

enum { GATE_FRAME_HEAD = 12 };

enum gate_frame_kind {
    GATE_FRAME_ASK = 1,
    GATE_FRAME_ANSWER = 2,
    GATE_FRAME_CHECK = 3,   /* canonical bytes and a token: is this allow of ours, and still good? */
    GATE_FRAME_CHECKED = 4,
    GATE_FRAME_REPORT = 5,  /* what a caller decided alone, by its own table, while nobody answered */
    GATE_FRAME_REPORTED = 6,
    GATE_FRAME_ERROR = 7,   /* the frame could not be read; the connection ends */
    GATE_FRAME_EXPLAIN = 8, /* one request: what would the answer be, and why? decides nothing */
    GATE_FRAME_EXPLAINED = 9, /* as JSON */
};

struct gate_frame {
    enum gate_frame_kind kind;
    uint16_t count;
    struct slice body;
};

/* The head of a frame: kind, count and the length of its body (body.len; body.ptr is not set). ERR_CORRUPT: none, or too long. */
MUST_USE int gate_frame_head(struct slice head, struct gate_frame *out, struct err *err);
/* Begins a frame, and sets its length when the body is there. */
size_t gate_frame_begin(struct buffer *to, enum gate_frame_kind kind, uint16_t count);
void gate_frame_end(struct buffer *to, size_t begun);

/* The next request of a body; slices borrow. ERR_CONFIG says what is wrong with it. */
MUST_USE int gate_frame_take_request(struct slice *body, struct gate_request *out, struct err *err);
/* The same of a request's bytes alone. */
MUST_USE int gate_request_from_canonical(struct slice bytes, struct gate_request *out, struct err *err);

void gate_frame_put_answer(struct buffer *to, const struct gate_ask *ask);

/* Exactly len bytes of a socket; false when it ends or its time is over first. */
MUST_USE bool gate_frame_receive(int fd, char *to, size_t len);
