/* store/skeleton_match: what columns say in a row, and whether a text is a known skeleton with it. */
#include "store/skeleton_encoder.h"

/* Bytes that are the same in every row (literals and constant slots, run together), then a slot that
 * varies. */
struct stretch {
    const char *fixed;
    uint32_t fixed_len;
    uint32_t first, slot; /* the constant slots inside are first to slot - 1 */
    bool last;            /* no slot follows */
    bool open;            /* the slot says what it likes, up to stop */
    int stop;             /* the first byte behind an open slot; -1: the end */
    struct form form;
    struct chunk_ref *ref; /* what the slot repeats; and this, resolved: */
    const uint32_t *codes;
    const struct value *values; /* by code, or entry */
};

enum { NEAR = 8, AHEAD_TEXT = 4, AHEAD_VALUE = 9, AHEAD_ARRAYS = 32 };

/* ---- references ------------------------------------------------------------------------- */

/* The entry of a row that has exactly one, else UINT32_MAX. Rows are asked for in order, so it is
 * mostly one of the next: only what columns hold is touched, not a place for every row. */
static inline uint32_t entry_of(struct chunk_ref *ref, uint32_t row)
{
    const uint32_t *rows = ref->input->rows;
    uint32_t count = ref->input->count, at = ref->cursor;
    if (!rows)
        return row;
    if (!ref->input->multi && at + 1 < count && rows[at + 1] == row) { /* the next one, mostly */
        ref->cursor = at + 1;
        return at + 1;
    }
    for (int step = 0; step < NEAR && at < count && rows[at] < row; step++)
        at++;
    if (at < count && rows[at] >= row && (at == 0 || rows[at - 1] < row)) {
        ref->cursor = at;
        if (rows[at] != row)
            return UINT32_MAX;
    } else {
        at = skeleton_find_row(rows, count, row, &ref->cursor);
        if (at == UINT32_MAX)
            return at;
    }
    return at + 1 < count && rows[at + 1] == row ? UINT32_MAX : at;
}

struct value skeleton_value_of(struct chunk_ref *ref, uint32_t row)
{
    uint32_t entry = entry_of(ref, row);
    if (entry == UINT32_MAX)
        return value_null();
    return ref->input->codes ? ref->input->dict[ref->input->codes[entry]]
                             : ref->input->values[entry];
}

/* The dictionary's texts, by code: printed once. NULL when memory is out. */
static const struct value *texts_of(struct encoder *encoder, struct chunk_ref *ref)
{
    const struct chunk_input *input = ref->input;
    if (ref->texts)
        return ref->texts;
    if (input->types_seen == 1U << VALUE_STRING)
        return ref->texts = input->dict;
    struct arena *arena = encoder->refs->arena;
    struct value *texts = arena_alloc(arena, input->dict_count * sizeof(*texts) + 1);
    for (uint32_t i = 0; texts && i < input->dict_count; i++) {
        struct value v = input->dict[i];
        struct slice text = form_print(v, (struct form){FORM_TEXT, 0}, encoder->room);
        if (v.type != VALUE_STRING && text.ptr)
            text = arena_copy(arena, text);
        texts[i] = text.ptr ? value_string(text) : value_null();
    }
    return ref->texts = texts;
}

/* By code or entry: texts where that spares printing them again. NULL when memory is out. */
static const struct value *values_for(struct encoder *encoder, struct chunk_ref *ref,
                                      struct form form)
{
    if (!ref->input->codes)
        return ref->input->values;
    return form.kind == FORM_TEXT ? texts_of(encoder, ref) : ref->input->dict;
}

static inline struct slice text_of(struct encoder *encoder, const struct value *v, struct form form)
{
    if (form.kind == FORM_TEXT && v->type == VALUE_STRING)
        return value_slice(*v);
    return form_print(*v, form, encoder->room);
}

struct slice skeleton_ref_text(struct encoder *encoder, const struct candidate *candidate,
                               uint32_t row)
{
    struct chunk_ref *ref = &encoder->refs->list[candidate->ref];
    const struct value *values = values_for(encoder, ref, candidate->form);
    uint32_t entry = entry_of(ref, row);
    if (entry == UINT32_MAX || !values)
        return SLICE_NONE;
    return text_of(encoder, &values[ref->input->codes ? ref->input->codes[entry] : entry],
                   candidate->form);
}

/* ---- stretches -------------------------------------------------------------------------- */

static bool make_room(struct encoder *encoder, struct skeleton *skeleton)
{
    size_t bytes = 1;
    for (uint32_t s = 0; s < skeleton->token_count; s++)
        bytes += skeleton->literals[s].len + skeleton->slots[s].text.len;
    bytes += skeleton->literals[skeleton->token_count].len;
    skeleton->stretch_room = arena_array(encoder->arena, skeleton->token_count + 1U,
                                         sizeof(*skeleton->stretch_room));
    skeleton->fixed = arena_array(encoder->arena, skeleton->token_count + 1U,
                                  sizeof(*skeleton->fixed));
    skeleton->text_room = arena_alloc(encoder->arena, bytes);
    return skeleton->stretch_room && skeleton->fixed && skeleton->text_room;
}

