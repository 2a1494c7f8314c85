#pragma once
/* decode/recognition_inside: what the parts of recognition share: how decoders are filed (recognition_index.c), what
 * they ask of a text (recognition_tests.c), who is chosen (recognition.c), who came near (recognition_near.c). */
#include "base/bits.h"
#include "decode/recognition.h"
#include "decode/registry.h"

enum {
    LITERAL_BYTES_MIN = 4, /* shorter ones are not looked for */
    GUESS_PRIORITY = 90,   /* and beyond: decoders of any JSON, any pairs */
};

/* The keys of a JSON object that some decoder asks for, and their tokens. */
struct json_seen {
    uint64_t bits[JSON_NEEDS_MAX / 64];
    uint32_t token[JSON_NEEDS_MAX];
};

/* Keys are put through a filter first: most are nobody's. */
unsigned recognition_key_bit(struct slice key);
/* Whether it may be for such texts at all. */
bool recognise_kind(const struct recognise *r, enum text_kind kind);
/* It is filed under literals, if it has some: recognise_literals(). */
bool recognise_by_literal(const struct recognise *r, enum text_kind kind);
/* Literals of which a text for the decoder must have one, long enough to be looked for quickly; none: it is always
 * asked. What must be at the start is not looked for: asking for it costs less. *one is room for a single one. */
uint32_t recognise_literals(const struct recognise *r, struct slice *one, const struct slice **out);

void recognition_see_keys(const struct decoders *decoders, const struct json_tokens *tokens, struct json_seen *seen);
bool recognise_json_fits(const struct recognise *r, const struct json_tokens *tokens, const struct json_seen *seen);
bool recognise_starts_fit(const struct recognise *r, struct slice text);
/* One of them is in it, or there are none. */
bool recognise_has_one(struct slice text, const struct slice *list, uint32_t count);
/* All that the decoder asks. found: a look at the text led to it. */
bool recognise_fits(const struct decoder *decoder, const struct sighting *sighting, const struct json_seen *seen,
                    bool found);
