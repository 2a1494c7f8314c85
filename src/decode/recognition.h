#pragma once
/*
 * decode/recognition: which decoder an event is for.
 *
 * The choice depends on the event and on what its source is called, never on
 * events before it, so that results do not depend on how batches were cut.
 *
 *   1. decoders that name the event's sourcetype or dataset, in priority order, if their other
 *      tests pass
 *   2. of a text within another: decoders that name its program, likewise
 *   3. decoders that recognise the content, in priority order
 *   4. none: the event stays raw
 *
 * What it costs hardly depends on how many decoders are loaded: one pass over the text (or over the keys of a
 * JSON object) finds the few that are worth asking.
 *
 * Threads  What is built is read-only; a sighter is one thread's.
 */
#include "decode/registry.h"
#include "pattern/literal_set.h"

#define SIGHTER_BYTES_MAX (4 * MIB)

/* What is asked of texts of one kind. */
struct literal_index {
    const struct literal_set *set;
    uint32_t count;
    uint32_t *owners; /* of each literal: the decoder's number */
    uint64_t *always; /* decoders that neither a literal nor a key tells */
};

/* Bytes at the start of a text that are looked at one by one. */
enum { RECOGNITION_PLACES = 6 };

struct recognition {
    uint32_t words; /* of 64 bits, one for each decoder in the order of decoders->all */
    struct literal_index literals[TEXT_KIND_COUNT];
    uint64_t *by_json_key; /* for each key, words of decoders that are filed under it */
    uint64_t *by_place[RECOGNITION_PLACES]; /* for each byte, words of the decoders whose texts may have it there */
};

/* Once all decoders are loaded and sorted. */
MUST_USE int recognition_build(struct decoders *decoders, struct err *err);

/* What a thread needs for looking. */
struct sighter {
    struct arena *arena;
    struct literal_scan scan;
    struct slice scanned; /* the event's text, if scan is of it */
    enum text_kind scanned_kind;
    uint64_t *bits;
};
MUST_USE int sighter_init(struct sighter *sighter, const struct decoders *decoders); /* -1: no memory */
void sighter_close(struct sighter *sighter);
/* Before each event: what is known of the last one's text is no longer true. */
static inline void sighter_begin(struct sighter *sighter)
{
    sighter->scanned = SLICE_NONE;
}

/* What the text seems to be; whether a JSON object is whole is seen when it is scanned. */
enum text_kind text_kind_by_start(struct slice text);

/* What is known of an event before it is cut. */
struct sighting {
    struct sighter *sighter;
    struct slice source;  /* sourcetype or dataset, or none */
    struct slice program; /* of an inner text, or none */
    struct slice text;
    enum text_kind kind;
    const struct json_tokens *tokens; /* of JSON texts */
    struct slice header;  /* the line that names the columns of the file, or none */
    bool inner;
};
/* NULL: nobody takes it. */
const struct decoder *decoders_choose(const struct decoders *decoders,
                                      const struct sighting *sighting);
/* Those that would take it, the first choice first, up to max of them. */
uint32_t decoders_rank(const struct decoders *decoders, const struct sighting *sighting,
                       const struct decoder **out, uint32_t max);

/* A decoder that does not take the text, though some of what it asks for is there. */
enum nearly_lacks { LACKS_NOTHING, LACKS_START, LACKS_TEXT, LACKS_REGEX, LACKS_KEY };
struct nearly {
    const struct decoder *decoder; /* NULL: there is none */
    uint32_t met, asked;           /* its tests of the content */
    enum nearly_lacks lacks;       /* the first that fails, */
    struct slice what;             /* and what it asks for */
};
/* The one of whose tests most are met: half of them at least, one of them a literal of four bytes or a key. Asks
 * every decoder of that kind of text, so it is for people, not for every event. */
struct nearly decoders_nearest(const struct decoders *decoders, const struct sighting *sighting);

/* Whether it reads what is around another text: an event that it took itself has a text that nobody knew. */
bool decoder_is_envelope(const struct decoder *decoder);
/* Whether it says little about an event that it took: an envelope, or it takes any names and values. */
bool decoder_is_general(const struct decoder *decoder);
