#include "decode/recognition.h"

#include "base/mem.h"
#include "decode/registry.h"
#include "decode/verb.h"
#include "pattern/regex_machine.h"

/* Which decoders a text may be for is told by one look at it: each decoder is filed under something it cannot do
 * without, a literal of the text or a key of the JSON object, and only those that the look finds are asked. */

enum { LITERAL_BYTES_MIN = 4, GUESS_PRIORITY = 90 /* and beyond: decoders of any JSON, any pairs */ };

/* --- building --- */

static unsigned filter_bit(struct slice key)
{
    uint32_t mixed = (uint32_t)(unsigned char)key.ptr[0] | (uint32_t)(unsigned char)key.ptr[key.len / 2] << 8 |
                     (uint32_t)(unsigned char)key.ptr[key.len - 1] << 16 | (uint32_t)key.len << 24;
    return mixed * UINT32_C(0x9e3779b1) >> (32 - JSON_FILTER_LOG2);
}

static int index_json_key(struct decoders *decoders, struct json_need *need, struct err *err)
{
    struct slice key = need->key;
    ptrdiff_t dot = slice_find_char(key, '.');
    uintptr_t known = (uintptr_t)map_find(&decoders->json_keys, key);
    if (known) {
        need->number = (uint32_t)known - 1;
        return 0;
    }
    if (decoders->json_key_count == JSON_NEEDS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d JSON keys are asked for", JSON_NEEDS_MAX);
    uint32_t number = decoders->json_key_count++;
    need->number = number;
    if (map_put(&decoders->json_keys, key, (void *)(uintptr_t)(number + 1)) < 0)
        return err_nomem(err);
    bits_set(decoders->json_filter, filter_bit(key));
    if (dot <= 0)
        return 0;
    struct slice parent = slice_sub(key, 0, (size_t)dot);
    void **slot = map_slot(&decoders->json_parents, parent);
    struct json_key *entry = arena_alloc(decoders->arena, sizeof(*entry));
    if (!slot || !entry)
        return err_nomem(err);
    *entry = (struct json_key){key, *slot};
    *slot = entry;
    bits_set(decoders->json_filter, filter_bit(parent));
    return 0;
}

/* The key that fewest decoders ask for: it finds this one and few others. */
static uint32_t rarest_key(const struct decoder *decoder, const uint32_t *asked)
{
    const struct recognise *r = &decoder->recognise;
    uint32_t best = r->json[0].number;
    for (uint32_t i = 1; i < r->json_count; i++)
        if (asked[r->json[i].number] < asked[best])
            best = r->json[i].number;
    return best;
}

static int index_json(struct decoders *decoders, struct recognition *recognition, struct err *err)
{
    uint32_t asked[JSON_NEEDS_MAX] = {0};
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct recognise *r = &decoders->all.list[i]->recognise;
        for (uint32_t k = 0; k < r->json_count; k++) {
            if (index_json_key(decoders, &r->json[k], err) < 0)
                return -1;
            asked[r->json[k].number]++;
        }
    }
    size_t bits = (size_t)decoders->json_key_count * recognition->words;
    recognition->by_json_key = arena_calloc(decoders->arena, (bits + 1) * sizeof(uint64_t));
    if (!recognition->by_json_key)
        return err_nomem(err);
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct decoder *decoder = decoders->all.list[i];
        const struct recognise *r = &decoder->recognise;
        if (r->by_content && !r->program_count && r->json_count)
            bits_set(recognition->by_json_key + (size_t)rarest_key(decoder, asked) * recognition->words, i);
    }
    return 0;
}

static bool takes_kind(const struct recognise *r, enum text_kind kind)
{
    return (!r->wants_json || kind == TEXT_JSON) && (!r->wants_xml || kind == TEXT_XML) &&
           (!r->wants_text || kind == TEXT_PLAIN);
}

