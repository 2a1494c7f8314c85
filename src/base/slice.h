#pragma once
/*
 * base/slice: a piece of someone else's bytes. Passed by value, never owns,
 * not terminated by zero. SLICE_NONE (ptr NULL) means "there is none", which
 * differs from an empty text (ptr not NULL, len 0).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE_NONE ((struct slice){NULL, 0})
/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", SLICE_ARG(s). Cut to int range. */
#define SLICE_ARG(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), (s).ptr

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){(const char *)ptr, len};
}

static inline struct slice slice_text(const char *text)
{
    return text ? (struct slice){text, strlen(text)} : SLICE_NONE;
}

static inline bool slice_is_none(struct slice s)
{
    return s.ptr == NULL;
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* 16 bytes. */
static inline bool slice_same_16(const char *a, const char *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* memcmp() == 0, for names, ids and the like: a call only for more than 32 bytes. The end is looked at first:
 * names often begin alike. */
static inline bool slice_same_bytes(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    uint32_t p, q;
    if (len > 16)
        return slice_same_16(a + len - 16, b + len - 16) &&
               (len > 32 ? memcmp(a, b, len - 16) == 0 : slice_same_16(a, b));
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

/* As slice_equal(), on paths where texts are mostly short. */
static inline bool slice_equal_short(struct slice a, struct slice b)
{
    return a.len == b.len && slice_same_bytes(a.ptr, b.ptr, a.len);
}

static inline bool slice_is(struct slice s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.ptr, text, s.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

/* From start (clipped) to the end. */
static inline struct slice slice_from(struct slice s, size_t start)
{
    if (start > s.len)
        start = s.len;
    return (struct slice){s.ptr ? s.ptr + start : NULL, s.len - start};
}

static inline struct slice slice_sub(struct slice s, size_t start, size_t len)
{
    s = slice_from(s, start);
    if (len < s.len)
        s.len = len;
    return s;
}

/* Byte order, shorter first when one is a prefix of the other. */
int slice_compare(struct slice a, struct slice b);

/* ASCII letters only; for protocol words, not for people's text (see base/utf8.h). */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_is_nocase(struct slice s, const char *text);

/* Position of the first occurrence, or -1. */
ptrdiff_t slice_find(struct slice s, struct slice needle);
ptrdiff_t slice_find_char(struct slice s, char c);

/* ASCII white space off both ends. */
struct slice slice_trim(struct slice s);

/* Splits at the first sep. False, and nothing set, when there is none. */
bool slice_cut(struct slice s, char sep, struct slice *before, struct slice *after);

/* Takes the next line off *text (LF or CRLF, neither included). False at the end. */
bool slice_next_line(struct slice *text, struct slice *line);

/* Takes the next piece off *text up to sep. False at the end; "a," gives "a" and "". */
bool slice_next_part(struct slice *text, char sep, struct slice *part);

/* Whole slice as a number; false when it is anything else or does not fit. */
bool slice_to_i64(struct slice s, int64_t *out);
bool slice_to_u64(struct slice s, uint64_t *out);
bool slice_to_f64(struct slice s, double *out);

/* Whole name against a pattern in which '*' is any run of bytes. */
bool slice_matches_stars(struct slice name, struct slice pattern);

/* Edit distance for "did you mean"; at most 64 bytes are looked at. */
size_t slice_distance(struct slice a, struct slice b);
