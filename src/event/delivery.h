#pragma once
/*
 * event/delivery: what a collector received at once, as the journal keeps it
 * and the decoder gets it. One delivery is acknowledged as a whole.
 *
 * The body is the senders' bytes, framed in one of two ways:
 *   LINES    events separated by LF (a CR before it is not part of the event);
 *            empty lines are no events
 *   RECORDS  per event: varint length, varint hint length, hint, bytes.
 *            A hint is "key=value" pairs separated by 0x1f that the sender gave
 *            beside the event (HEC's time, host, source, sourcetype, index, fields as JSON)
 *
 * Encoded (docs/format/journal.md): varint-prefixed fields in the order below.
 * Ownership  All slices are borrowed from the bytes it was decoded from or the collector's.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"

enum framing {
    FRAMING_LINES = 1,
    FRAMING_RECORDS = 2,
};

/* Who delivered; kept apart from what the event itself claims (sec/I2). */
struct origin {
    struct slice source;   /* hinomi.source: the configured input, e.g. "hec", "syslog", "import" */
    struct slice stream;   /* hinomi.stream (index): set by configuration or token only */
    struct slice dataset;  /* decoder chosen by configuration or --source, or none */
    struct slice peer;     /* address and port, or none for files */
    struct slice sender;   /* the address of them; made when the delivery is decoded */
    struct slice identity; /* token id or TLS identity, or none */
    struct slice path;     /* log.file.path, or none */
    struct slice zone;     /* IANA zone for stamps that have none, or none (UTC) */
};

struct delivery {
    struct origin origin;
    int64_t received_ns;
    struct slice key;    /* Idempotency-Key, or none */
    struct slice cursor; /* the collector's own position, durable together with the events */
    enum framing framing;
    uint32_t event_count;
    struct slice body;
    bool cannot_wait; /* its sender holds nothing back; not part of what is kept */
    /* set by the journal */
    uint64_t first_seq; /* hinomi.seq of the first event; they follow without gaps */
    uint64_t journal_end;
};

void delivery_encode(const struct delivery *delivery, struct buffer *to);
/* Everything but first_seq and journal_end. */
MUST_USE int delivery_decode(struct slice bytes, struct delivery *out, struct err *err);

/* Events of LINES bytes. */
uint32_t delivery_count_lines(struct slice body);

/* Walks the events: start with at = 0. False at the end; a damaged record body ends it too and
 * sets *damaged. */
struct delivery_event {
    struct slice raw;
    struct slice hints; /* RECORDS only */
};
bool delivery_next(const struct delivery *delivery, size_t *at, struct delivery_event *out,
                   bool *damaged);
/* Appends one event to a RECORDS body. */
void delivery_put_record(struct buffer *body, struct slice raw, struct slice hints);
/* Likewise, but one over EVENT_BYTES_MAX as linked parts (hint part=2/3). How many events that is; none of no bytes. */
uint32_t delivery_put_event(struct buffer *body, struct slice raw, struct slice hints);
/* The parts one by one, from 0. */
uint32_t delivery_part_count(struct slice raw);
void delivery_put_part(struct buffer *body, struct slice raw, uint32_t part, struct slice hints);
/* Appends "key=value"; the separator cannot be part of a value and becomes a blank. */
void delivery_put_hint(struct buffer *hints, const char *key, struct slice value);
/* Appends the hint "time", exact to the ns; 0 means that the sender said none, and appends nothing. */
void delivery_put_time_hint(struct buffer *hints, int64_t time_ns);
/* All that a decoder asks for, at once; SLICE_NONE: not among the hints. The first of a key counts. */
struct delivery_hints {
    struct slice time, host, source, sourcetype, fields;
    struct slice index;    /* hinomi.sent_index: the place the sender wants; hinomi.stream is not chosen by it */
    struct slice id;       /* event.id; hinomi.own_id then is what the event itself says */
    struct slice encoding; /* of text that is not UTF-8 */
    struct slice decoder, exported;
    struct slice part; /* of a longer event: which/of how many, or 1 where nobody knows yet */
};
void delivery_read_hints(struct slice hints, struct delivery_hints *out);
/* SLICE_NONE when the key is not among the hints. */
struct slice delivery_find_hint(struct slice hints, const char *key);
static inline struct slice delivery_hint(struct slice hints, const char *key)
{
    return hints.len ? delivery_find_hint(hints, key) : SLICE_NONE; /* most events have none */
}