/* A literal that a text for the decoder must have. */
static struct slice required_literal(const struct recognise *r)
{
    uint32_t longest = 0;
    for (uint32_t i = 1; i < r->contain_count; i++)
        if (r->contains[i].len > r->contains[longest].len)
            longest = i;
    if (r->contain_count)
        return r->contains[longest];
    return r->regex && !(regex_flags(r->regex) & REGEX_CASELESS) ? regex_required(r->regex) : SLICE("");
}

/* Literals of which a text for the decoder must have one, long enough to be looked for quickly; none: it is always
 * asked. What must be at the start is not looked for: asking for it costs less. */
static uint32_t literals_of(const struct recognise *r, struct slice *one, const struct slice **out)
{
    if (r->start_count)
        return 0;
    *one = required_literal(r);
    *out = one;
    if (one->len >= LITERAL_BYTES_MIN)
        return 1;
    *out = r->any;
    for (uint32_t i = 0; i < r->any_count; i++)
        if (r->any[i].len < LITERAL_BYTES_MIN)
            return 0;
    return r->any_count;
}

/* What a regular expression that is anchored says of the first places; the others may be anything. */
static void places_of_regex(const struct recognise *r, struct byte_set places[RECOGNITION_PLACES])
{
    struct arena *arena = arena_new(MIB);
    struct regex_machine *machine = arena ? regex_machine_new(arena) : NULL;
    if (machine && regex_machine_add(machine, r->pattern))
        regex_machine_beginning(machine, places, RECOGNITION_PLACES);
    arena_free(arena);
}

static void places_of_starts(const struct recognise *r, struct byte_set places[RECOGNITION_PLACES])
{
    for (uint32_t place = 0; place < RECOGNITION_PLACES; place++) {
        struct byte_set set = {0};
        for (uint32_t i = 0; i < r->start_count; i++) {
            if (place >= r->starts[i].len)
                return;
            byte_set_add(&set, (unsigned char)r->starts[i].ptr[place]);
        }
        places[place] = set;
    }
}

static void places_of(const struct recognise *r, struct byte_set places[RECOGNITION_PLACES])
{
    for (uint32_t place = 0; place < RECOGNITION_PLACES; place++)
        byte_set_fill(&places[place]);
    if (r->start_count)
        places_of_starts(r, places);
    else if (r->regex && regex_is_anchored(r->regex) && !(regex_flags(r->regex) & REGEX_CASELESS))
        places_of_regex(r, places);
}

static int index_places(struct decoders *decoders, struct recognition *recognition, struct err *err)
{
    uint32_t words = recognition->words;
    for (uint32_t place = 0; place < RECOGNITION_PLACES; place++) {
        recognition->by_place[place] = arena_calloc(decoders->arena, (size_t)256 * words * sizeof(uint64_t));
        if (!recognition->by_place[place])
            return err_nomem(err);
    }
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        struct byte_set places[RECOGNITION_PLACES];
        places_of(&decoders->all.list[i]->recognise, places);
        for (uint32_t place = 0; place < RECOGNITION_PLACES; place++)
            for (size_t byte = 0; byte < 256; byte++)
                if (bits_get(places[place].bits, byte))
                    bits_set(recognition->by_place[place] + byte * words, i);
    }
    return 0;
}

static bool by_literal(const struct recognise *r, enum text_kind kind)
{
    return r->by_content && !r->program_count && !r->json_count && takes_kind(r, kind);
}

static int index_literals(struct decoders *decoders, uint32_t words, enum text_kind kind,
                          struct literal_index *index, struct err *err)
{
    uint32_t size = decoders->all.count + 1;
    for (uint32_t i = 0; i < decoders->all.count; i++)
        size += decoders->all.list[i]->recognise.any_count;
    struct literal *list = arena_array(decoders->arena, size, sizeof(*list));
    index->owners = arena_array(decoders->arena, size, sizeof(*index->owners));
    index->always = arena_calloc(decoders->arena, words * sizeof(uint64_t));
    if (!list || !index->owners || !index->always)
        return err_nomem(err);
    for (uint32_t i = 0; i < decoders->all.count; i++) {
        const struct recognise *r = &decoders->all.list[i]->recognise;
        const struct slice *literals;
        struct slice one;
        if (!by_literal(r, kind))
            continue;
        uint32_t count = literals_of(r, &one, &literals);
        if (!count)
            bits_set(index->always, i);
        for (uint32_t k = 0; k < count; k++) {
            list[index->count] = (struct literal){literals[k], LITERAL_ANYWHERE};
            index->owners[index->count++] = i;
        }
    }
    if (literal_set_build(decoders->arena, list, index->count, &index->set) < 0)
        return err_nomem(err);
    return 0;
}

