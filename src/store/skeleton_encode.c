/* store/skeleton_encode: finds skeletons and what their slots repeat. */
#include "store/skeleton_encoder.h"

#include "base/hash.h"
#include "store/segment_writer.h"

enum { TABLE_SIZE = 8192, TEXT_LEN_FROM = 20, ROWS_FROM = 32 };
enum { SPAN_FROM = 5, SPANS_MAX = 16 }; /* shorter texts are found everywhere */

static bool holds(struct encoder *encoder, const struct candidate *candidate, uint32_t i,
                  struct slice token)
{
    struct slice text = skeleton_ref_text(encoder, candidate, skeleton_row_of(encoder->input, i));
    return text.ptr && slice_equal(text, token);
}

/* Columns that have a value in the row, and their texts: asked once for all its tokens. */
static void find_present(struct encoder *encoder, uint32_t row)
{
    encoder->present_count = 0;
    for (uint32_t r = 0; r < encoder->refs->count; r++) {
        struct value v = skeleton_value_of(&encoder->refs->list[r], row);
        if (v.type == VALUE_NULL)
            continue;
        struct slice text = form_print(v, (struct form){FORM_TEXT, 0}, encoder->room);
        if (v.type != VALUE_STRING && text.ptr)
            text = arena_copy(encoder->arena, text);
        encoder->present[encoder->present_count++] = (struct present){r, v, text};
    }
}

static bool has_escape(struct slice token)
{
    return slice_find_char(token, '\\') >= 0;
}

/* Columns that say the token in the skeleton's first row. */
static void find_candidates(struct encoder *encoder, struct slot *slot, uint32_t i,
                            struct slice token)
{
    bool escaped = has_escape(token);
    for (uint32_t p = 0; p < encoder->present_count && slot->candidate_count < SKELETON_CANDIDATES; p++) {
        const struct present *present = &encoder->present[p];
        struct candidate candidate = {present->ref, {FORM_TEXT, 0}};
        bool is_time = present->value.type == VALUE_TIME;
        bool plain = !is_time && present->text.ptr && slice_equal(present->text, token);
        if (is_time || (escaped && !plain))
            candidate.form = form_guess(present->value, token);
        if (plain || ((is_time || candidate.form.kind != FORM_TEXT) && holds(encoder, &candidate, i, token)))
            slot->candidates[slot->candidate_count++] = candidate;
    }
}

/* Where the text repeats a column's text that would be cut to pieces: longer ones first. */
static size_t find_spans(struct encoder *encoder, uint32_t i, struct slice text,
                         struct skeleton_token spans[SPANS_MAX])
{
    uint32_t row = skeleton_row_of(encoder->input, i);
    size_t count = 0;
    for (uint32_t r = 0; r < encoder->refs->count && count < SPANS_MAX; r++) {
        if (!encoder->refs->list[r].has_cut)
            continue;
        struct value v = skeleton_value_of(&encoder->refs->list[r], row);
        if (v.type != VALUE_STRING || v.len < SPAN_FROM || v.len > text.len ||
            !skeleton_is_cut(value_slice(v)))
            continue;
        ptrdiff_t at = slice_find(text, value_slice(v));
        if (at < 0 || !skeleton_is_apart(text, (size_t)at, v.len))
            continue;
        struct skeleton_token span = {(uint16_t)at, (uint16_t)v.len};
        size_t to = count++;
        for (; to && spans[to - 1].len < span.len; to--)
            spans[to] = spans[to - 1];
        spans[to] = span;
    }
    return count;
}

/* Those that do not lie over a longer one, in order of place. */
static size_t apart(struct skeleton_token spans[SPANS_MAX], size_t count)
{
    size_t kept = 0;
    for (size_t k = 0; k < count; k++) {
        struct skeleton_token span = spans[k];
        bool free = true;
        for (size_t other = 0; other < kept; other++)
            free = free && (span.start >= spans[other].start + spans[other].len ||
                            spans[other].start >= span.start + span.len);
        if (!free)
            continue;
        size_t to = kept++;
        for (; to && spans[to - 1].start > span.start; to--)
            spans[to] = spans[to - 1];
        spans[to] = span;
    }
    return kept;
}

/* The last candidate that holds for every row so far, the given one included, stays in use. Rows that
 * only were compared with a constant count, too. */
static void settle_candidate(struct encoder *encoder, struct skeleton *skeleton, uint32_t s)
{
    struct slot *slot = &skeleton->slots[s];
    for (; slot->candidate_count; slot->candidate_count--) {
        const struct candidate *candidate = &slot->candidates[slot->candidate_count - 1];
        uint32_t i = skeleton->first, left = skeleton->row_count;
        for (; left; left--, i = encoder->next_row[i]) {
            struct slice text = value_slice(encoder->input->values[i]);
            if (!holds(encoder, candidate, i, skeleton_token_text(text, encoder->tokens[i][s])))
                break;
        }
        if (!left)
            return;
    }
}

