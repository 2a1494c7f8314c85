#include "store/ints.h"

#include "event/decimal.h" /* uint128 */
#include "store/bytes.h"

enum { GROUP = 128, DELTA = 1 };

static const int64_t DIVISORS[4] = {1, 1000, 1000000, 1000000000};

static unsigned width_of(uint64_t n)
{
    return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

/* The largest divisor that loses nothing, as an index. */
static unsigned common_divisor(const int64_t *numbers, size_t count)
{
    unsigned best = 3;
    for (size_t i = 0; i < count && best; i++)
        while (best && numbers[i] % DIVISORS[best] != 0)
            best--;
    return best;
}

/* Bytes of the groups when the numbers are packed as they are. */
static size_t estimate(const int64_t *numbers, size_t count, int64_t divisor, bool delta)
{
    size_t bits = 0;
    int64_t before = count ? numbers[0] / divisor : 0;
    for (size_t i = 0; i < count; i += GROUP) {
        size_t n = count - i < GROUP ? count - i : GROUP;
        int64_t low = INT64_MAX, high = INT64_MIN;
        for (size_t k = 0; k < n; k++) {
            int64_t v = numbers[i + k];
            if (divisor != 1)
                v /= divisor;
            int64_t use = delta ? (int64_t)((uint64_t)v - (uint64_t)before) : v;
            before = v;
            low = use < low ? use : low;
            high = use > high ? use : high;
        }
        bits += width_of((uint64_t)high - (uint64_t)low) * n + 24;
    }
    return bits / 8;
}

static void put_bits(const uint64_t *numbers, size_t count, unsigned width, char *to)
{
    uint128 hold = 0;
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        hold |= (uint128)numbers[i] << held;
        held += width;
        while (held >= 8) {
            *to++ = (char)hold;
            hold >>= 8;
            held -= 8;
        }
    }
    if (held)
        *to = (char)hold;
}

static void put_group(const uint64_t *group, size_t count, struct buffer *to)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t n = (int64_t)group[i];
        low = n < low ? n : low;
        high = n > high ? n : high;
    }
    unsigned width = width_of((uint64_t)high - (uint64_t)low);
    UNSET uint64_t reduced[GROUP];
    for (size_t i = 0; i < count; i++)
        reduced[i] = group[i] - (uint64_t)low;
    buffer_put_varint(to, bytes_zigzag(low));
    buffer_put_char(to, (char)width);
    size_t bytes = (count * width + 7) / 8;
    char *room = bytes ? buffer_reserve(to, bytes) : NULL;
    if (!room)
        return;
    put_bits(reduced, count, width, room);
    buffer_commit(to, bytes);
}

void ints_encode(const int64_t *numbers, size_t count, struct buffer *to)
{
    unsigned divisor = common_divisor(numbers, count);
    int64_t by = DIVISORS[divisor];
    bool delta = estimate(numbers, count, by, true) < estimate(numbers, count, by, false);
    buffer_put_char(to, (char)((delta ? DELTA : 0) | divisor << 1));
    if (!count)
        return;
    uint64_t before = (uint64_t)(numbers[0] / by);
    if (delta)
        buffer_put_varint(to, bytes_zigzag((int64_t)before));
    UNSET uint64_t group[GROUP];
    for (size_t i = 0; i < count; i += GROUP) {
        size_t n = count - i < GROUP ? count - i : GROUP;
        for (size_t k = 0; k < n; k++) {
            uint64_t v = (uint64_t)(by == 1 ? numbers[i + k] : numbers[i + k] / by);
            group[k] = delta ? v - before : v;
            before = v;
        }
        put_group(group, n, to);
    }
}

/* width bits at bit position at; the slice holds them. */
static uint64_t get_bits(struct slice from, size_t at, unsigned width)
{
    const char *p = from.ptr + at / 8;
    unsigned shift = at & 7;
    size_t left = from.len - at / 8;
    if (left >= 8 && width + shift <= 64) {
        uint64_t word = bytes_get_le64(p) >> shift;
        return width == 64 ? word : word & ((UINT64_C(1) << width) - 1);
    }
    uint128 hold = 0;
    for (size_t i = 0; i < left && i < 9; i++)
        hold |= (uint128)(unsigned char)p[i] << (8 * i);
    hold >>= shift;
    return width == 64 ? (uint64_t)hold : (uint64_t)hold & ((UINT64_C(1) << width) - 1);
}

/* How many numbers from the front can be read as whole words: readable counts the bytes that are
 * there, those behind the packed ones included. */
