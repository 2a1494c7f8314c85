/* What a decoder asks of a text before it takes it. */
#include "decode/recognition_inside.h"

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

void recognition_see_keys(const struct decoders *decoders, const struct json_tokens *tokens,
                     struct json_seen *seen)
{
    bits_zero(seen->bits, JSON_NEEDS_MAX);
    if (!tokens->count || tokens->list[0].kind != JSON_OBJECT)
        return;
    for (uint32_t i = 1; i < tokens->list[0].next; i = tokens->list[i].next) {
        struct slice key = json_token_key(&tokens->list[i]);
        if (!key.len || !bits_get(decoders->json_filter, recognition_key_bit(key)))
            continue;
        see(decoders, key, i, seen);
        if (tokens->list[i].kind == JSON_OBJECT)
            see_nested(decoders, tokens, key, i, seen);
    }
}

bool recognise_json_fits(const struct recognise *r, const struct json_tokens *tokens,
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

bool recognise_starts_fit(const struct recognise *r, struct slice text)
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

bool recognise_has_one(struct slice text, const struct slice *list, uint32_t count)
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
    found = found && recognise_by_literal(r, sighting->kind) && recognise_literals(r, &one, &literals) && is_scanned(sighting);
    for (uint32_t i = 0; i < r->contain_count; i++)
        if (!(found && one.ptr == r->contains[i].ptr) && slice_find(sighting->text, r->contains[i]) < 0)
            return false;
    return (found && literals == r->any) || recognise_has_one(sighting->text, r->any, r->any_count);
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

bool recognise_fits(const struct decoder *decoder, const struct sighting *sighting,
                         const struct json_seen *seen, bool found)
{
    const struct recognise *r = &decoder->recognise;
    if (r->inner_only && !sighting->inner)
        return false;
    if (!recognise_kind(r, sighting->kind) || (r->header && r->header != header_separator(sighting->header)))
        return false;
    for (uint32_t i = 0; i < r->column_count; i++)
        if (!has_word(sighting->header, r->columns[i]))
            return false;
    if (r->json_count && !recognise_json_fits(r, sighting->tokens, seen))
        return false;
    if (!recognise_starts_fit(r, sighting->text) || !contents_fit(r, sighting, found))
        return false;
    return !r->regex || regex_match(r->regex, sighting->text) == REGEX_YES;
}