/* ---- skeletons -------------------------------------------------------------------------- */

/* What lies between the tokens, with the places of the tokens. */
static struct slice make_key(struct encoder *encoder, struct slice text,
                             const struct skeleton_token *tokens, uint32_t count)
{
    size_t need = text.len + 4 * ((size_t)count + 1);
    if (need > encoder->key_size) {
        encoder->key = arena_alloc(encoder->arena, need * 2);
        encoder->key_size = encoder->key ? need * 2 : 0;
        if (!encoder->key)
            return SLICE_NONE;
    }
    char *to = encoder->key;
    uint32_t at = 0;
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t end = i < count ? tokens[i].start : (uint32_t)text.len;
        uint32_t len = end - at;
        memcpy(to, &len, 4);
        memcpy(to + 4, text.ptr + at, len);
        to += 4 + len;
        at = i < count ? end + tokens[i].len : end;
    }
    return slice_of(encoder->key, (size_t)(to - encoder->key));
}

static struct skeleton *add_skeleton(struct encoder *encoder, uint64_t hash, struct slice key,
                                     uint32_t token_count)
{
    struct skeleton *skeleton = &encoder->skeletons[encoder->count];
    *skeleton = (struct skeleton){.hash = hash, .token_count = token_count};
    skeleton->key = arena_copy(encoder->arena, key);
    skeleton->slots = arena_array(encoder->arena, token_count + 1U, sizeof(*skeleton->slots));
    skeleton->literals = arena_array(encoder->arena, token_count + 1U, sizeof(struct slice));
    if (!skeleton->key.ptr || !skeleton->slots || !skeleton->literals)
        return NULL;
    const char *at = skeleton->key.ptr;
    for (uint32_t s = 0; s <= token_count; s++) {
        uint32_t len;
        memcpy(&len, at, 4);
        skeleton->literals[s] = slice_of(at + 4, len);
        at += 4 + len;
    }
    encoder->count++;
    return skeleton;
}

/* NULL: the row goes to skeleton 0. */
static struct skeleton *find_skeleton(struct encoder *encoder, struct slice key,
                                      uint32_t token_count)
{
    uint64_t hash = hash_bytes(key);
    uint32_t slot = (uint32_t)hash & (TABLE_SIZE - 1);
    for (; encoder->table[slot]; slot = (slot + 1) & (TABLE_SIZE - 1)) {
        struct skeleton *known = &encoder->skeletons[encoder->table[slot] - 1];
        if (known->hash == hash && slice_equal(known->key, key))
            return known;
    }
    if (encoder->count == SKELETONS_MAX)
        return NULL;
    struct skeleton *fresh = add_skeleton(encoder, hash, key, token_count);
    if (fresh)
        encoder->table[slot] = (uint16_t)(fresh - encoder->skeletons + 1);
    return fresh;
}

static void link_row(struct encoder *encoder, struct skeleton *skeleton, uint32_t i)
{
    if (skeleton->row_count++)
        encoder->next_row[skeleton->last] = i;
    else
        skeleton->first = i;
    skeleton->last = i;
    encoder->codes[i] = (uint32_t)(skeleton - encoder->skeletons);
}

static void begin_slots(struct encoder *encoder, struct skeleton *skeleton, uint32_t i,
                        struct slice text, const struct skeleton_token *tokens)
{
    find_present(encoder, skeleton_row_of(encoder->input, i));
    for (uint32_t s = 0; s < skeleton->token_count; s++) {
        struct slot *slot = &skeleton->slots[s];
        slot->constant = true;
        slot->text = skeleton_token_text(text, tokens[s]);
        find_candidates(encoder, slot, i, slot->text);
    }
}

/* The skeleton's newest row says something else than was expected of some slots. */
static void check_slots(struct encoder *encoder, struct skeleton *skeleton, uint32_t i,
                        struct slice text, const struct skeleton_token *tokens)
{
    for (uint32_t s = 0; s < skeleton->token_count; s++) {
        struct slot *slot = &skeleton->slots[s];
        struct slice token = skeleton_token_text(text, tokens[s]);
        bool fits = slot->constant ? slice_equal(token, slot->text)
                                   : !slot->candidate_count ||
                                         holds(encoder, &slot->candidates[slot->candidate_count - 1],
                                               i, token);
        if (fits)
            continue;
        slot->constant = false;
        settle_candidate(encoder, skeleton, s);
        skeleton->stretches = NULL;
    }
}

static struct skeleton **recent_of(struct encoder *encoder, uint32_t i)
{
    return encoder->recent[encoder->refs->shape_of_row[skeleton_row_of(encoder->input, i)] % SKELETON_SHAPES];
}

static void make_recent(struct encoder *encoder, uint32_t i, struct skeleton *skeleton)
{
    struct skeleton **recent = recent_of(encoder, i), *carry = skeleton;
    for (int r = 0; r < SKELETON_RECENT && carry; r++) {
        struct skeleton *here = recent[r];
        recent[r] = carry;
        if (here == skeleton)
            return;
        carry = here;
    }
}