static size_t whole_words(size_t count, unsigned width, size_t readable)
{
    if (width == 0 || width > 56 || readable < 8)
        return 0;
    size_t fit = (readable - 8) * 8 / width + 1;
    return fit < count ? fit : count;
}

static bool get_group(struct slice *from, int64_t *numbers, size_t count)
{
    uint64_t low;
    struct slice width_byte, packed;
    if (!slice_take_varint(from, &low) || !slice_take(from, 1, &width_byte))
        return false;
    unsigned width = (unsigned char)width_byte.ptr[0];
    if (width > 64 || !slice_take(from, (count * width + 7) / 8, &packed))
        return false;
    uint64_t base = (uint64_t)bytes_unzigzag(low);
    if (width == 0) {
        for (size_t i = 0; i < count; i++)
            numbers[i] = (int64_t)base;
        return true;
    }
    uint64_t mask = UINT64_MAX >> (64 - width);
    size_t fast = whole_words(count, width, packed.len + from->len), i = 0;
    for (size_t at = 0; i < fast; i++, at += width)
        numbers[i] = (int64_t)(base + ((bytes_get_le64(packed.ptr + at / 8) >> (at & 7)) & mask));
    for (; i < count; i++)
        numbers[i] = (int64_t)(base + get_bits(packed, i * width, width));
    return true;
}

static void undo_delta(int64_t *numbers, size_t count, uint64_t before)
{
    for (size_t i = 0; i < count; i++) {
        before += (uint64_t)numbers[i];
        numbers[i] = (int64_t)before;
    }
}

bool ints_take(struct slice *from, int64_t *numbers, size_t count)
{
    struct slice flags;
    uint64_t first = 0;
    if (!slice_take(from, 1, &flags) || (unsigned char)flags.ptr[0] > 7)
        return false;
    if (!count)
        return true;
    bool delta = flags.ptr[0] & DELTA;
    if (delta && !slice_take_varint(from, &first))
        return false;
    for (size_t i = 0; i < count; i += GROUP)
        if (!get_group(from, numbers + i, count - i < GROUP ? count - i : GROUP))
            return false;
    if (delta)
        undo_delta(numbers, count, (uint64_t)bytes_unzigzag(first));
    uint64_t by = (uint64_t)DIVISORS[(flags.ptr[0] >> 1) & 3];
    if (by != 1)
        for (size_t i = 0; i < count; i++)
            numbers[i] = (int64_t)((uint64_t)numbers[i] * by);
    return true;
}

bool ints_skip(struct slice *from, size_t count)
{
    struct slice flags, packed;
    uint64_t n;
    if (!slice_take(from, 1, &flags) || (unsigned char)flags.ptr[0] > 7)
        return false;
    if (count && (flags.ptr[0] & DELTA) && !slice_take_varint(from, &n))
        return false;
    for (size_t i = 0; i < count; i += GROUP) {
        size_t group = count - i < GROUP ? count - i : GROUP;
        struct slice width;
        if (!slice_take_varint(from, &n) || !slice_take(from, 1, &width) ||
            (unsigned char)width.ptr[0] > 64 ||
            !slice_take(from, (group * (unsigned char)width.ptr[0] + 7) / 8, &packed))
            return false;
    }
    return true;
}

bool ints_decode(struct slice from, int64_t *numbers, size_t count)
{
    return ints_take(&from, numbers, count) && from.len == 0;
}

size_t ints_packed_size(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

void ints_pack(const uint32_t *codes, size_t count, unsigned width, char *to)
{
    uint64_t hold = 0;
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        hold |= (uint64_t)codes[i] << held;
        held += width;
        while (held >= 8) {
            *to++ = (char)hold;
            hold >>= 8;
            held -= 8;
        }
    }
    if (held)
        *to = (char)hold;
}

bool ints_unpack(struct slice from, uint32_t *codes, size_t count, unsigned width)
{
    if (width > 32 || from.len != ints_packed_size(count, width))
        return false;
    uint64_t mask = (UINT64_C(1) << width) - 1;
    size_t fast = whole_words(count, width, from.len), i = 0;
    for (size_t at = 0; i < fast; i++, at += width)
        codes[i] = (uint32_t)((bytes_get_le64(from.ptr + at / 8) >> (at & 7)) & mask);
    for (; i < count; i++)
        codes[i] = width ? (uint32_t)get_bits(from, i * width, width) : 0;
    return true;
}

uint32_t ints_unpack_one(struct slice from, size_t index, unsigned width)
{
    return width ? (uint32_t)get_bits(from, index * width, width) : 0;
}
