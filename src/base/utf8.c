#include "base/utf8.h"

struct fold_run {
    uint32_t first, last;
    uint32_t step;
    int32_t delta;
};

static const struct fold_run fold_runs[] = {
#include "base/utf8_fold.inc"
};

enum { FOLD_RUNS = sizeof(fold_runs) / sizeof(fold_runs[0]) };

size_t utf8_decode(struct slice s, uint32_t *code_point)
{
    if (s.len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr;
    uint32_t c = p[0];
    if (c < 0x80) {
        *code_point = c;
        return 1;
    }
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < 0xc2 || c > 0xf4 || s.len < len)
        return 0;
    c &= 0x7fU >> len;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code_point = c;
    return len;
}

size_t utf8_encode(uint32_t c, char to[4])
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    to[0] = (char)((0xf00U >> len) | c);
    return len;
}

/* Eight bytes at a time while they are all ASCII. */
static size_t ascii_run(struct slice s)
{
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, 8);
        if (word & 0x8080808080808080U)
            break;
    }
    while (i < s.len && (unsigned char)s.ptr[i] < 0x80)
        i++;
    return i;
}

bool utf8_is_ascii(struct slice s)
{
    return ascii_run(s) == s.len;
}

bool utf8_valid(struct slice s)
{
    for (;;) {
        s = slice_from(s, ascii_run(s));
        if (s.len == 0)
            return true;
        uint32_t c;
        size_t len = utf8_decode(s, &c);
        if (len == 0)
            return false;
        s = slice_from(s, len);
    }
}

size_t utf8_count(struct slice s)
{
    size_t count = 0;
    while (s.len) {
        uint32_t c;
        size_t len = utf8_decode(s, &c);
        s = slice_from(s, len ? len : 1);
        count++;
    }
    return count;
}

bool utf8_is_unspaced(uint32_t c)
{
    return c >= 0x3005 && (c <= 0x3007 || (c >= 0x3021 && c <= 0x3029) || /* iteration mark, zero, numerals */
                           (c >= 0x3031 && c <= 0x3035) || (c >= 0x303b && c <= 0x303c) ||
                           (c >= 0x3041 && c <= 0x30ff && c != 0x30fb) || /* kana, not the middle dot */
                           (c >= 0x31f0 && c <= 0x31ff) || (c >= 0x3400 && c <= 0x4dbf) ||
                           (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
                           (c >= 0xff66 && c <= 0xff9f) || (c >= 0x1b000 && c <= 0x1b16f) ||
                           (c >= 0x20000 && c <= 0x3fffd));
}

bool utf8_starts_unspaced(struct slice s)
{
    uint32_t c;
    return s.len && (unsigned char)s.ptr[0] >= 0xe3 && utf8_decode(s, &c) && utf8_is_unspaced(c);
}

bool utf8_ends_unspaced(struct slice s)
{
    size_t at = s.len;
    if (!at || (unsigned char)s.ptr[at - 1] < 0x80)
        return false;
    do
        at--;
    while (at > 0 && s.len - at < 4 && ((unsigned char)s.ptr[at] & 0xc0) == 0x80);
    return utf8_starts_unspaced(slice_from(s, at));
}

uint32_t utf8_fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    size_t low = 0, high = FOLD_RUNS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct fold_run *run = &fold_runs[middle];
        if (c > run->last)
            low = middle + 1;
        else if (c < run->first)
            high = middle;
        else
            return (c - run->first) % run->step == 0 ? (uint32_t)((int64_t)c + run->delta) : c;
    }
    return c;
}

uint32_t utf8_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    for (size_t i = 0; i < FOLD_RUNS; i++) {
        const struct fold_run *run = &fold_runs[i];
        uint32_t from = (uint32_t)((int64_t)c - run->delta);
        if (from >= run->first && from <= run->last && (from - run->first) % run->step == 0)
            return from;
    }
    return c;
}

/* Eight bytes at once while they are ASCII; how many were folded. */
static size_t fold_ascii(struct slice s, char *to)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, 8);
        if (word & 0x80 * ones)
            break;
        uint64_t from_a = word + (0x80 - 'A') * ones, past_z = word + (0x7f - 'Z') * ones;
        word |= ((from_a ^ past_z) & 0x80 * ones) >> 2;
        memcpy(to + i, &word, 8);
    }
    return i;
}

size_t utf8_fold_text(struct slice s, char *to)
{
    char *at = to;
    while (s.len) {
        size_t ascii = s.len >= 8 ? fold_ascii(s, at) : 0;
        at += ascii;
        s = slice_from(s, ascii);
        if (!s.len)
            break;
        unsigned char first = (unsigned char)s.ptr[0];
        if (first < 0x80) {
            *at++ = (char)(first >= 'A' && first <= 'Z' ? first + 32 : first);
            s.ptr++;
            s.len--;
            continue;
        }
        uint32_t c;
        size_t len = utf8_decode(s, &c);
        if (len == 0) {
            *at++ = s.ptr[0];
            len = 1;
        } else {
            at += utf8_encode(utf8_fold(c), at);
        }
        s = slice_from(s, len);
    }
    return (size_t)(at - to);
}

/* The next folded unit: a code point, or an invalid byte moved out of Unicode's range. */
static uint32_t next_folded(struct slice *s)
{
    uint32_t c;
    size_t len = utf8_decode(*s, &c);
    if (len == 0) {
        c = 0x110000U + (unsigned char)s->ptr[0];
        len = 1;
    } else {
        c = utf8_fold(c);
    }
    *s = slice_from(*s, len);
    return c;
}

bool utf8_equal_folded(struct slice a, struct slice b)
{
    while (a.len && b.len)
        if (next_folded(&a) != next_folded(&b))
            return false;
    return a.len == b.len;
}
