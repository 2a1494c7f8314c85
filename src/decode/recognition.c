/* Who is asked about a text, and who is chosen. */
#include "decode/recognition_inside.h"

#include "base/mem.h"

enum text_kind text_kind_by_start(struct slice text)
{
    enum { BLANKS_MAX = 64 };
    size_t at = 0;
    while (at < text.len && at < BLANKS_MAX && (unsigned char)text.ptr[at] <= ' ')
        at++;
    text = slice_from(text, at);
    if (text.len && text.ptr[0] == '{')
        return TEXT_JSON;
    return slice_starts(text, SLICE("<Event")) || slice_starts(text, SLICE("<?xml")) ? TEXT_XML : TEXT_PLAIN;
}

int sighter_init(struct sighter *sighter, const struct decoders *decoders)
{
    *sighter = (struct sighter){.arena = arena_new(SIGHTER_BYTES_MAX)};
    uint32_t words = decoders->recognition->words;
    sighter->bits = sighter->arena ? arena_calloc(sighter->arena, words * sizeof(uint64_t)) : NULL;
    uint32_t most = 1;
    for (unsigned kind = 0; kind < TEXT_KIND_COUNT; kind++)
        if (decoders->recognition->literals[kind].count > most)
            most = decoders->recognition->literals[kind].count;
    if (sighter->bits && literal_scan_init(&sighter->scan, sighter->arena, most) == 0)
        return 0;
    sighter_close(sighter);
    return -1;
}

void sighter_close(struct sighter *sighter)
{
    arena_free(sighter->arena);
    *sighter = (struct sighter){0};
}

struct ranking {
    const struct decoder **out;
    uint32_t count, max;
};

/* False when there are enough. */
static bool rank_one(struct ranking *ranking, const struct decoder *decoder, const struct sighting *sighting,
                     const struct json_seen *seen, bool found)
{
    for (uint32_t i = 0; i < ranking->count; i++)
        if (ranking->out[i] == decoder)
            return true;
    if (recognise_fits(decoder, sighting, seen, found))
        ranking->out[ranking->count++] = decoder;
    return ranking->count < ranking->max;
}

static bool rank_list(struct ranking *ranking, const struct decoder_list *list, const struct sighting *sighting,
                      const struct json_seen *seen)
{
    for (uint32_t i = 0; list && i < list->count; i++)
        if (!rank_one(ranking, list->list[i], sighting, seen, false))
            return false;
    return true;
}

static bool rank_named(struct ranking *ranking, const struct decoders *decoders, const struct sighting *sighting,
                       const struct json_seen *seen)
{
    char lower[SOURCE_NAME_MAX];
    const struct decoder_list *named = NULL, *programs = NULL;
    if (sighting->source.len)
        named = map_find(&decoders->by_source, decoders_lowercase(sighting->source, lower));
    if (sighting->program.len)
        programs = map_find(&decoders->by_program, sighting->program);
    return rank_list(ranking, named, sighting, seen) && rank_list(ranking, programs, sighting, seen);
}

/* The literals that stand in the text. Those of the whole event are enough for a text within it: they are more, and
 * who is found by them is asked before it is chosen. */
static void scan_literals(const struct literal_index *index, const struct sighting *sighting)
{
    struct sighter *sighter = sighting->sighter;
    const char *start = sighter->scanned.ptr, *text = sighting->text.ptr;
    if (start && sighting->kind == sighter->scanned_kind && text >= start &&
        text + sighting->text.len <= start + sighter->scanned.len)
        return;
    literal_set_scan(index->set, sighting->text, &sighter->scan);
    sighter->scanned = sighting->text;
    sighter->scanned_kind = sighting->kind;
}

static void keep_by_places(const struct recognition *recognition, const char *text, uint64_t *bits)
{
    const uint64_t *may[RECOGNITION_PLACES];
    uint32_t words = recognition->words;
    for (size_t place = 0; place < RECOGNITION_PLACES; place++)
        may[place] = recognition->by_place[place] + (size_t)(unsigned char)text[place] * words;
    for (uint32_t i = 0; i < words; i++)
        if (bits[i])
            for (size_t place = 0; place < RECOGNITION_PLACES; place++)
                bits[i] &= may[place][i];
}

