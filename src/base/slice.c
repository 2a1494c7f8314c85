#include "base/slice.h"

#include <stdlib.h>

int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    return true;
}

bool slice_is_nocase(struct slice s, const char *text)
{
    return slice_equal_nocase(s, slice_text(text));
}

ptrdiff_t slice_find(struct slice s, struct slice needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? at - s.ptr : -1;
}

ptrdiff_t slice_find_char(struct slice s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool slice_cut(struct slice s, char sep, struct slice *before, struct slice *after)
{
    ptrdiff_t at = slice_find_char(s, sep);
    if (at < 0)
        return false;
    *before = slice_sub(s, 0, (size_t)at);
    *after = slice_from(s, (size_t)at + 1);
    return true;
}

bool slice_next_line(struct slice *text, struct slice *line)
{
    if (text->len == 0)
        return false;
    ptrdiff_t at = slice_find_char(*text, '\n');
    size_t len = at < 0 ? text->len : (size_t)at;
    *line = slice_sub(*text, 0, len);
    *text = slice_from(*text, at < 0 ? len : len + 1);
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

bool slice_next_part(struct slice *text, char sep, struct slice *part)
{
    if (slice_is_none(*text))
        return false;
    if (slice_cut(*text, sep, part, text))
        return true;
    *part = *text;
    *text = SLICE_NONE;
    return true;
}

bool slice_to_u64(struct slice s, uint64_t *out)
{
    if (s.len == 0 || s.len > 20)
        return false;
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)((unsigned char)s.ptr[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *out = n;
    return true;
}

bool slice_to_i64(struct slice s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    uint64_t n;
    if (!slice_to_u64(negative ? slice_from(s, 1) : s, &n))
        return false;
    if (n > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

bool slice_to_f64(struct slice s, double *out)
{
    char text[400];
    if (s.len == 0 || s.len >= sizeof(text) || is_space(s.ptr[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) /* decimal only: no hex, "inf" or "nan" */
        if (!strchr("0123456789+-.eE", s.ptr[i]) || s.ptr[i] == '\0')
            return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    char *end;
    *out = strtod(text, &end);
    return end == text + s.len;
}

size_t slice_distance(struct slice a, struct slice b)
{
    enum { MAX = 64 };
    size_t row[MAX + 1];
    a = slice_sub(a, 0, MAX);
    b = slice_sub(b, 0, MAX);
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = diagonal + (ascii_lower(a.ptr[i - 1]) != ascii_lower(b.ptr[j - 1]));
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.len];
}

bool slice_matches_stars(struct slice name, struct slice pattern)
{
    size_t n = 0, p = 0, star = SIZE_MAX, mark = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
