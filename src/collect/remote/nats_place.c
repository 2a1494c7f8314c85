#include "collect/remote/nats_place.h"

#include "base/limits.h"
#include "base/mem.h"

enum { VERSION = 1 };

void nats_place_close(struct nats_place *place)
{
    mem_free(place->ranges);
    *place = (struct nats_place){0};
}

/* The first range that ends at or behind number. */
static size_t range_at(const struct nats_place *place, uint64_t number)
{
    size_t low = 0, high = place->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place->ranges[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool nats_place_has(const struct nats_place *place, uint64_t number)
{
    size_t at = range_at(place, number);
    return number <= place->floor || (at < place->count && place->ranges[at].first <= number);
}

static bool make_room(struct nats_place *place)
{
    size_t size = place->size ? place->size * 2 : 16;
    struct nats_range *ranges = place->count < NATS_RANGES_MAX ? mem_realloc(place->ranges, size * sizeof(*ranges)) : NULL;
    if (!ranges)
        return false;
    place->ranges = ranges;
    place->size = size;
    return true;
}

bool nats_place_add(struct nats_place *place, uint64_t first, uint64_t last)
{
    size_t at = range_at(place, first ? first - 1 : 0), end = at; /* one that ends just before it becomes longer */
    while (end < place->count && place->ranges[end].first <= (last == UINT64_MAX ? last : last + 1))
        end++;
    if (at == end) {
        if (place->count == place->size && !make_room(place))
            return false;
        memmove(&place->ranges[at + 1], &place->ranges[at], (place->count - at) * sizeof(*place->ranges));
        place->ranges[at] = (struct nats_range){first, last};
        place->count++;
        return true;
    }
    struct nats_range *whole = &place->ranges[at];
    if (first < whole->first)
        whole->first = first;
    if (place->ranges[end - 1].last > last)
        last = place->ranges[end - 1].last;
    whole->last = last;
    memmove(&place->ranges[at + 1], &place->ranges[end], (place->count - end) * sizeof(*place->ranges));
    place->count -= end - at - 1;
    return true;
}

void nats_place_raise(struct nats_place *place, uint64_t number)
{
    size_t gone = 0;
    if (number <= place->floor)
        return;
    place->floor = number;
    while (gone < place->count && place->ranges[gone].last <= number)
        gone++;
    place->count -= gone;
    if (place->count)
        memmove(place->ranges, place->ranges + gone, place->count * sizeof(*place->ranges));
}

void nats_place_save(const struct nats_place *place, struct buffer *to)
{
    buffer_put_varint(to, VERSION);
    buffer_put_le64(to, (uint64_t)place->created_ns);
    buffer_put_varint(to, place->floor);
    buffer_put_varint(to, place->stream);
    buffer_put_varint(to, place->consumer);
    buffer_put_varint(to, place->count);
    for (size_t i = 0; i < place->count; i++) {
        buffer_put_varint(to, place->ranges[i].first);
        buffer_put_varint(to, place->ranges[i].last - place->ranges[i].first);
    }
}

static bool take_ranges(struct nats_place *place, uint64_t count, struct slice *from)
{
    uint64_t first, len;
    for (uint64_t i = 0; i < count; i++)
        if (!slice_take_varint(from, &first) || !slice_take_varint(from, &len) || len > UINT64_MAX - first ||
            !nats_place_add(place, first, first + len))
            return false;
    return true;
}

int nats_place_load(struct nats_place *place, struct slice bytes, struct err *err)
{
    uint64_t version, created, count;
    nats_place_close(place);
    bool fits = slice_take_varint(&bytes, &version) && version == VERSION && slice_take_le64(&bytes, &created) &&
                slice_take_varint(&bytes, &place->floor) && slice_take_varint(&bytes, &place->stream) &&
                slice_take_varint(&bytes, &place->consumer) && slice_take_varint(&bytes, &count) && count <= NATS_RANGES_MAX;
    if (fits)
        place->created_ns = (int64_t)created;
    if (fits && take_ranges(place, count, &bytes) && bytes.len == 0)
        return 0;
    nats_place_close(place);
    return err_set(err, ERR_CORRUPT, "the place up to which the stream was read cannot be understood");
}
