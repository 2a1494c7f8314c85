#pragma once
/*
 * collect/receiver: what listeners over UDP, TCP and TLS have in common whose senders get no answer: a stream is cut into
 * events, a datagram is one or several, and both are gathered into deliveries (collect/gathering.h). A kind of collector
 * says how a stream is cut and what a datagram holds.
 *
 * Limits     RECEIVER_PENDING_MAX bytes of unfinished messages of all senders together: then those that are long come in
 *            parts before they are over EVENT_BYTES_MAX.
 * Ownership  Ends with its loop; then receiver_finish() and receiver_free().
 * Threads    Those of collector.h.
 */
#include "collect/wire/datagrams.h"
#include "collect/wire/listening.h"

/* part: the frame is a piece of a longer message (the first piece too). */
typedef void (*receiver_visit)(void *context, struct slice frame, bool part);

/* Cuts one sender's stream; frames is size zeroed bytes, of which a struct buffer is the first: what has come of an
 * unfinished message. feed is -1 only when memory is out. */
struct receiver_cutter {
    size_t size;
    void (*init)(void *frames);
    void (*close)(void *frames);
    int (*feed)(void *frames, struct slice bytes, receiver_visit visit, void *context);
    void (*finish)(void *frames, receiver_visit visit, void *context); /* what is left without an end is a message too */
    void (*spill)(void *frames, receiver_visit visit, void *context);  /* what is left is given as a part; more may follow */
};

/* Makes `cutter` of NAME_frames_init(), _close(), _feed(), _finish() and _spill() over struct NAME_frames. */
#define RECEIVER_CUTTER(NAME)                                                                                              \
    static void frames_init(void *frames) { NAME##_frames_init(frames); }                                                  \
    static void frames_close(void *frames) { NAME##_frames_close(frames); }                                                \
    static int frames_feed(void *frames, struct slice bytes, receiver_visit visit, void *context)                          \
    {                                                                                                                      \
        return NAME##_frames_feed(frames, bytes, visit, context);                                                          \
    }                                                                                                                      \
    static void frames_finish(void *frames, receiver_visit visit, void *context)                                           \
    {                                                                                                                      \
        NAME##_frames_finish(frames, visit, context);                                                                      \
    }                                                                                                                      \
    static void frames_spill(void *frames, receiver_visit visit, void *context)                                            \
    {                                                                                                                      \
        NAME##_frames_spill(frames, visit, context);                                                                       \
    }                                                                                                                      \
    static const struct receiver_cutter cutter = {sizeof(struct NAME##_frames), frames_init, frames_close, frames_feed,    \
                                                  frames_finish, frames_spill}

struct receiver_config {
    const struct collector_host *host;
    const struct collector_settings *settings; /* with RECEIVER_OPTIONS */
    const struct receiver_cutter *cutter;
    struct slice hints; /* of every event of a stream (event/delivery.h) */
    /* As datagrams_config's. */
    bool (*datagram)(void *context, struct gathering *gathering, struct slice bytes);
    void *context;
};

extern const char *const receiver_transports[]; /* udp, tcp, tls */

#define RECEIVER_OPTIONS(standard_port, standard_transports)                                                               \
    LISTENING_OPTIONS(standard_port),                                                                                      \
    {"transport", SETTING_CHOICES, standard_transports, .choices = receiver_transports,                                    \
     .summary = "how it comes; tls stands alone, on a port of its own"},                                                   \
    LISTENING_TLS_OPTIONS

/* What the options' table cannot say. */
MUST_USE int receiver_check(const struct collector_settings *settings, struct err *err);

struct receiver;
/* Also after a failure *out goes to receiver_free(). */
MUST_USE int receiver_open(const struct receiver_config *config, struct receiver **out, struct err *err);
void receiver_finish(struct receiver *receiver);
void receiver_free(struct receiver *receiver); /* NULL is fine */
void receiver_count(const struct receiver *receiver, struct collector_counts *out);