/* Bits of the decoders that the text may be for. */
static void look(const struct decoders *decoders, const struct sighting *sighting, const struct json_seen *seen)
{
    const struct recognition *recognition = decoders->recognition;
    const struct literal_index *index = &recognition->literals[sighting->kind];
    struct sighter *sighter = sighting->sighter;
    uint32_t words = recognition->words;
    memcpy(sighter->bits, index->always, words * sizeof(uint64_t));
    if (index->count)
        scan_literals(index, sighting);
    for (uint32_t i = 0; index->count && i < sighter->scan.count; i++)
        bits_set(sighter->bits, index->owners[sighter->scan.found[i]]);
    if (sighting->kind == TEXT_PLAIN && sighting->text.len >= RECOGNITION_PLACES)
        keep_by_places(recognition, sighting->text.ptr, sighter->bits);
    for (uint32_t w = 0; sighting->kind == TEXT_JSON && w < JSON_NEEDS_MAX / 64; w++)
        for (uint64_t left = seen->bits[w]; left; left &= left - 1) {
            size_t number = w * 64 + (uint32_t)__builtin_ctzll(left);
            for (uint32_t i = 0; i < words; i++)
                sighter->bits[i] |= recognition->by_json_key[number * words + i];
        }
}

uint32_t decoders_rank(const struct decoders *decoders, const struct sighting *sighting,
                       const struct decoder **out, uint32_t max)
{
    UNSET struct json_seen seen;
    struct ranking ranking = {out, 0, max};
    if (sighting->kind == TEXT_JSON)
        recognition_see_keys(decoders, sighting->tokens, &seen);
    if (!rank_named(&ranking, decoders, sighting, &seen))
        return ranking.count;
    look(decoders, sighting, &seen);
    for (uint32_t w = 0; w < decoders->recognition->words; w++)
        for (uint64_t left = sighting->sighter->bits[w]; left; left &= left - 1)
            if (!rank_one(&ranking, decoders->all.list[w * 64 + (uint32_t)__builtin_ctzll(left)], sighting, &seen, true))
                return ranking.count;
    return ranking.count;
}

/* Half of the keys that a decoder asks for. Records leave out keys, and who named the source knows what it is. */
static bool json_nearly_fits(const struct recognise *r, const struct json_tokens *tokens, const struct json_seen *seen)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < r->json_count; i++) {
        struct recognise one = {.json = &r->json[i], .json_count = 1};
        if (recognise_json_fits(&one, tokens, seen))
            found++;
        else if (r->json[i].value.ptr)
            return false;
    }
    return found && found * 2 >= r->json_count;
}

/* The decoder that is called as the source is, for a JSON record that lacks some of its keys. */
static const struct decoder *namesake(const struct decoders *decoders, const struct sighting *sighting)
{
    char lower[SOURCE_NAME_MAX];
    UNSET struct json_seen seen;
    const struct decoder *decoder =
        sighting->source.len ? decoders_find(decoders, decoders_lowercase(sighting->source, lower)) : NULL;
    if (!decoder || decoder->recognise.inner_only)
        return NULL;
    recognition_see_keys(decoders, sighting->tokens, &seen);
    return json_nearly_fits(&decoder->recognise, sighting->tokens, &seen) ? decoder : NULL;
}

const struct decoder *decoders_choose(const struct decoders *decoders, const struct sighting *sighting)
{
    const struct decoder *chosen = NULL;
    decoders_rank(decoders, sighting, &chosen, 1);
    if (sighting->kind == TEXT_JSON && (!chosen || chosen->recognise.priority >= GUESS_PRIORITY)) {
        const struct decoder *named = namesake(decoders, sighting);
        if (named)
            return named;
    }
    return chosen;
}
