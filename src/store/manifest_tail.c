#include "store/manifest_tail.h"

#include "store/bytes.h"

enum { DROP_BYTES_MIN = 11, PLACE_BYTES_MIN = 9 };

static void put_drop(struct buffer *to, const struct manifest_drop *drop)
{
    buffer_put_varint(to, drop->serial);
    buffer_put_varint(to, bytes_zigzag(drop->time_ns));
    buffer_put_block(to, drop->stream);
    buffer_put_varint(to, bytes_zigzag(drop->day));
    buffer_put_varint(to, drop->reason);
    buffer_put_varint(to, drop->segments);
    buffer_put_varint(to, drop->rows);
    buffer_put_varint(to, drop->bytes);
    buffer_put_varint(to, bytes_zigzag(drop->time_min));
    buffer_put_varint(to, bytes_zigzag(drop->time_max));
}

void manifest_tail_put(struct buffer *to, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->segment_count; i++) {
        buffer_put_varint(to, manifest->segments[i].place);
        buffer_put_varint(to, manifest->segments[i].level);
        buffer_put_varint(to, manifest->segments[i].generation);
    }
    buffer_put_varint(to, manifest->place_count);
    for (size_t i = 0; i < manifest->place_count; i++) {
        buffer_put_block(to, manifest->places[i].path);
        buffer_put_le64(to, manifest->places[i].mark);
    }
    buffer_put_varint(to, manifest->drop_count);
    for (size_t i = 0; i < manifest->drop_count; i++)
        put_drop(to, &manifest->drops[i]);
}

static bool take_segment(struct slice *from, struct segment_info *out)
{
    uint64_t place, level, generation;
    if (!slice_take_varint(from, &place) || !slice_take_varint(from, &level) ||
        !slice_take_varint(from, &generation) || place > MANIFEST_PLACES_MAX || level > 100 ||
        generation > UINT32_MAX)
        return false;
    out->place = (uint32_t)place;
    out->level = (uint32_t)level;
    out->generation = (uint32_t)generation;
    return true;
}

static bool take_drop(struct slice *from, struct manifest_drop *out)
{
    uint64_t reason;
    if (!slice_take_varint(from, &out->serial) || !bytes_take_i64(from, &out->time_ns) ||
        !slice_take_block(from, &out->stream) || !bytes_take_i64(from, &out->day) ||
        !slice_take_varint(from, &reason) || reason >= DROP_REASON_COUNT ||
        !slice_take_varint(from, &out->segments) || !slice_take_varint(from, &out->rows) ||
        !slice_take_varint(from, &out->bytes) || !bytes_take_i64(from, &out->time_min) ||
        !bytes_take_i64(from, &out->time_max))
        return false;
    out->reason = (enum drop_reason)reason;
    return true;
}

static bool take_places(struct slice *from, struct arena *arena, struct manifest *out)
{
    uint64_t count;
    if (!slice_take_varint(from, &count) || count > MANIFEST_PLACES_MAX ||
        count > from->len / PLACE_BYTES_MIN)
        return false;
    out->places = arena_array(arena, (size_t)count + 1, sizeof(*out->places));
    for (uint64_t i = 0; out->places && i < count; i++)
        if (!slice_take_block(from, &out->places[i].path) || !slice_take_le64(from, &out->places[i].mark))
            return false;
    out->place_count = out->places ? (size_t)count : 0;
    return out->places != NULL;
}

static bool take_drops(struct slice *from, struct arena *arena, struct manifest *out)
{
    uint64_t count;
    if (!slice_take_varint(from, &count) || count > MANIFEST_DROPS_MAX ||
        count > from->len / DROP_BYTES_MIN + 1)
        return false;
    out->drops = arena_array(arena, (size_t)count + 1, sizeof(*out->drops));
    for (uint64_t i = 0; out->drops && i < count; i++)
        if (!take_drop(from, &out->drops[i]))
            return false;
    out->drop_count = out->drops ? (size_t)count : 0;
    return out->drops != NULL;
}

int manifest_tail_take(struct slice from, struct arena *arena, struct manifest *out,
                       struct err *err)
{
    out->places = NULL;
    out->drops = NULL;
    out->place_count = out->drop_count = 0;
    bool ok = true;
    if (!from.len)
        return 0;
    for (size_t i = 0; ok && i < out->segment_count; i++)
        ok = take_segment(&from, &out->segments[i]);
    ok = ok && take_places(&from, arena, out) && take_drops(&from, arena, out);
    for (size_t i = 0; ok && i < out->segment_count; i++)
        ok = out->segments[i].place <= out->place_count;
    return ok ? 0 : err_set(err, ERR_CORRUPT, "its tail cannot be read");
}
