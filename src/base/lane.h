#pragma once
/*
 * base/lane: sixteen bytes looked at together, where the processor can; for loops over text that mostly
 * end soon, where a call of memchr() costs more than it finds.
 */
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { LANE = 16 };

/* The first of LANE bytes that is c; LANE: none. */
static inline unsigned lane_find(const char *at, char c)
{
#if defined(__SSE2__)
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
    return found ? (unsigned)__builtin_ctz(found) : LANE;
#else
    unsigned i = 0;
    while (i < LANE && at[i] != c)
        i++;
    return i;
#endif
}

/* The first of LANE bytes that is a or b; LANE: none. */
static inline unsigned lane_find_either(const char *at, char a, char b)
{
#if defined(__SSE2__)
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i same = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(a)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b)));
    unsigned found = (unsigned)_mm_movemask_epi8(same);
    return found ? (unsigned)__builtin_ctz(found) : LANE;
#else
    unsigned i = 0;
    while (i < LANE && at[i] != a && at[i] != b)
        i++;
    return i;
#endif
}

/* The first byte that is a or b, or the end. It mostly is near. */
static inline const char *lane_seek(const char *at, const char *end, char a, char b)
{
    for (unsigned step; end - at >= LANE; at += step) {
        step = lane_find_either(at, a, b);
        if (step < LANE)
            return at + step;
    }
    while (at < end && *at != a && *at != b)
        at++;
    return at;
}

/* How many of LANE bytes are the same in both and need no escape in JSON (quote, backslash, controls). */
static inline unsigned lane_same_plain(const char *a, const char *b)
{
#if defined(__SSE2__)
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    __m128i same = _mm_andnot_si128(_mm_or_si128(marks, control), _mm_cmpeq_epi8(x, y));
    unsigned other = (unsigned)_mm_movemask_epi8(same) ^ 0xffffU;
    return other ? (unsigned)__builtin_ctz(other) : LANE;
#else
    unsigned i = 0;
    while (i < LANE && a[i] == b[i] && (uint8_t)a[i] >= 0x20 && a[i] != '"' && a[i] != '\\')
        i++;
    return i;
#endif
}

/* Bit i: the i-th of LANE bytes is c, once the given bits are set in it (0x20: a letter in any case). */
static inline unsigned lane_mask(const char *at, unsigned char c, unsigned char bits)
{
#if defined(__SSE2__)
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i set = _mm_or_si128(bytes, _mm_set1_epi8((char)bits));
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(set, _mm_set1_epi8((char)c)));
#else
    unsigned mask = 0;
    for (unsigned i = 0; i < LANE; i++)
        mask |= (unsigned)(((unsigned char)at[i] | bits) == c) << i;
    return mask;
#endif
}
