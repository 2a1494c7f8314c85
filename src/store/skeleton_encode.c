/* store/skeleton_encode: finds skeletons and what their slots repeat. */
#include "store/skeleton.h"

#include "base/hash.h"
#include "store/bytes.h"
#include "store/segment_writer.h"

enum { CANDIDATES = 8, TABLE_SIZE = 8192, TEXT_LEN_FROM = 20, ROWS_FROM = 32 };
enum { RECENT = 4, SHAPES = 256 }; /* skeletons tried first, for rows with the same columns */
enum { SPAN_FROM = 5, SPANS_MAX = 16 }; /* shorter texts are found everywhere */

struct candidate {
    uint32_t ref; /* in refs->list */
    struct form form;
};

struct slot {
    bool constant; /* so far every token is text */
    struct slice text;
    struct candidate candidates[CANDIDATES];
    uint32_t candidate_count; /* the last one is in use; it has held for every row */
    struct slot_coding coding; /* when writing, of what nothing predicts */
};

struct skeleton {
    uint64_t hash;
    struct slice key;
    uint32_t token_count;
    struct slice *literals; /* token_count + 1, in key */
    struct slot *slots;
    uint32_t row_count;
    uint32_t first, last; /* rows, linked by encoder->next_row */
};

struct present {
    uint32_t ref;
    struct value value;
};

struct encoder {
    struct segment_writer *writer;
    const struct chunk_input *input;
    struct chunk_refs *refs;
    struct arena *arena;
    struct skeleton *skeletons;
    uint32_t count;
    uint16_t *table; /* skeleton + 1 */
    uint32_t *codes;
    uint32_t *next_row;
    struct skeleton_token **tokens; /* of each row */
    struct skeleton *recent[SHAPES][RECENT]; /* newest first */
    struct present *present; /* in the row that a skeleton begins with */
    uint32_t present_count;
    struct buffer *room; /* for printing */
    char *key;
    size_t key_size;
};

static struct slice token_text(struct slice text, struct skeleton_token token)
{
    return slice_of(text.ptr + token.start, token.len);
}

/* ---- references ------------------------------------------------------------------------- */

static uint32_t row_of(const struct chunk_input *input, uint32_t i)
{
    return input->rows ? input->rows[i] : i;
}

/* The entry of a row that has exactly one, else UINT32_MAX. */
static inline uint32_t entry_of(struct chunk_ref *ref, uint32_t row)
{
    const uint32_t *rows = ref->input->rows;
    uint32_t count = ref->input->count;
    if (!rows)
        return row;
    if (ref->entry_of_row)
        return ref->entry_of_row[row];
    uint32_t at = skeleton_find_row(rows, count, row, &ref->cursor);
    bool several = at != UINT32_MAX && at + 1 < count && rows[at + 1] == row;
    return several ? UINT32_MAX : at;
}

static struct value value_of(struct chunk_ref *ref, uint32_t row)
{
    uint32_t entry = entry_of(ref, row);
    if (entry == UINT32_MAX)
        return value_null();
    return ref->input->codes ? ref->input->dict[ref->input->codes[entry]]
                             : ref->input->values[entry];
}

static struct slice *texts_of(struct encoder *encoder, struct chunk_ref *ref)
{
    const struct chunk_input *input = ref->input;
    if (ref->texts || !input->codes)
        return ref->texts;
    ref->texts = arena_alloc(encoder->arena, input->dict_count * sizeof(*ref->texts) + 1);
    for (uint32_t i = 0; ref->texts && i < input->dict_count; i++) {
        struct value v = input->dict[i];
        struct slice text = form_print(v, (struct form){FORM_TEXT, 0}, encoder->room);
        ref->texts[i] = v.type == VALUE_STRING || !text.ptr ? text : arena_copy(encoder->arena, text);
    }
    return ref->texts;
}

/* What the column says in a row of the block, as text. */
static inline struct slice ref_text(struct encoder *encoder, const struct candidate *candidate,
                                    uint32_t row)
{
    struct chunk_ref *ref = &encoder->refs->list[candidate->ref];
    const struct chunk_input *input = ref->input;
    uint32_t entry = entry_of(ref, row);
    if (entry == UINT32_MAX)
        return SLICE_NONE;
    if (input->codes && candidate->form.kind == FORM_TEXT) {
        const struct slice *texts = ref->texts ? ref->texts : texts_of(encoder, ref);
        return texts ? texts[input->codes[entry]] : SLICE_NONE;
    }
    const struct value *v = input->codes ? &input->dict[input->codes[entry]] : &input->values[entry];
    if (candidate->form.kind == FORM_TEXT && v->type == VALUE_STRING)
        return value_slice(*v);
    return form_print(*v, candidate->form, encoder->room);
}

