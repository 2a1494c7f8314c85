#include "base/fold_find.h"

#include "base/lane.h"

#include <string.h>

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

/* The first match, or NULL: places where the first and the last byte fit, many at a time. */
static const char *find_ascii(const struct fold_needle *needle, struct slice text)
{
    size_t len = needle->text.len;
    unsigned char first = (unsigned char)needle->text.ptr[0];
    unsigned char last = (unsigned char)needle->text.ptr[len - 1];
    unsigned char first_bit = case_bit(first), last_bit = case_bit(last);
    const char *at = text.ptr, *end = text.ptr + text.len;
    for (; (size_t)(end - at) >= len + LANE - 1; at += LANE)
        for (unsigned mask = lane_mask(at, first, first_bit) &
                             lane_mask(at + len - 1, last, last_bit);
             mask; mask &= mask - 1)
            if (matches(needle, at + __builtin_ctz(mask)))
                return at + __builtin_ctz(mask);
    for (; (size_t)(end - at) >= len; at++)
        if (((unsigned char)at[0] | first_bit) == first &&
            ((unsigned char)at[len - 1] | last_bit) == last && matches(needle, at))
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
