#pragma once
/*
 * base/zigzag: signed numbers as unsigned ones, small either way when they are near zero, for varints (as in Protocol Buffers).
 *
 * Threads  Any.
 */
#include <stdint.h>

static inline uint64_t bytes_zigzag(int64_t n)
{
    return ((uint64_t)n << 1) ^ (n < 0 ? ~UINT64_C(0) : 0);
}

static inline int64_t bytes_unzigzag(uint64_t n)
{
    return (int64_t)((n >> 1) ^ (0 - (n & 1)));
}
