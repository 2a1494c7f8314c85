#include "base/unescape.h"

#include "base/utf8.h"

int unescape_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* digits of them, or -1. */
static int64_t hex_at(struct slice text, size_t at, size_t digits)
{
    int64_t n = 0;
    if (at > text.len || text.len - at < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        int digit = unescape_hex_digit(text.ptr[at + i]);
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

struct slice unescape_url(struct slice text, struct arena *arena)
{
    if (slice_find_char(text, '%') < 0 && slice_find_char(text, '+') < 0)
        return text;
    char *start = arena_alloc(arena, text.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i++) {
        int64_t byte = text.ptr[i] == '%' ? hex_at(text, i + 1, 2) : -1;
        *to++ = byte >= 0 ? (char)byte : text.ptr[i] == '+' ? ' ' : text.ptr[i];
        i += byte >= 0 ? 2 : 0;
    }
    return slice_of(start, (size_t)(to - start));
}

/* Up to three octal digits; their number, and the byte. */
static size_t octal_at(struct slice text, size_t at, char *byte)
{
    unsigned n = 0;
    size_t used = 0;
    while (used < 3 && at + used < text.len && text.ptr[at + used] >= '0' && text.ptr[at + used] <= '7')
        n = n * 8 + (unsigned)(text.ptr[at + used++] - '0');
    *byte = (char)n;
    return n < 256 ? used : 0;
}

/* "\uD83D\uDE00" and its kin, from behind the u; the bytes used, 0 when it is none. */
static size_t unicode_at(struct slice text, size_t at, char **to)
{
    int64_t n = hex_at(text, at, 4);
    size_t used = 4;
    if (n < 0)
        return 0;
    bool pair = n >= 0xd800 && n < 0xdc00 && at + 6 <= text.len && text.ptr[at + 4] == '\\' && text.ptr[at + 5] == 'u';
    int64_t low = pair ? hex_at(text, at + 6, 4) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
        n = 0x10000 + ((n - 0xd800) << 10) + (low - 0xdc00);
        used = 10;
    } else if (n >= 0xd800 && n < 0xe000) {
        return 0;
    }
    *to += utf8_encode((uint32_t)n, *to);
    return used;
}

/* What stands behind a backslash; the bytes used, 0 when it is no escape. */
static size_t escape_at(struct slice text, size_t at, char **to)
{
    static const char from[] = "nrtbf\"'\\/", into[] = "\n\r\t\b\f\"'\\/";
    char c = text.ptr[at], byte = 0;
    for (size_t i = 0; i < sizeof(from) - 1; i++)
        if (c == from[i]) {
            *(*to)++ = into[i];
            return 1;
        }
    if (c == 'u') {
        size_t used = unicode_at(text, at + 1, to);
        return used ? used + 1 : 0;
    }
    int64_t hex = c == 'x' ? hex_at(text, at + 1, 2) : -1;
    size_t octal = hex < 0 ? octal_at(text, at, &byte) : 0;
    if (hex >= 0)
        *(*to)++ = (char)hex;
    else if (octal)
        *(*to)++ = byte;
    return hex >= 0 ? 3 : octal;
}

struct slice unescape_each(struct slice text, char mark, unescape_read *read, struct arena *arena)
{
    ptrdiff_t first = slice_find_char(text, mark);
    if (first < 0)
        return text;
    char *start = arena_alloc(arena, text.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    to = mempcpy(to, text.ptr, (size_t)first);
    for (size_t i = (size_t)first; i < text.len; i++) {
        size_t used = text.ptr[i] == mark && i + 1 < text.len ? read(text, i + 1, &to) : 0;
        if (!used)
            *to++ = text.ptr[i];
        i += used;
    }
    return slice_of(start, (size_t)(to - start));
}

struct slice unescape_backslash(struct slice text, struct arena *arena)
{
    return unescape_each(text, '\\', escape_at, arena);
}

static size_t three_octal_at(struct slice text, size_t at, char **to)
{
    char byte;
    if (octal_at(text, at, &byte) != 3)
        return 0;
    *(*to)++ = byte;
    return 3;
}

struct slice unescape_octal(struct slice text, struct arena *arena)
{
    return unescape_each(text, '\\', three_octal_at, arena);
}

int unescape_base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct slice unescape_base64(struct slice text, struct arena *arena)
{
    char *start = arena_alloc(arena, text.len + 1), *to = start;
    unsigned bits = 0, count = 0;
    size_t digits = 0, i = 0;
    if (!start)
        return SLICE_NONE;
    for (; i < text.len && text.ptr[i] != '='; i++) {
        char c = text.ptr[i];
        int digit = unescape_base64_digit(c == '-' ? '+' : c == '_' ? '/' : c);
        if (slice_find_char(SLICE(" \t\r\n"), text.ptr[i]) >= 0)
            continue;
        if (digit < 0)
            return SLICE_NONE;
        bits = bits << 6 | (unsigned)digit;
        count += 6;
        digits++;
        if (count >= 8) {
            count -= 8;
            *to++ = (char)(bits >> count);
        }
    }
    while (i < text.len && slice_find_char(SLICE("= \t\r\n"), text.ptr[i]) >= 0)
        i++;
    return i < text.len || digits % 4 == 1 ? SLICE_NONE : slice_of(start, (size_t)(to - start));
}

struct slice unescape_hex(struct slice text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len / 2 + 1);
    if (!to || text.len % 2)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i += 2) {
        int64_t byte = hex_at(text, i, 2);
        if (byte < 0)
            return SLICE_NONE;
        to[i / 2] = (char)byte;
    }
    return slice_of(to, text.len / 2);
}
