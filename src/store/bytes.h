#pragma once
/* store/bytes: little-endian numbers at a place that need not be aligned. */
#include "base/buffer.h"
#include "base/zigzag.h"

static inline uint32_t bytes_get_le32(const void *from)
{
    uint32_t n;
    memcpy(&n, from, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    n = __builtin_bswap32(n);
#endif
    return n;
}

static inline uint64_t bytes_get_le64(const void *from)
{
    uint64_t n;
    memcpy(&n, from, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    n = __builtin_bswap64(n);
#endif
    return n;
}

static inline void bytes_set_le32(void *to, uint32_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    n = __builtin_bswap32(n);
#endif
    memcpy(to, &n, 4);
}

static inline void bytes_set_le64(void *to, uint64_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    n = __builtin_bswap64(n);
#endif
    memcpy(to, &n, 8);
}

/* Exactly 16 lower-case hexadecimal digits. */
static inline bool bytes_parse_hex64(struct slice text, uint64_t *out)
{
    uint64_t n = 0;
    if (text.len != 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9')
            n = n << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = n;
    return true;
}

/* A zigzag varint off the front of *from; false when there is none. */
static inline bool bytes_take_i64(struct slice *from, int64_t *out)
{
    uint64_t n;
    if (!slice_take_varint(from, &n))
        return false;
    *out = bytes_unzigzag(n);
    return true;
}
