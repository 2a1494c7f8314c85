/* Which decoders a text may be for is told by one look at it: each decoder is filed under something it cannot do
 * without, a literal of the text or a key of the JSON object, and only those that the look finds are asked. */
#include "decode/recognition_inside.h"

#include "base/mem.h"
#include "pattern/regex_machine.h"

unsigned recognition_key_bit(struct slice key)
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
    bits_set(decoders->json_filter, recognition_key_bit(key));
    if (dot <= 0)
        return 0;
    struct slice parent = slice_sub(key, 0, (size_t)dot);
    void **slot = map_slot(&decoders->json_parents, parent);
    struct json_key *entry = arena_alloc(decoders->arena, sizeof(*entry));
    if (!slot || !entry)
        return err_nomem(err);
    *entry = (struct json_key){key, *slot};
    *slot = entry;
    bits_set(decoders->json_filter, recognition_key_bit(parent));
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

bool recognise_kind(const struct recognise *r, enum text_kind kind)
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

uint32_t recognise_literals(const struct recognise *r, struct slice *one, const struct slice **out)
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

bool recognise_by_literal(const struct recognise *r, enum text_kind kind)
{
    return r->by_content && !r->program_count && !r->json_count && recognise_kind(r, kind);
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
        if (!recognise_by_literal(r, kind))
            continue;
        uint32_t count = recognise_literals(r, &one, &literals);
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
