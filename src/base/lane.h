#pragma once
/*
 * base/lane: sixteen bytes looked at together, where the processor can; for loops over text that mostly
 * end soon, where a call of memchr() costs more than it finds.
 */
#include <stdbool.h>
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

/* How many of LANE bytes from the first on are ASCII letters and digits; all LANE are written to `to` in lower case, what is
 * behind them is of no use. *telling: one of those is a letter that no number and no time has: not a to f, t, x, z. */
static inline unsigned lane_fold_word(const char *at, char *to, bool *telling)
{
#if defined(__SSE2__)
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(bytes, _mm_set1_epi8('9' + 1)));
    __m128i silent = _mm_or_si128(_mm_cmpeq_epi8(lower, _mm_set1_epi8('t')), _mm_cmpeq_epi8(lower, _mm_set1_epi8('x')));
    silent = _mm_or_si128(_mm_cmpeq_epi8(lower, _mm_set1_epi8('z')), silent);
    silent = _mm_or_si128(_mm_cmplt_epi8(lower, _mm_set1_epi8('g')), silent);
    _mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(bytes, _mm_and_si128(letter, _mm_set1_epi8(0x20))));
    unsigned other = (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)) ^ 0xffffU;
    unsigned tells = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(silent, letter));
    unsigned count = other ? (unsigned)__builtin_ctz(other) : LANE;
    *telling = (tells & ((1U << count) - 1)) != 0;
    return count;
#else
    unsigned i = 0;
    *telling = false;
    for (; i < LANE; i++) {
        char lower = (char)(at[i] | 0x20);
        bool letter = lower >= 'a' && lower <= 'z';
        if (!letter && !(at[i] >= '0' && at[i] <= '9'))
            return i;
        to[i] = letter ? lower : at[i];
        *telling = *telling || (letter && lower > 'f' && lower != 't' && lower != 'x' && lower != 'z');
    }
    return i;
#endif
}