static struct skeleton *match_recent(struct encoder *encoder, uint32_t i, struct slice text,
                                     struct skeleton_token *tokens)
{
    struct skeleton **recent = recent_of(encoder, i);
    for (int r = 0; r < SKELETON_RECENT && recent[r]; r++)
        if (skeleton_match(encoder, recent[r], i, text, tokens))
            return recent[r];
    return NULL;
}

static bool keep_tokens(struct encoder *encoder, uint32_t i, const struct skeleton_token *tokens,
                        uint32_t count)
{
    encoder->tokens[i] = arena_alloc(encoder->arena, count * sizeof(*tokens));
    if (!encoder->tokens[i])
        return false;
    memcpy(encoder->tokens[i], tokens, count * sizeof(*tokens));
    return true;
}

static bool add_row(struct encoder *encoder, uint32_t i)
{
    struct slice text = value_slice(encoder->input->values[i]);
    UNSET struct skeleton_token tokens[SKELETON_TOKENS_MAX];
    if (text.len <= SKELETON_TEXT_MAX) {
        struct skeleton *known = match_recent(encoder, i, text, tokens);
        if (known) {
            make_recent(encoder, i, known);
            link_row(encoder, known, i);
            return keep_tokens(encoder, i, tokens, known->token_count);
        }
    }
    UNSET struct skeleton_token spans[SPANS_MAX];
    size_t span_count = text.len <= SKELETON_TEXT_MAX && text.len && text.ptr[0] != '{'
                            ? apart(spans, find_spans(encoder, i, text, spans))
                            : 0;
    int count = skeleton_cut(text, spans, span_count, tokens);
    struct skeleton *skeleton = NULL;
    if (count > 0) {
        struct slice key = make_key(encoder, text, tokens, (uint32_t)count);
        skeleton = key.ptr ? find_skeleton(encoder, key, (uint32_t)count) : NULL;
    }
    if (!skeleton) {
        skeleton = &encoder->skeletons[0];
        link_row(encoder, skeleton, i);
        return true;
    }
    if (!keep_tokens(encoder, i, tokens, (uint32_t)count))
        return false;
    make_recent(encoder, i, skeleton);
    link_row(encoder, skeleton, i);
    if (skeleton->row_count == 1)
        begin_slots(encoder, skeleton, i, text, tokens);
    else
        check_slots(encoder, skeleton, i, text, tokens);
    return true;
}

static bool prepare(struct encoder *encoder)
{
    size_t count = encoder->input->count;
    struct arena *arena = encoder->arena;
    encoder->skeletons = arena_array(arena, SKELETONS_MAX, sizeof(*encoder->skeletons));
    encoder->table = arena_array(arena, TABLE_SIZE, sizeof(*encoder->table));
    encoder->codes = arena_array(arena, count, sizeof(*encoder->codes));
    encoder->next_row = arena_array(arena, count, sizeof(*encoder->next_row));
    encoder->tokens = arena_array(arena, count, sizeof(*encoder->tokens));
    encoder->present = arena_array(arena, encoder->refs->count + 1U, sizeof(*encoder->present));
    static const char empty[8] = {0}; /* the key of skeleton 0: nothing, token, nothing */
    return encoder->skeletons && encoder->table && encoder->codes && encoder->next_row &&
           encoder->tokens && encoder->present && add_skeleton(encoder, 0, slice_of(empty, 8), 1);
}

static bool worth_trying(const struct chunk_input *input)
{
    uint64_t bytes = 0;
    if (!input->refs || input->multi || input->count < ROWS_FROM)
        return false;
    for (uint32_t i = 0; i < input->count; i++)
        bytes += input->values[i].len;
    return bytes / input->count >= TEXT_LEN_FROM && bytes < CHUNK_STREAM_RAW_MAX;
}

static bool encode(struct encoder *encoder)
{
    const struct chunk_input *input = encoder->input;
    if (!prepare(encoder))
        return false;
    for (uint32_t r = 0; r < encoder->refs->count; r++)
        encoder->refs->list[r].cursor = 0;
    for (uint32_t i = 0; i < input->count; i++)
        if (!add_row(encoder, i))
            return false;
    /* no structure: whole texts compress better in pages */
    return encoder->skeletons[0].row_count <= input->count / 2 && skeleton_write(encoder);
}

bool skeleton_encode(struct segment_writer *writer, struct chunk *chunk,
                     const struct chunk_input *input)
{
    if (!worth_trying(input))
        return false;
    struct buffer room;
    buffer_init(&room, CHUNK_STREAM_RAW_MAX);
    struct encoder encoder = {.writer = writer,
                              .input = input,
                              .refs = input->refs,
                              .arena = writer->work,
                              .room = &room};
    bool done = encode(&encoder);
    buffer_close(&room);
    if (done)
        chunk->encoding = CHUNK_SKELETON;
    return done;
}