int recognition_build(struct decoders *decoders, struct err *err)
{
    struct recognition *recognition = arena_calloc(decoders->arena, sizeof(*recognition));
    if (!recognition)
        return err_nomem(err);
    recognition->words = decoders->all.count / 64 + 1;
    decoders->recognition = recognition;
    if (index_json(decoders, recognition, err) < 0 || index_places(decoders, recognition, err) < 0)
        return -1;
    for (unsigned kind = 0; kind < TEXT_KIND_COUNT; kind++)
        if (index_literals(decoders, recognition->words, (enum text_kind)kind, &recognition->literals[kind], err) < 0)
            return -1;
    return 0;
}

/* --- looking --- */

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

struct json_seen {
    uint64_t bits[JSON_NEEDS_MAX / 64];
    uint32_t token[JSON_NEEDS_MAX];
};

static void see(const struct decoders *decoders, struct slice key, uint32_t token,
                struct json_seen *seen)
{
    uintptr_t number = (uintptr_t)map_find(&decoders->json_keys, key);
    if (number) {
        bits_set(seen->bits, number - 1);
        seen->token[number - 1] = token;
    }
}

/* "event.dataset" nested in "event": the rest of the name, part by part. */
static void see_nested(const struct decoders *decoders, const struct json_tokens *tokens,
                       struct slice parent, uint32_t object, struct json_seen *seen)
{
    for (const struct json_key *key = map_find(&decoders->json_parents, parent); key;
         key = key->same_parent) {
        struct slice rest = slice_from(key->name, parent.len + 1), part;
        uint32_t at = object;
        while (at && slice_next_part(&rest, '.', &part))
            at = json_member(tokens, at, part);
        if (at)
            see(decoders, key->name, at, seen);
    }
}

static void see_keys(const struct decoders *decoders, const struct json_tokens *tokens,
                     struct json_seen *seen)
{
    bits_zero(seen->bits, JSON_NEEDS_MAX);
    if (!tokens->count || tokens->list[0].kind != JSON_OBJECT)
        return;
    for (uint32_t i = 1; i < tokens->list[0].next; i = tokens->list[i].next) {
        struct slice key = json_token_key(&tokens->list[i]);
        if (!key.len || !bits_get(decoders->json_filter, filter_bit(key)))
            continue;
        see(decoders, key, i, seen);
        if (tokens->list[i].kind == JSON_OBJECT)
            see_nested(decoders, tokens, key, i, seen);
    }
}

static bool json_fits(const struct recognise *r, const struct json_tokens *tokens,
                      const struct json_seen *seen)
{
    for (uint32_t i = 0; i < r->json_count; i++) {
        const struct json_need *need = &r->json[i];
        if (!bits_get(seen->bits, need->number))
            return false;
        struct slice text = json_token_text(&tokens->list[seen->token[need->number]]);
        if (need->value.ptr && !(need->value_prefix ? slice_starts(text, need->value)
                                                    : slice_equal(text, need->value)))
            return false;
    }
    return true;
}

static bool starts_fit(const struct recognise *r, struct slice text)
{
    for (uint32_t i = 0; i < r->start_count; i++)
        if (slice_starts(text, r->starts[i]))
            return true;
    return r->start_count == 0;
}

