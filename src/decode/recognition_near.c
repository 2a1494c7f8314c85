/* Which decoder comes nearest to taking a text, and what it misses: for who writes or corrects one. */
#include "decode/recognition_inside.h"
#include "decode/verb.h"

static void meet(struct nearly *nearly, bool met, enum nearly_lacks test, struct slice what, uint64_t *weight)
{
    nearly->asked++;
    nearly->met += met;
    if (met)
        *weight += what.len >= LITERAL_BYTES_MIN || test == LACKS_KEY ? what.len : 0;
    else if (nearly->lacks == LACKS_NOTHING) {
        nearly->lacks = test;
        nearly->what = what;
    }
}

/* A text that begins otherwise is held against the first of them only, which stands for all. */
static struct slice start_met(const struct recognise *r, struct slice text)
{
    for (uint32_t i = 0; i < r->start_count; i++)
        if (slice_starts(text, r->starts[i]))
            return r->starts[i];
    return r->starts[0];
}

/* weight: bytes of literals and keys that are there; a key alone is no sign, many records have it. */
static struct nearly come_near(const struct decoder *decoder, const struct sighting *sighting,
                               const struct json_seen *seen, uint64_t *weight)
{
    const struct recognise *r = &decoder->recognise;
    struct nearly nearly = {.decoder = decoder};
    *weight = 0;
    if (r->start_count)
        meet(&nearly, recognise_starts_fit(r, sighting->text), LACKS_START, start_met(r, sighting->text), weight);
    for (uint32_t i = 0; i < r->contain_count; i++)
        meet(&nearly, slice_find(sighting->text, r->contains[i]) >= 0, LACKS_TEXT, r->contains[i], weight);
    if (r->any_count)
        meet(&nearly, recognise_has_one(sighting->text, r->any, r->any_count), LACKS_TEXT, r->any[0], weight);
    for (uint32_t i = 0; i < r->json_count; i++) {
        struct recognise one = {.json = &r->json[i], .json_count = 1};
        meet(&nearly, recognise_json_fits(&one, sighting->tokens, seen), LACKS_KEY, r->json[i].key, weight);
    }
    if (r->json_count && nearly.met < 2)
        *weight = 0;
    if (r->regex)
        meet(&nearly, regex_match(r->regex, sighting->text) == REGEX_YES, LACKS_REGEX, r->pattern, weight);
    return nearly;
}

static bool may_come_near(const struct decoder *decoder, const struct sighting *sighting)
{
    const struct recognise *r = &decoder->recognise;
    return r->by_content && !r->header && recognise_kind(r, sighting->kind) && (!r->inner_only || sighting->inner) &&
           r->priority < GUESS_PRIORITY && (sighting->kind == TEXT_JSON || !r->json_count);
}

struct nearly decoders_nearest(const struct decoders *decoders, const struct sighting *sighting)
{
    UNSET struct json_seen seen;
    struct nearly best = {0};
    uint64_t most = 0;
    if (sighting->kind == TEXT_JSON)
        recognition_see_keys(decoders, sighting->tokens, &seen);
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        uint64_t weight, left, right;
        if (!may_come_near(decoders->all.list[i], sighting))
            continue;
        struct nearly one = come_near(decoders->all.list[i], sighting, &seen, &weight);
        left = (uint64_t)one.met * (best.asked ? best.asked : 1);
        right = (uint64_t)best.met * one.asked;
        if (!weight || one.met == one.asked || one.met * 2 < one.asked)
            continue;
        if (left > right || (left == right && weight > most)) {
            best = one;
            most = weight;
        }
    }
    return best;
}

bool decoder_is_envelope(const struct decoder *decoder)
{
    for (uint32_t i = 0; i < decoder->steps.count; i++)
        if (decoder->steps.list[i].verb && strcmp(decoder->steps.list[i].verb->name, "inner") == 0)
            return true;
    return false;
}

bool decoder_is_general(const struct decoder *decoder)
{
    bool guesses = decoder->recognise.priority >= GUESS_PRIORITY && !decoder->recognise.column_count;
    return guesses || decoder_is_envelope(decoder);
}
