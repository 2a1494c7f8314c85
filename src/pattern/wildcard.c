#include "pattern/wildcard.h"

#include "base/utf8.h"

/* One code point, or one byte that starts none. */
static size_t one_length(struct slice text)
{
    uint32_t c;
    size_t len = utf8_decode(text, &c);
    return len ? len : 1;
}

/* Matches the parts between two stars at the start of text; how many bytes, or -1. */
static ptrdiff_t match_run(const struct wildcard_part *parts, size_t count, struct slice text)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice rest = slice_from(text, at);
        if (parts[i].kind == WILDCARD_LITERAL) {
            if (!slice_starts(rest, parts[i].text))
                return -1;
            at += parts[i].text.len;
        } else {
            if (rest.len == 0)
                return -1;
            at += one_length(rest);
        }
    }
    return (ptrdiff_t)at;
}

/* The leftmost place in text where the run matches; its end, or -1. */
static ptrdiff_t find_run(const struct wildcard_part *parts, size_t count, struct slice text)
{
    for (size_t start = 0; start <= text.len;) {
        if (parts[0].kind == WILDCARD_LITERAL) {
            ptrdiff_t skip = slice_find(slice_from(text, start), parts[0].text);
            if (skip < 0)
                return -1;
            start += (size_t)skip;
        }
        ptrdiff_t len = match_run(parts, count, slice_from(text, start));
        if (len >= 0)
            return (ptrdiff_t)start + len;
        start += start < text.len ? one_length(slice_from(text, start)) : 1;
    }
    return -1;
}

/* Whether the run matches at the very end of text. */
static bool ends_with_run(const struct wildcard_part *parts, size_t count, struct slice text)
{
    for (size_t start = text.len + 1; start-- > 0;) {
        struct slice tail = slice_from(text, start);
        ptrdiff_t len = match_run(parts, count, tail);
        if (len >= 0 && (size_t)len == tail.len)
            return true;
        size_t most = 0; /* a run can be no longer than its literals plus 4 bytes a '?' */
        for (size_t i = 0; i < count; i++)
            most += parts[i].kind == WILDCARD_LITERAL ? parts[i].text.len : 4;
        if (tail.len > most)
            return false;
    }
    return false;
}

bool wildcard_match(const struct wildcard *wildcard, struct slice text)
{
    const struct wildcard_part *parts = wildcard->parts;
    size_t count = wildcard->count, first = 0, last = count;
    while (first < count && parts[first].kind != WILDCARD_ANY)
        first++;
    ptrdiff_t used = match_run(parts, first, text);
    if (used < 0)
        return false;
    text = slice_from(text, (size_t)used);
    if (first == count)
        return text.len == 0;
    while (parts[last - 1].kind != WILDCARD_ANY)
        last--;
    for (size_t i = first; i < last;) {
        size_t start = i;
        while (i < last && parts[i].kind != WILDCARD_ANY)
            i++;
        if (i > start) {
            used = find_run(parts + start, i - start, text);
            if (used < 0)
                return false;
            text = slice_from(text, (size_t)used);
        }
        i++;
    }
    return last == count || ends_with_run(parts + last, count - last, text);
}

bool wildcard_from_stars(struct arena *arena, struct slice text, struct wildcard *out)
{
    struct wildcard_part *parts = arena_array(arena, text.len + 1, sizeof(*parts));
    size_t count = 0, start = 0;
    if (!parts)
        return false;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '*')
            continue;
        if (i > start)
            parts[count++] = (struct wildcard_part){WILDCARD_LITERAL, slice_sub(text, start, i - start)};
        if (i < text.len && (!count || parts[count - 1].kind != WILDCARD_ANY))
            parts[count++] = (struct wildcard_part){WILDCARD_ANY, SLICE("")};
        start = i + 1;
    }
    *out = (struct wildcard){.parts = parts, .count = count};
    return true;
}
