#pragma once
/* store/bytes: little-endian numbers at a place that need not be aligned. */
#include "base/slice.h"

/* memcmp() == 0 for what is mostly some bytes only: without the call. */
static inline bool bytes_same(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    uint32_t p, q;
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
        memcpy(&x, a + len - 8, 8);
        memcpy(&y, b + len - 8, 8);
        return x == y;
    }
    if (len >= 4) {
        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        if (p != q)
            return false;
        memcpy(&p, a + len - 4, 4);
        memcpy(&q, b + len - 4, 4);
        return p == q;
    }
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

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

/* Zigzag: small numbers of either sign become small. */
static inline uint64_t bytes_zigzag(int64_t n)
{
    return ((uint64_t)n << 1) ^ (n < 0 ? ~UINT64_C(0) : 0);
}

static inline int64_t bytes_unzigzag(uint64_t n)
{
    return (int64_t)((n >> 1) ^ (0 - (n & 1)));
}
