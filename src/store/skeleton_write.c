/* store/skeleton_write: skeletons and what their slots keep, as streams. */
#include "store/skeleton_encoder.h"

#include "store/bytes.h"
#include "store/segment_writer.h"

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
        kept->tokens[n] = whole ? text : skeleton_token_text(text, encoder->tokens[i][s]);
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

bool skeleton_write(struct encoder *encoder)
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

