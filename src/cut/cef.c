#include "cut/cef.h"

#include "base/unescape.h"

/* Up to the next pipe that is not escaped; the rest is behind it. */
static struct slice next_part(struct slice *rest)
{
    size_t at = 0;
    while (at < rest->len && rest->ptr[at] != '|')
        at += rest->ptr[at] == '\\' && at + 1 < rest->len ? 2 : 1;
    struct slice part = slice_sub(*rest, 0, at);
    *rest = slice_from(*rest, at + 1);
    return part;
}

/* What is behind the mark, at the start of the text or of a word. */
static bool behind_mark(struct slice text, struct slice mark, struct slice *out)
{
    size_t from = 0;
    for (;;) {
        ptrdiff_t at = slice_find(slice_from(text, from), mark);
        if (at < 0)
            return false;
        from += (size_t)at;
        if (from == 0 || slice_find_char(SLICE(" \t:>"), text.ptr[from - 1]) >= 0)
            break;
        from += mark.len;
    }
    *out = slice_from(text, from + mark.len);
    return true;
}

bool cef_cut(struct slice text, struct cef *out)
{
    struct slice rest;
    *out = (struct cef){0};
    if (!behind_mark(text, SLICE("CEF:"), &rest))
        return false;
    for (int i = 0; i < CEF_PARTS; i++)
        out->part[i] = slice_trim(next_part(&rest));
    out->extension = slice_trim(rest);
    out->delimiter = ' ';
    return out->part[CEF_CLASS].ptr != NULL;
}

/* "^", "x5e", "0x5e"; what is none of these is a tab. */
static char delimiter_of(struct slice text)
{
    if (text.len == 1)
        return text.ptr[0];
    if (slice_starts(text, SLICE("0x")))
        text = slice_from(text, 1);
    if (text.len != 3 || (text.ptr[0] | 0x20) != 'x')
        return '\t';
    int high = unescape_hex_digit(text.ptr[1]), low = unescape_hex_digit(text.ptr[2]);
    return high < 0 || low < 0 ? '\t' : (char)(high * 16 + low);
}

bool leef_cut(struct slice text, struct cef *out)
{
    struct slice rest;
    *out = (struct cef){0};
    if (!behind_mark(text, SLICE("LEEF:"), &rest))
        return false;
    for (int i = 0; i <= CEF_CLASS; i++)
        out->part[i] = slice_trim(next_part(&rest));
    bool second = slice_starts(out->part[CEF_VERSION], SLICE("2"));
    out->delimiter = second ? delimiter_of(next_part(&rest)) : '\t';
    out->extension = rest;
    return out->part[CEF_CLASS].ptr != NULL;
}

struct kv cef_pairs(const struct cef *cef)
{
    return (struct kv){.rest = cef->extension,
                       .separator = slice_of(&cef->delimiter, 1),
                       .equals = '=',
                       .spaces = cef->delimiter == ' '};
}

static size_t cef_escape(struct slice text, size_t at, char **to)
{
    char c = text.ptr[at];
    if (slice_find_char(SLICE("\\|=nr"), c) < 0)
        return 0;
    *(*to)++ = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    return 1;
}

struct slice cef_unescape(struct slice text, struct arena *arena)
{
    return unescape_each(text, '\\', cef_escape, arena);
}
