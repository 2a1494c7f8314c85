#include "cut/kv.h"

static size_t quoted_end(struct slice text, bool *escaped)
{
    char quote = text.ptr[0];
    size_t at = 1;
    const char *plain = memchr(text.ptr + 1, quote, text.len - 1);
    if (plain && !memchr(text.ptr + 1, '\\', (size_t)(plain - text.ptr) - 1))
        return (size_t)(plain - text.ptr);
    for (; at < text.len && text.ptr[at] != quote; at++)
        if (text.ptr[at] == '\\' && at + 1 < text.len) {
            *escaped = true;
            at++;
        }
    return at < text.len ? at : text.len;
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '[' || c == ']' || c == '/' || c == ':';
}

size_t kv_spaced_end(struct slice text, char separator, char equals, bool *escaped)
{
    size_t word = 0, end = 0; /* where the present word begins, and what was before it */
    bool starts = false, fits = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\') {
            *escaped = true;
            i++;
            fits = false;
        } else if (c == separator) {
            end = i;
            word = i + 1;
            starts = true;
            fits = true;
        } else if (c == equals && starts && fits && i > word) {
            while (end > 0 && text.ptr[end - 1] == separator)
                end--;
            return end;
        } else if (!in_word(c)) {
            fits = false;
        }
    }
    return text.len;
}

static ptrdiff_t find_separator(const struct kv *kv)
{
    return kv->separator.len == 1 ? slice_find_char(kv->rest, kv->separator.ptr[0])
                                  : slice_find(kv->rest, kv->separator);
}

static bool at_separator(const struct kv *kv, size_t at)
{
    return kv->rest.ptr[at] == kv->separator.ptr[0] &&
           (kv->separator.len == 1 || slice_starts(slice_from(kv->rest, at), kv->separator));
}

static void take_value(struct kv *kv, struct kv_pair *out)
{
    struct slice rest = kv->rest;
    if (rest.len && slice_find_char(kv->quotes, rest.ptr[0]) >= 0) {
        size_t end = quoted_end(rest, &out->escaped);
        out->value = slice_sub(rest, 1, end > 0 ? end - 1 : 0);
        kv->rest = slice_from(rest, end + 1);
        return;
    }
    ptrdiff_t end = -1;
    if (kv->spaces)
        end = (ptrdiff_t)kv_spaced_end(rest, kv->separator.ptr[0], kv->equals, &out->escaped);
    else
        end = find_separator(kv);
    out->value = slice_sub(rest, 0, end < 0 ? rest.len : (size_t)end);
    kv->rest = slice_from(rest, out->value.len);
    out->value = slice_trim(out->value);
    out->escaped = false; /* only quoted values are */
}

/* How many separators and blanks the text begins with. */
static size_t separators_at_start(const struct kv *kv)
{
    size_t at = 0;
    while (at < kv->rest.len && (kv->rest.ptr[at] == ' ' || at_separator(kv, at)))
        at += kv->rest.ptr[at] == ' ' ? 1 : kv->separator.len;
    return at;
}

/* Where the word ends that may be a key. */
static size_t word_end(const struct kv *kv)
{
    struct slice rest = kv->rest;
    size_t at = 0;
    while (at < rest.len && rest.ptr[at] != kv->equals && !at_separator(kv, at))
        at++;
    return at;
}

/* --- separators of one byte, which most have: one walk over the bytes --- */

/* So many bytes are looked at one by one before a call that looks at many at once pays. */
enum { WALK_MAX = 24 };

static inline struct slice trimmed(const char *start, const char *end)
{
    struct slice s = slice_of(start, (size_t)(end - start));
    bool needs = s.len && ((unsigned char)start[0] <= ' ' || (unsigned char)end[-1] <= ' ');
    return needs ? slice_trim(s) : s;
}

static inline bool opens(const struct kv *kv, char c)
{
    for (size_t i = 0; i < kv->quotes.len; i++)
        if (kv->quotes.ptr[i] == c)
            return true;
    return false;
}

/* The value in quotes that begins at at; what is behind it. */
static inline const char *take_quoted(const char *at, const char *end, struct kv_pair *out)
{
    const char *start = at + 1, *walked = end - start > WALK_MAX ? start + WALK_MAX : end, *to = start;
    while (to < walked && *to != *at && *to != '\\')
        to++;
    if (to == walked || *to == '\\')
        to = at + quoted_end(slice_of(at, (size_t)(end - at)), &out->escaped);
    out->value = slice_of(start, (size_t)(to - start));
    return to < end ? to + 1 : end;
}

static inline const char *take_plain(const char *at, const char *end, char separator, struct kv_pair *out)
{
    const char *walked = end - at > WALK_MAX ? at + WALK_MAX : end, *to = at;
    while (to < walked && *to != separator)
        to++;
    if (to == walked && to < end) {
        to = memchr(to, separator, (size_t)(end - to));
        to = to ? to : end;
    }
    out->value = trimmed(at, to);
    return to;
}

static bool next_by_byte(struct kv *kv, struct kv_pair *out)
{
    char separator = kv->separator.ptr[0], equals = kv->equals;
    const char *at = kv->rest.ptr, *end = at + kv->rest.len;
    for (;;) {
        while (at < end && (*at == ' ' || *at == separator))
            at++;
        const char *key = at;
        while (at < end && *at != equals && *at != separator)
            at++;
        if (at == end)
            return false;
        const char *key_end = at++;
        if (*key_end != equals || key_end == key)
            continue;
        out->key = trimmed(key, key_end);
        at = at < end && opens(kv, *at) ? take_quoted(at, end, out) : take_plain(at, end, separator, out);
        kv->rest = slice_of(at, (size_t)(end - at));
        return true;
    }
}

bool kv_next(struct kv *kv, struct kv_pair *out)
{
    *out = (struct kv_pair){0};
    if (kv->separator.len == 1 && !kv->spaces)
        return next_by_byte(kv, out);
    for (;;) {
        kv->rest = slice_from(kv->rest, separators_at_start(kv));
        size_t at = word_end(kv);
        struct slice key = slice_sub(kv->rest, 0, at);
        bool pair = at < kv->rest.len && kv->rest.ptr[at] == kv->equals && key.len;
        if (at >= kv->rest.len)
            return false;
        kv->rest = slice_from(kv->rest, at + (kv->rest.ptr[at] == kv->equals ? 1 : kv->separator.len));
        if (!pair)
            continue;
        out->key = slice_trim(key);
        take_value(kv, out);
        return true;
    }
}

struct slice kv_unescape(struct slice value, struct arena *arena)
{
    char *start = arena_alloc(arena, value.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len)
            i++;
        *to++ = value.ptr[i];
    }
    return slice_of(start, (size_t)(to - start));
}
