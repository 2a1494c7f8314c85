#include "base/fold_find.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static unsigned char fold(unsigned char c)
{
    return (unsigned char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
}

/* The bit in which the cases of a letter differ; 0 for what is no letter. */
static unsigned char case_bit(unsigned char folded)
{
    return (unsigned char)(folded - 'a') < 26 ? 0x20 : 0;
}

void fold_needle_init(struct fold_needle *needle, struct slice folded)
{
    *needle = (struct fold_needle){.text = folded, .ascii = true};
    for (size_t i = 0; i < folded.len; i++) {
        unsigned char c = (unsigned char)folded.ptr[i];
        needle->ascii = needle->ascii && c < 0x80;
        needle->has_k_or_s = needle->has_k_or_s || c == 'k' || c == 's';
    }
}

static bool has_pair(struct slice text, char first, char second)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    while (at < end && (at = memchr(at, first, (size_t)(end - at))) != NULL)
        if (++at < end && *at == second)
            return true;
    return false;
}

static bool is_ascii(struct slice text)
{
    uint64_t any = 0, word;
    size_t at = 0;
    for (; text.len - at >= 8; at += 8) {
        memcpy(&word, text.ptr + at, 8);
        any |= word;
    }
    for (; at < text.len; at++)
        any |= (uint64_t)(unsigned char)text.ptr[at];
    return !(any & UINT64_C(0x8080808080808080));
}

/* Whether some character outside ASCII could fold into the needle. */
static bool is_doubtful(const struct fold_needle *needle, struct slice text)
{
    return !needle->ascii || (needle->has_k_or_s && !is_ascii(text) && (has_pair(text, '\xc5', '\xbf') ||
                                                     has_pair(text, '\xe2', '\x84')));
}

static bool matches(const struct fold_needle *needle, const char *at)
{
    for (size_t i = 0; i < needle->text.len; i++)
        if (fold((unsigned char)at[i]) != (unsigned char)needle->text.ptr[i])
            return false;
    return true;
}

/* What the first and the last byte are, but for their case. */
struct ends {
    size_t len;
    unsigned char first, first_bit, last, last_bit;
};

#ifdef __SSE2__
enum { LANES = 16 };

/* Places where both ends fit, many at a time; *from moves to the match, or to where less than that is
 * left. */
static bool find_by_lanes(const struct fold_needle *needle, const struct ends *ends,
                          const char **from, const char *end)
{
    const __m128i first = _mm_set1_epi8((char)ends->first), last = _mm_set1_epi8((char)ends->last);
    const __m128i first_bit = _mm_set1_epi8((char)ends->first_bit);
    const __m128i last_bit = _mm_set1_epi8((char)ends->last_bit);
    const char *at = *from;
    for (; (size_t)(end - at) >= ends->len + LANES - 1; at += LANES) {
        __m128i a = _mm_loadu_si128((const __m128i_u *)at);
        __m128i b = _mm_loadu_si128((const __m128i_u *)(at + ends->len - 1));
        __m128i hit = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(a, first_bit), first),
                                    _mm_cmpeq_epi8(_mm_or_si128(b, last_bit), last));
        for (unsigned mask = (unsigned)_mm_movemask_epi8(hit); mask; mask &= mask - 1)
            if (matches(needle, at + __builtin_ctz(mask))) {
                *from = at + __builtin_ctz(mask);
                return true;
            }
    }
    *from = at;
    return false;
}
#else
static bool find_by_lanes(const struct fold_needle *needle, const struct ends *ends,
                          const char **from, const char *end)
{
    (void)needle, (void)ends, (void)from, (void)end;
    return false;
}
#endif

/* The first match, or NULL. */
static const char *find_ascii(const struct fold_needle *needle, struct slice text)
{
    size_t len = needle->text.len;
    struct ends ends = {.len = len,
                        .first = (unsigned char)needle->text.ptr[0],
                        .last = (unsigned char)needle->text.ptr[len - 1]};
    ends.first_bit = case_bit(ends.first);
    ends.last_bit = case_bit(ends.last);
    const char *at = text.ptr, *end = text.ptr + text.len;
    if (find_by_lanes(needle, &ends, &at, end))
        return at;
    for (; (size_t)(end - at) >= len; at++)
        if (((unsigned char)at[0] | ends.first_bit) == ends.first &&
            ((unsigned char)at[len - 1] | ends.last_bit) == ends.last && matches(needle, at))
            return at;
    return NULL;
}

enum fold_answer fold_find(const struct fold_needle *needle, struct slice text)
{
    size_t at = 0;
    return fold_find_from(needle, text, &at);
}

enum fold_answer fold_find_from(const struct fold_needle *needle, struct slice text, size_t *at)
{
    struct slice rest = slice_from(text, *at);
    if (needle->text.len == 0)
        return FOLD_YES;
    const char *found = needle->ascii && rest.len >= needle->text.len ? find_ascii(needle, rest) : NULL;
    if (!found)
        return is_doubtful(needle, rest) ? FOLD_UNKNOWN : FOLD_NO;
    *at = (size_t)(found - text.ptr);
    return FOLD_YES;
}

enum fold_answer fold_starts(struct slice folded, struct slice text)
{
    for (size_t i = 0; i < folded.len; i++) {
        if (i == text.len)
            return FOLD_NO;
        unsigned char c = (unsigned char)text.ptr[i], want = (unsigned char)folded.ptr[i];
        if (c >= 0x80 || want >= 0x80)
            return FOLD_UNKNOWN;
        if (fold(c) != want)
            return FOLD_NO;
    }
    return FOLD_YES;
}
