#pragma once
/* base/bits: sets of small numbers as words of 64 bits; the caller owns the words. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t bits_words(size_t bit_count)
{
    return (bit_count + 63) / 64;
}

static inline bool bits_get(const uint64_t *bits, size_t i)
{
    return (bits[i >> 6] >> (i & 63)) & 1;
}

static inline void bits_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

static inline void bits_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}

static inline void bits_zero(uint64_t *bits, size_t bit_count)
{
    memset(bits, 0, bits_words(bit_count) * 8);
}

/* Sets the first bit_count bits; those behind them in the last word are cleared. */
static inline void bits_fill(uint64_t *bits, size_t bit_count)
{
    memset(bits, 0xff, bits_words(bit_count) * 8);
    if (bit_count & 63)
        bits[bit_count >> 6] = (UINT64_C(1) << (bit_count & 63)) - 1;
}

static inline size_t bits_count(const uint64_t *bits, size_t bit_count)
{
    size_t n = 0;
    for (size_t i = 0; i < bits_words(bit_count); i++)
        n += (size_t)__builtin_popcountll(bits[i]);
    return n;
}

static inline bool bits_any(const uint64_t *bits, size_t bit_count)
{
    for (size_t i = 0; i < bits_words(bit_count); i++)
        if (bits[i])
            return true;
    return false;
}

/* The first set bit at or after from, or bit_count. */
static inline size_t bits_next(const uint64_t *bits, size_t bit_count, size_t from)
{
    if (from >= bit_count)
        return bit_count;
    size_t word = from >> 6;
    uint64_t rest = bits[word] & (~UINT64_C(0) << (from & 63));
    while (!rest) {
        if (++word >= bits_words(bit_count))
            return bit_count;
        rest = bits[word];
    }
    size_t at = word * 64 + (size_t)__builtin_ctzll(rest);
    return at < bit_count ? at : bit_count;
}

static inline void bits_and(uint64_t *to, const uint64_t *with, size_t bit_count)
{
    for (size_t i = 0; i < bits_words(bit_count); i++)
        to[i] &= with[i];
}

static inline void bits_or(uint64_t *to, const uint64_t *with, size_t bit_count)
{
    for (size_t i = 0; i < bits_words(bit_count); i++)
        to[i] |= with[i];
}

static inline void bits_and_not(uint64_t *to, const uint64_t *without, size_t bit_count)
{
    for (size_t i = 0; i < bits_words(bit_count); i++)
        to[i] &= ~without[i];
}