/* Whether the text is the one that was looked through: then a literal that led to a decoder is in it. */
static bool is_scanned(const struct sighting *sighting)
{
    struct slice scanned = sighting->sighter->scanned;
    return scanned.ptr == sighting->text.ptr && scanned.len == sighting->text.len;
}

static bool has_one(struct slice text, const struct slice *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_find(text, list[i]) >= 0)
            return true;
    return count == 0;
}

static bool contents_fit(const struct recognise *r, const struct sighting *sighting, bool found)
{
    const struct slice *literals = NULL;
    struct slice one;
    found = found && by_literal(r, sighting->kind) && literals_of(r, &one, &literals) && is_scanned(sighting);
    for (uint32_t i = 0; i < r->contain_count; i++)
        if (!(found && one.ptr == r->contains[i].ptr) && slice_find(sighting->text, r->contains[i]) < 0)
            return false;
    return (found && literals == r->any) || has_one(sighting->text, r->any, r->any_count);
}

/* The one that stands in it most often; '\0' where there is no header. */
static char header_separator(struct slice header)
{
    static const char separators[] = ",;\t";
    char best = header.len ? ' ' : '\0';
    size_t most = 1;
    for (size_t s = 0; s < sizeof(separators) - 1; s++) {
        size_t count = 0;
        for (size_t i = 0; i < header.len; i++)
            count += header.ptr[i] == separators[s];
        if (count > most) {
            most = count;
            best = separators[s];
        }
    }
    return best;
}

static bool has_word(struct slice text, struct slice word)
{
    for (size_t at = 0; at + word.len <= text.len; at++)
        if (slice_equal_nocase(slice_sub(text, at, word.len), word))
            return true;
    return false;
}

/* found: a look at the text led to it. */
static bool content_fits(const struct decoder *decoder, const struct sighting *sighting,
                         const struct json_seen *seen, bool found)
{
    const struct recognise *r = &decoder->recognise;
    if (r->inner_only && !sighting->inner)
        return false;
    if (!takes_kind(r, sighting->kind) || (r->header && r->header != header_separator(sighting->header)))
        return false;
    for (uint32_t i = 0; i < r->column_count; i++)
        if (!has_word(sighting->header, r->columns[i]))
            return false;
    if (r->json_count && !json_fits(r, sighting->tokens, seen))
        return false;
    if (!starts_fit(r, sighting->text) || !contents_fit(r, sighting, found))
        return false;
    return !r->regex || regex_match(r->regex, sighting->text) == REGEX_YES;
}

/* --- choosing --- */

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
    if (content_fits(decoder, sighting, seen, found))
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
        see_keys(decoders, sighting->tokens, &seen);
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
        if (json_fits(&one, tokens, seen))
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
    see_keys(decoders, sighting->tokens, &seen);
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

/* --- who came near --- */

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
        meet(&nearly, starts_fit(r, sighting->text), LACKS_START, start_met(r, sighting->text), weight);
    for (uint32_t i = 0; i < r->contain_count; i++)
        meet(&nearly, slice_find(sighting->text, r->contains[i]) >= 0, LACKS_TEXT, r->contains[i], weight);
    if (r->any_count)
        meet(&nearly, has_one(sighting->text, r->any, r->any_count), LACKS_TEXT, r->any[0], weight);
    for (uint32_t i = 0; i < r->json_count; i++) {
        struct recognise one = {.json = &r->json[i], .json_count = 1};
        meet(&nearly, json_fits(&one, sighting->tokens, seen), LACKS_KEY, r->json[i].key, weight);
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
    return r->by_content && !r->header && takes_kind(r, sighting->kind) && (!r->inner_only || sighting->inner) &&
           r->priority < GUESS_PRIORITY && (sighting->kind == TEXT_JSON || !r->json_count);
}

struct nearly decoders_nearest(const struct decoders *decoders, const struct sighting *sighting)
{
    UNSET struct json_seen seen;
    struct nearly best = {0};
    uint64_t most = 0;
    if (sighting->kind == TEXT_JSON)
        see_keys(decoders, sighting->tokens, &seen);
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