static bool holds(struct encoder *encoder, const struct candidate *candidate, uint32_t i,
                  struct slice token)
{
    struct slice text = ref_text(encoder, candidate, row_of(encoder->input, i));
    return text.ptr && slice_equal(text, token);
}

/* Columns that have a value in the row: asked once for all its tokens. */
static void find_present(struct encoder *encoder, uint32_t row)
{
    encoder->present_count = 0;
    for (uint32_t r = 0; r < encoder->refs->count; r++) {
        struct value v = value_of(&encoder->refs->list[r], row);
        if (v.type != VALUE_NULL)
            encoder->present[encoder->present_count++] = (struct present){r, v};
    }
}

/* Columns that say the token in the skeleton's first row. */
static void find_candidates(struct encoder *encoder, struct slot *slot, uint32_t i,
                            struct slice token)
{
    for (uint32_t p = 0; p < encoder->present_count && slot->candidate_count < CANDIDATES; p++) {
        const struct present *present = &encoder->present[p];
        struct candidate candidate = {present->ref, form_guess(present->value, token)};
        if (holds(encoder, &candidate, i, token))
            slot->candidates[slot->candidate_count++] = candidate;
    }
}

/* Where the text repeats a column's text that would be cut to pieces: longer ones first. */
static size_t find_spans(struct encoder *encoder, uint32_t i, struct slice text,
                         struct skeleton_token spans[SPANS_MAX])
{
    uint32_t row = row_of(encoder->input, i);
    size_t count = 0;
    for (uint32_t r = 0; r < encoder->refs->count && count < SPANS_MAX; r++) {
        if (!encoder->refs->list[r].has_cut)
            continue;
        struct value v = value_of(&encoder->refs->list[r], row);
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

/* The next candidate that holds for every row so far, the given one included. */
static void next_candidate(struct encoder *encoder, const struct skeleton *skeleton, uint32_t s)
{
    struct slot *slot = &skeleton->slots[s];
    while (--slot->candidate_count) {
        const struct candidate *candidate = &slot->candidates[slot->candidate_count - 1];
        uint32_t i = skeleton->first, left = skeleton->row_count;
        for (; left; left--, i = encoder->next_row[i]) {
            struct slice text = value_slice(encoder->input->values[i]);
            if (!holds(encoder, candidate, i, token_text(text, encoder->tokens[i][s])))
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

static void check_slots(struct encoder *encoder, struct skeleton *skeleton, uint32_t i,
                        struct slice text, const struct skeleton_token *tokens)
{
    bool first = skeleton->row_count == 1;
    if (first)
        find_present(encoder, row_of(encoder->input, i));
    for (uint32_t s = 0; s < skeleton->token_count; s++) {
        struct slot *slot = &skeleton->slots[s];
        struct slice token = token_text(text, tokens[s]);
        if (first) {
            slot->constant = true;
            slot->text = token;
            find_candidates(encoder, slot, i, token);
            continue;
        }
        if (slot->constant && !slice_equal(token, slot->text))
            slot->constant = false;
        if (slot->candidate_count &&
            !holds(encoder, &slot->candidates[slot->candidate_count - 1], i, token))
            next_candidate(encoder, skeleton, s);
    }
}

/* What a slot is expected to say; SLICE_NONE when only the text itself can tell. */
static struct slice expected(struct encoder *encoder, const struct slot *slot, uint32_t i)
{
    if (slot->constant)
        return slot->text;
    if (!slot->candidate_count)
        return SLICE_NONE;
    return ref_text(encoder, &slot->candidates[slot->candidate_count - 1],
                    row_of(encoder->input, i));
}

/* Mostly some bytes only: without the call. */
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    uint32_t p, q;
    if (len >= 8 && len <= 16) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
        memcpy(&x, a + len - 8, 8);
        memcpy(&y, b + len - 8, 8);
        return x == y;
    }
    if (len >= 4 && len < 8) {
        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        if (p != q)
            return false;
        memcpy(&p, a + len - 4, 4);
        memcpy(&q, b + len - 4, 4);
        return p == q;
    }
    if (len > 16)
        return memcmp(a, b, len) == 0;
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Walks the text along a known skeleton, comparing with what its slots predict: much cheaper than
 * cutting, and any way of taking a text apart will do that puts it together again. */
static bool match_row(struct encoder *encoder, const struct skeleton *skeleton, uint32_t i,
                      struct slice text, struct skeleton_token *tokens)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    for (uint32_t s = 0;; s++) {
        struct slice literal = skeleton->literals[s];
        if ((size_t)(end - at) < literal.len || !same_bytes(at, literal.ptr, literal.len))
            return false;
        at += literal.len;
        if (s == skeleton->token_count)
            return at == end;
        const struct slot *slot = &skeleton->slots[s];
        struct slice token = expected(encoder, slot, i);
        size_t len = token.len;
        if (token.ptr) {
            if ((size_t)(end - at) < len || !same_bytes(at, token.ptr, len))
                return false;
        } else {
            struct slice next = skeleton->literals[s + 1];
            if (slot->candidate_count)
                return false;
            const char *stop = next.len ? memchr(at, next.ptr[0], (size_t)(end - at)) : end;
            if (!stop)
                return false;
            len = (size_t)(stop - at);
        }
        tokens[s] = (struct skeleton_token){(uint16_t)(at - text.ptr), (uint16_t)len};
        at += len;
    }
}

static struct skeleton **recent_of(struct encoder *encoder, uint32_t i)
{
    return encoder->recent[encoder->refs->shape_of_row[row_of(encoder->input, i)] % SHAPES];
}

static void make_recent(struct encoder *encoder, uint32_t i, struct skeleton *skeleton)
{
    struct skeleton **recent = recent_of(encoder, i), *carry = skeleton;
    for (int r = 0; r < RECENT && carry; r++) {
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
    for (int r = 0; r < RECENT && recent[r]; r++)
        if (match_row(encoder, recent[r], i, text, tokens))
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
    struct skeleton_token tokens[SKELETON_TOKENS_MAX];
    if (text.len <= SKELETON_TEXT_MAX) {
        struct skeleton *known = match_recent(encoder, i, text, tokens);
        if (known) {
            make_recent(encoder, i, known);
            link_row(encoder, known, i);
            return keep_tokens(encoder, i, tokens, known->token_count);
        }
    }
    struct skeleton_token spans[SPANS_MAX];
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
    check_slots(encoder, skeleton, i, text, tokens);
    return true;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_slot(const struct encoder *encoder, const struct slot *slot, struct buffer *to)
{
    const struct slot_coding *coding = &slot->coding;
    buffer_put_char(to, (char)coding->kind);
    if (coding->kind == SLOT_CONSTANT) {
        buffer_put_varint(to, slot->text.len);
        buffer_put(to, slot->text);
    } else if (coding->kind == SLOT_COLUMN) {
        const struct candidate *candidate = &slot->candidates[slot->candidate_count - 1];
        buffer_put_varint(to, encoder->refs->list[candidate->ref].column);
        buffer_put_char(to, (char)candidate->form.kind);
        if (form_has_shift(candidate->form.kind))
            buffer_put_varint(to, bytes_zigzag(candidate->form.shift));
    } else if (coding->kind == SLOT_DICT) {
        buffer_put_varint(to, coding->dict_count);
    } else if (coding->kind != SLOT_REST) {
        buffer_put_char(to, (char)coding->width);
        buffer_put_char(to, (char)coding->flags);
    }
}

static void put_skeletons(struct encoder *encoder)
{
    struct buffer *to = &encoder->writer->scratch;
    buffer_clear(to);
    buffer_put_varint(to, encoder->count);
    for (uint32_t k = 0; k < encoder->count; k++) {
        const struct skeleton *skeleton = &encoder->skeletons[k];
        buffer_put_varint(to, skeleton->row_count);
        buffer_put_varint(to, skeleton->token_count);
        for (uint32_t s = 0; s <= skeleton->token_count; s++) {
            buffer_put_varint(to, skeleton->literals[s].len);
            buffer_put(to, skeleton->literals[s]);
            if (s < skeleton->token_count)
                put_slot(encoder, &skeleton->slots[s], to);
        }
    }
    if (buffer_failed(to))
        encoder->writer->pending.failed = true;
    segment_writer_put_stream(encoder->writer, STREAM_SKELETONS, 0, buffer_slice(to));
}

/* What the slots keep, on its way to three streams. */
struct kept {
    struct buffer slots, lengths, texts;
    struct slice *tokens; /* of one slot */
};

static void keep_text(struct encoder *encoder, struct kept *kept, struct slice token)
{
    words_add(encoder->refs->words, token);
    buffer_put_varint(&kept->lengths, token.len);
    buffer_put(&kept->texts, token);
}

static bool keep_slot(struct encoder *encoder, const struct skeleton *skeleton, uint32_t s,
                      struct kept *kept)
{
    struct slot *slot = &skeleton->slots[s];
    uint32_t i = skeleton->first;
    bool whole = skeleton == encoder->skeletons;
    for (uint32_t n = 0; n < skeleton->row_count; n++, i = encoder->next_row[i]) {
        struct slice text = value_slice(encoder->input->values[i]);
        kept->tokens[n] = whole ? text : token_text(text, encoder->tokens[i][s]);
    }
    if (whole)
        slot->coding = (struct slot_coding){.kind = SLOT_REST};
    else if (!slot_encode(kept->tokens, skeleton->row_count, encoder->arena, &slot->coding,
                          &kept->slots))
        return false;
    if (slot->coding.kind == SLOT_DICT)
        for (uint32_t n = 0; n < slot->coding.dict_count; n++)
            keep_text(encoder, kept, kept->tokens[slot->coding.dict[n]]);
    else if (slot->coding.kind == SLOT_REST)
        for (uint32_t n = 0; n < skeleton->row_count; n++)
            keep_text(encoder, kept, kept->tokens[n]);
    return true;
}

/* The words of the fixed parts, from slot to slot. */
static void add_words(struct encoder *encoder, const struct skeleton *skeleton)
{
    buffer_clear(encoder->room);
    for (uint32_t s = 0; s <= skeleton->token_count; s++) {
        buffer_put(encoder->room, skeleton->literals[s]);
        if (s < skeleton->token_count && skeleton->slots[s].constant) {
            buffer_put(encoder->room, skeleton->slots[s].text);
            continue;
        }
        words_add(encoder->refs->words, buffer_slice(encoder->room));
        buffer_clear(encoder->room);
    }
}

/* Slot by slot, so that like stands by like. */
static bool keep_slots(struct encoder *encoder, struct kept *kept)
{
    for (uint32_t k = 0; k < encoder->count; k++) {
        const struct skeleton *skeleton = &encoder->skeletons[k];
        add_words(encoder, skeleton);
        for (uint32_t s = 0; s < skeleton->token_count; s++) {
            struct slot *slot = &skeleton->slots[s];
            if (slot->constant)
                slot->coding.kind = SLOT_CONSTANT;
            else if (slot->candidate_count)
                slot->coding.kind = SLOT_COLUMN;
            else if (!keep_slot(encoder, skeleton, s, kept))
                return false;
        }
    }
    return true;
}

static void put_kept(struct encoder *encoder, struct kept *kept)
{
    struct segment_writer *writer = encoder->writer;
    if (buffer_failed(&kept->slots) || buffer_failed(&kept->lengths) || buffer_failed(&kept->texts))
        writer->pending.failed = true;
    if (kept->slots.len)
        segment_writer_put_stream(writer, STREAM_SLOTS, 0, buffer_slice(&kept->slots));
    segment_writer_put_stream(writer, STREAM_LENGTHS, 0, buffer_slice(&kept->lengths));
    segment_writer_put_stream(writer, STREAM_PAGE, 0, buffer_slice(&kept->texts));
}

static bool write_streams(struct encoder *encoder)
{
    struct kept kept = {.tokens = arena_array(encoder->arena, encoder->input->count + 1U,
                                              sizeof(*kept.tokens))};
    buffer_init(&kept.slots, CHUNK_STREAM_RAW_MAX);
    buffer_init(&kept.lengths, CHUNK_STREAM_RAW_MAX);
    buffer_init(&kept.texts, CHUNK_STREAM_RAW_MAX);
    bool ok = kept.tokens && keep_slots(encoder, &kept);
    if (ok) {
        put_skeletons(encoder);
        chunk_put_codes(encoder->writer, encoder->codes, encoder->input->count, encoder->count);
        put_kept(encoder, &kept);
    }
    buffer_close(&kept.slots);
    buffer_close(&kept.lengths);
    buffer_close(&kept.texts);
    return ok;
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
    return encoder->skeletons[0].row_count <= input->count / 2 && write_streams(encoder);
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