/* False when memory is out. */
static bool end_stretch(struct encoder *encoder, struct stretch *stretch, const struct slot *slot,
                        struct slice next)
{
    stretch->open = slot->candidate_count == 0;
    stretch->stop = next.len ? (unsigned char)next.ptr[0] : -1;
    if (stretch->open)
        return true;
    const struct candidate *candidate = &slot->candidates[slot->candidate_count - 1];
    struct chunk_ref *ref = &encoder->refs->list[candidate->ref];
    stretch->ref = ref;
    stretch->form = candidate->form;
    stretch->codes = ref->input->codes;
    stretch->values = values_for(encoder, ref, candidate->form);
    return stretch->values != NULL;
}

/* Takes the slots as they are now; false when memory is out. */
static bool make_stretches(struct encoder *encoder, struct skeleton *skeleton)
{
    if (!skeleton->text_room && !make_room(encoder, skeleton))
        return false;
    struct stretch *stretch = skeleton->stretch_room;
    char *to = skeleton->text_room;
    *stretch = (struct stretch){.fixed = to};
    for (uint32_t s = 0;; s++) {
        to = mempcpy(to, skeleton->literals[s].ptr, skeleton->literals[s].len);
        stretch->fixed_len = (uint32_t)(to - stretch->fixed);
        stretch->slot = s;
        stretch->last = s == skeleton->token_count;
        if (stretch->last)
            break;
        const struct slot *slot = &skeleton->slots[s];
        if (slot->constant) {
            skeleton->fixed[s] = (struct skeleton_token){(uint16_t)stretch->fixed_len,
                                                         (uint16_t)slot->text.len};
            to = mempcpy(to, slot->text.ptr, slot->text.len);
            continue;
        }
        if (!end_stretch(encoder, stretch, slot, skeleton->literals[s + 1]))
            return false;
        *++stretch = (struct stretch){.fixed = to, .first = s + 1};
    }
    skeleton->stretches = skeleton->stretch_room;
    return true;
}

/* ---- matching --------------------------------------------------------------------------- */

/* Some rows on the same column is asked again: there are too many columns for the processor to see that
 * each is read in order. One step after the other, so that none waits for memory itself: the arrays,
 * then a value, then its text. Inlined: GCC leaves out calls of a function that does nothing but this. */
__attribute__((always_inline)) static inline void fetch_ahead(const struct stretch *stretch,
                                                              uint32_t entry)
{
    const struct chunk_input *input = stretch->ref->input;
    if (entry + AHEAD_ARRAYS >= input->count)
        return;
    uint32_t value = entry + AHEAD_VALUE, text = entry + AHEAD_TEXT;
    if (input->rows)
        __builtin_prefetch(&input->rows[entry + AHEAD_ARRAYS]);
    if (stretch->codes) {
        __builtin_prefetch(&stretch->codes[entry + AHEAD_ARRAYS]);
        value = stretch->codes[value];
        text = stretch->codes[text];
    }
    __builtin_prefetch(&stretch->values[value]);
    if (stretch->values[text].type == VALUE_STRING)
        __builtin_prefetch(stretch->values[text].text);
}

/* The length of what the slot says in the row, which the text begins with; -1 when it does not, or the
 * column does not tell. */
static inline ptrdiff_t said_len(struct encoder *encoder, const struct stretch *stretch, uint32_t row,
                                 const char *at, const char *end)
{
    uint32_t entry = entry_of(stretch->ref, row);
    if (entry == UINT32_MAX)
        return -1;
    fetch_ahead(stretch, entry);
    const struct value *v = &stretch->values[stretch->codes ? stretch->codes[entry] : entry];
    if (stretch->form.kind != FORM_TEXT || v->type != VALUE_STRING)
        return form_match(*v, stretch->form, slice_of(at, (size_t)(end - at)), encoder->room);
    return end - at >= v->len && slice_same_bytes(at, v->text, v->len) ? (ptrdiff_t)v->len : -1;
}

/* The length of an open slot's token, or -1. */
static inline ptrdiff_t open_len(const struct stretch *stretch, const char *at, const char *end)
{
    if (stretch->stop < 0)
        return end - at;
    const char *stop = memchr(at, stretch->stop, (size_t)(end - at));
    return stop ? stop - at : -1;
}

bool skeleton_match(struct encoder *encoder, struct skeleton *skeleton, uint32_t i,
                    struct slice text, struct skeleton_token *tokens)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    uint32_t row = skeleton_row_of(encoder->input, i);
    if (!skeleton->stretches && !make_stretches(encoder, skeleton))
        return false;
    for (const struct stretch *stretch = skeleton->stretches;; stretch++) {
        if ((size_t)(end - at) < stretch->fixed_len ||
            !slice_same_bytes(at, stretch->fixed, stretch->fixed_len))
            return false;
        uint16_t start = (uint16_t)(at - text.ptr);
        for (uint32_t s = stretch->first; s < stretch->slot; s++)
            tokens[s] = (struct skeleton_token){(uint16_t)(start + skeleton->fixed[s].start),
                                                skeleton->fixed[s].len};
        at += stretch->fixed_len;
        if (stretch->last)
            return at == end;
        ptrdiff_t len = stretch->open ? open_len(stretch, at, end)
                                      : said_len(encoder, stretch, row, at, end);
        if (len < 0)
            return false;
        tokens[stretch->slot] = (struct skeleton_token){(uint16_t)(at - text.ptr), (uint16_t)len};
        at += len;
    }
}
