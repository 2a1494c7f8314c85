#include "cut/kv.h"

#include "base/lane.h"
#include "base/unescape.h"

/* Where the quote that ends the value is, or the end. */
static size_t quoted_end(struct slice text, bool *escaped)
{
    size_t at = 1;
    for (; at < text.len && text.ptr[at] != text.ptr[0]; at++)
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

static inline struct slice trimmed(const char *start, const char *end)
{
    struct slice s = slice_of(start, (size_t)(end - start));
    bool needs = s.len && ((unsigned char)start[0] <= ' ' || (unsigned char)end[-1] <= ' ');
    return needs ? slice_trim(s) : s;
}

static inline bool at_separator(const struct kv *kv, const char *at, const char *end)
{
    size_t len = kv->separator.len;
    return *at == kv->separator.ptr[0] &&
           (len == 1 || ((size_t)(end - at) >= len && memcmp(at, kv->separator.ptr, len) == 0));
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
    const char *start = at + 1, *to = lane_seek(start, end, *at, '\\');
    if (to < end && *to == '\\')
        to = at + quoted_end(slice_of(at, (size_t)(end - at)), &out->escaped);
    out->value = slice_of(start, (size_t)(to - start));
    return to < end ? to + 1 : end;
}

/* Up to the next separator. */
static inline const char *take_plain(const struct kv *kv, const char *at, const char *end, struct kv_pair *out)
{
    char first = kv->separator.ptr[0];
    const char *to = lane_seek(at, end, first, first);
    while (to < end && !at_separator(kv, to, end))
        to = lane_seek(to + 1, end, first, first);
    out->value = trimmed(at, to);
    return to;
}

static const char *take_spaced(const struct kv *kv, const char *at, const char *end, struct kv_pair *out)
{
    bool escaped; /* only quoted values are */
    size_t len = kv_spaced_end(slice_of(at, (size_t)(end - at)), kv->separator.ptr[0], kv->equals, &escaped);
    out->value = trimmed(at, at + len);
    return at + len;
}

bool kv_next(struct kv *kv, struct kv_pair *out)
{
    const char *at = kv->rest.ptr, *end = at + kv->rest.len;
    *out = (struct kv_pair){0};
    for (;;) {
        while (at < end && (*at == ' ' || at_separator(kv, at, end)))
            at += *at == ' ' ? 1 : kv->separator.len;
        const char *key = at;
        at = lane_seek(at, end, kv->equals, kv->separator.ptr[0]);
        while (at < end && *at != kv->equals && !at_separator(kv, at, end))
            at = lane_seek(at + 1, end, kv->equals, kv->separator.ptr[0]);
        if (at == end)
            return false;
        const char *key_end = at;
        at += *at == kv->equals ? 1 : kv->separator.len;
        if (*key_end != kv->equals || key_end == key)
            continue;
        out->key = trimmed(key, key_end);
        at = at < end && opens(kv, *at) ? take_quoted(at, end, out)
             : kv->spaces               ? take_spaced(kv, at, end, out)
                                        : take_plain(kv, at, end, out);
        kv->rest = slice_of(at, (size_t)(end - at));
        return true;
    }
}

/* Before anything else a backslash stands for itself: user="CORP\aoi" */
static size_t kv_escape(struct slice text, size_t at, char **to)
{
    if (slice_find_char(SLICE("\\\"']=|;,"), text.ptr[at]) < 0)
        return 0;
    *(*to)++ = text.ptr[at];
    return 1;
}

struct slice kv_unescape(struct slice value, struct arena *arena)
{
    return unescape_each(value, '\\', kv_escape, arena);
}
