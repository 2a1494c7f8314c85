#include "gate/gate_journal_frame.h"

#include "base/hash.h"

#include <sodium.h>
#include <string.h>

enum { FLAG_CARRIED = 1, META_SIZE = 28, LENGTH_AT = 4, CRC_AT = 8, META_AT = 12 };

static const char magic[4] = {'H', 'G', 'J', '2'};

/* flags, number, time, before */
static void put_meta(struct buffer *to, const struct gate_journal_frame *frame)
{
    buffer_put_le32(to, frame->carried ? FLAG_CARRIED : 0);
    buffer_put_le64(to, frame->number);
    buffer_put_le64(to, (uint64_t)frame->time_ns);
    buffer_put_le64(to, frame->before);
}

static void make_chain(const unsigned char chain_before[GATE_CHAIN_SIZE], struct slice meta, struct slice payload,
                       unsigned char to[GATE_CHAIN_SIZE])
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, GATE_CHAIN_SIZE);
    crypto_generichash_update(&hash, chain_before, GATE_CHAIN_SIZE);
    crypto_generichash_update(&hash, (const unsigned char *)meta.ptr, meta.len);
    crypto_generichash_update(&hash, (const unsigned char *)payload.ptr, payload.len);
    crypto_generichash_final(&hash, to, GATE_CHAIN_SIZE);
}

static uint32_t crc_of(struct slice frame)
{
    uint32_t crc = hash_crc32c(0, slice_sub(frame, LENGTH_AT, 4));
    return hash_crc32c(crc, slice_from(frame, META_AT));
}

void gate_journal_frame_put(struct gate_journal_frame *frame, const unsigned char chain_before[GATE_CHAIN_SIZE], struct buffer *to)
{
    size_t begun = to->len;
    buffer_put(to, slice_of(magic, sizeof(magic)));
    buffer_put_le32(to, (uint32_t)frame->payload.len);
    buffer_put_le32(to, 0);
    put_meta(to, frame);
    if (to->failed)
        return;
    make_chain(chain_before, slice_of(to->ptr + begun + META_AT, META_SIZE), frame->payload, frame->chain);
    buffer_put(to, slice_of(frame->chain, GATE_CHAIN_SIZE));
    buffer_put(to, frame->payload);
    if (to->failed)
        return;
    uint32_t crc = crc_of(slice_of(to->ptr + begun, to->len - begun));
    for (size_t i = 0; i < 4; i++)
        to->ptr[begun + CRC_AT + i] = (char)(crc >> (8 * i));
}

size_t gate_journal_frame_size(struct slice header)
{
    struct slice found;
    uint32_t length;
    if (!slice_take(&header, sizeof(magic), &found) || memcmp(found.ptr, magic, sizeof(magic)) != 0 ||
        !slice_take_le32(&header, &length))
        return 0;
    return GATE_FRAME_HEADER + (size_t)length;
}

bool gate_journal_frame_read(struct slice bytes, struct gate_journal_frame *out)
{
    size_t size = gate_journal_frame_size(bytes);
    uint32_t crc, flags;
    uint64_t time;
    struct slice chain, frame = bytes;
    if (!size || !slice_take(&bytes, size, &frame))
        return false;
    struct slice rest = slice_from(frame, CRC_AT);
    if (!slice_take_le32(&rest, &crc) || crc != crc_of(frame) || !slice_take_le32(&rest, &flags) ||
        !slice_take_le64(&rest, &out->number) || !slice_take_le64(&rest, &time) || !slice_take_le64(&rest, &out->before) ||
        !slice_take(&rest, GATE_CHAIN_SIZE, &chain))
        return false;
    memcpy(out->chain, chain.ptr, GATE_CHAIN_SIZE);
    out->time_ns = (int64_t)time;
    out->carried = flags & FLAG_CARRIED;
    out->payload = rest;
    return true;
}

bool gate_journal_frame_follows(const struct gate_journal_frame *frame, const unsigned char chain_before[GATE_CHAIN_SIZE])
{
    struct buffer meta;
    unsigned char chain[GATE_CHAIN_SIZE];
    buffer_init(&meta, 64);
    put_meta(&meta, frame);
    bool made = !buffer_failed(&meta);
    if (made)
        make_chain(chain_before, buffer_slice(&meta), frame->payload, chain);
    buffer_close(&meta);
    return made && memcmp(chain, frame->chain, GATE_CHAIN_SIZE) == 0;
}

int gate_journal_record_next(struct slice *payload, struct slice *record)
{
    uint32_t length;
    if (!payload->len)
        return 0;
    return slice_take_le32(payload, &length) && slice_take(payload, length, record) ? 1 : -1;
}
