#include "cut/binxml_value.h"

#include "base/time.h"
#include "base/utf8.h"
#include "cut/binxml.h"

#include <math.h>
#include <stdio.h>

uint64_t binxml_number(struct slice bytes)
{
    uint64_t n = 0;
    for (size_t i = bytes.len < 8 ? bytes.len : 8; i > 0; i--)
        n = n << 8 | (unsigned char)bytes.ptr[i - 1];
    return n;
}

int64_t filetime_to_ns(uint64_t filetime)
{
    const int64_t epoch = INT64_C(116444736000000000); /* 1970 in 100 ns since 1601 */
    int64_t ticks, ns;
    if (filetime > INT64_MAX)
        return INT64_MAX;
    ticks = (int64_t)filetime - epoch;
    if (__builtin_mul_overflow(ticks, INT64_C(100), &ns))
        return ticks < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static void put_escaped(uint32_t code, struct buffer *to)
{
    char bytes[4];
    switch (code) {
    case '<':
        buffer_put(to, SLICE("&lt;"));
        break;
    case '>':
        buffer_put(to, SLICE("&gt;"));
        break;
    case '&':
        buffer_put(to, SLICE("&amp;"));
        break;
    case '"':
        buffer_put(to, SLICE("&quot;"));
        break;
    default:
        buffer_put(to, slice_of(bytes, utf8_encode(code, bytes)));
    }
}

static uint16_t unit_at(struct slice bytes, size_t i)
{
    return (uint16_t)((unsigned char)bytes.ptr[i * 2] | (unsigned char)bytes.ptr[i * 2 + 1] << 8);
}

static bool is_plain(uint16_t unit)
{
    return unit < 0x80 && unit != '<' && unit != '>' && unit != '&' && unit != '"';
}

void binxml_put_utf16(struct slice bytes, struct buffer *to)
{
    size_t count = bytes.len / 2;
    for (size_t i = 0; i < count;) {
        size_t run = i;
        while (run < count && is_plain(unit_at(bytes, run)))
            run++;
        char *room = run > i ? buffer_reserve(to, run - i) : NULL;
        if (run > i && !room)
            return;
        for (size_t k = i; k < run; k++)
            room[k - i] = bytes.ptr[k * 2];
        if (run > i)
            buffer_commit(to, run - i);
        i = run;
        if (i == count)
            break;
        uint32_t code = unit_at(bytes, i++);
        if (code >= 0xd800 && code <= 0xdbff && i < count) {
            uint32_t low = unit_at(bytes, i);
            if (low >= 0xdc00 && low <= 0xdfff) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i++;
            }
        }
        put_escaped(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, to);
    }
}

/* Strings often end with a zero that is not part of them. */
static struct slice without_zeros(struct slice bytes)
{
    while (bytes.len >= 2 && unit_at(bytes, bytes.len / 2 - 1) == 0)
        bytes.len = (bytes.len / 2 - 1) * 2;
    return bytes;
}

/* In the machine's code page, which is not said: UTF-8 where it is, else Latin-1. */
static void put_ansi(struct slice bytes, struct buffer *to)
{
    while (bytes.len && bytes.ptr[bytes.len - 1] == '\0')
        bytes.len--;
    bool utf8 = utf8_valid(bytes);
    while (bytes.len) {
        uint32_t code = (unsigned char)bytes.ptr[0];
        size_t len = utf8 ? utf8_decode(bytes, &code) : 1;
        put_escaped(code, to);
        bytes = slice_from(bytes, len ? len : 1);
    }
}

static void put_hex(struct slice bytes, struct buffer *to)
{
    for (size_t i = 0; i < bytes.len; i++)
        buffer_put_hex(to, (unsigned char)bytes.ptr[i], 2, true);
}

static void put_hex_number(struct slice bytes, struct buffer *to)
{
    buffer_put(to, SLICE("0x"));
    buffer_put_hex(to, binxml_number(bytes), 1, false);
}

static void put_guid(struct slice b, struct buffer *to)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    static const char digits[] = "0123456789ABCDEF";
    char text[38], *at = text;
    *at++ = '{';
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = (unsigned char)b.ptr[order[i]];
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    *at = '}';
    buffer_put(to, slice_of(text, sizeof(text)));
}

static void put_sid(struct slice b, struct buffer *to)
{
    const unsigned char *p = (const unsigned char *)b.ptr;
    if (b.len < 8 || b.len < 8U + 4U * p[1]) {
        put_hex(b, to);
        return;
    }
    uint64_t authority = 0;
    for (int i = 2; i < 8; i++)
        authority = authority << 8 | p[i];
    buffer_put(to, SLICE("S-"));
    buffer_put_u64(to, p[0]);
    buffer_put_char(to, '-');
    buffer_put_u64(to, authority);
    for (size_t i = 0; i < p[1]; i++) {
        buffer_put_char(to, '-');
        buffer_put_u64(to, binxml_number(slice_sub(b, 8 + i * 4, 4)));
    }
}

/* 2018-01-26T00:11:02.114000000Z */
static void put_moment(const unsigned part[6], uint64_t nanosecond, struct buffer *to)
{
    static const char before[6] = {0, '-', '-', 'T', ':', ':'};
    for (size_t i = 0; i < 6; i++) {
        if (i)
            buffer_put_char(to, before[i]);
        buffer_put_padded(to, part[i], i ? 2 : 4);
    }
    buffer_put_char(to, '.');
    buffer_put_padded(to, nanosecond, 9);
    buffer_put_char(to, 'Z');
}

/* Windows shows nine digits of which the last two are zero. */
static void put_filetime(uint64_t filetime, struct buffer *to)
{
    /* The calendar repeats after 400 years; ours covers fewer than a FILETIME may name. */
    const uint64_t cycle = UINT64_C(146097) * 86400 * 10000000;
    uint64_t rest = filetime % cycle;
    bool early = rest < cycle / 2; /* 1601 to 1801, seen as 2001 to 2201 */
    struct time_parts p;
    time_split(filetime_to_ns(early ? rest + cycle : rest), &p);
    int year = p.year - (early ? 400 : 0) + 400 * (int)(filetime / cycle);
    const unsigned part[6] = {(unsigned)year, (unsigned)p.month,  (unsigned)p.day,
                              (unsigned)p.hour, (unsigned)p.minute, (unsigned)p.second};
    put_moment(part, (uint64_t)p.nanosecond, to);
}

static void put_systemtime(struct slice b, struct buffer *to)
{
    const unsigned part[6] = {unit_at(b, 0), unit_at(b, 1), unit_at(b, 3),
                              unit_at(b, 4), unit_at(b, 5), unit_at(b, 6)};
    put_moment(part, UINT64_C(1000000) * unit_at(b, 7), to);
}

/* As Windows shows it: 3.199234e+003, always three digits of exponent. */
static void put_double(struct slice b, struct buffer *to)
{
    char text[32];
    uint64_t bits = binxml_number(b);
    uint32_t half = (uint32_t)bits;
    double n;
    float f;
    memcpy(&n, &bits, 8);
    memcpy(&f, &half, 4);
    n = b.len == 4 ? (double)f : n;
    if (!isfinite(n)) {
        buffer_put_text(to, isnan(n) ? "-1.#IND" : n < 0 ? "-1.#INF" : "1.#INF");
        return;
    }
    snprintf(text, sizeof(text), "%.6e", n);
    char *exponent = strchr(text, 'e');
    if (!exponent || strlen(exponent) != 4) {
        buffer_put_text(to, text);
        return;
    }
    buffer_put(to, slice_of(text, (size_t)(exponent - text) + 2));
    buffer_put_char(to, '0');
    buffer_put_text(to, exponent + 2);
}

static void put_signed(struct slice b, struct buffer *to)
{
    unsigned shift = 64 - 8 * (unsigned)b.len;
    buffer_put_i64(to, (int64_t)(binxml_number(b) << shift) >> shift);
}

static size_t fixed_size(uint8_t type)
{
    switch (type) {
    case BINXML_INT8:
    case BINXML_UINT8:
        return 1;
    case BINXML_INT16:
    case BINXML_UINT16:
        return 2;
    case BINXML_INT32:
    case BINXML_UINT32:
    case BINXML_FLOAT:
    case BINXML_BOOL:
    case BINXML_HEX32:
        return 4;
    case BINXML_INT64:
    case BINXML_UINT64:
    case BINXML_DOUBLE:
    case BINXML_FILETIME:
    case BINXML_HEX64:
        return 8;
    case BINXML_GUID:
    case BINXML_SYSTEMTIME:
        return 16;
    default:
        return 0;
    }
}

static void put_fixed(uint8_t type, struct slice b, struct buffer *to)
{
    switch (type) {
    case BINXML_INT8:
    case BINXML_INT16:
    case BINXML_INT32:
    case BINXML_INT64:
        put_signed(b, to);
        break;
    case BINXML_FLOAT:
    case BINXML_DOUBLE:
        put_double(b, to);
        break;
    case BINXML_HEX32: /* no leading zeros, as Windows and the rules written for it have them: 0x7e */
    case BINXML_HEX64:
        put_hex_number(b, to);
        break;
    case BINXML_FILETIME:
        put_filetime(binxml_number(b), to);
        break;
    case BINXML_SYSTEMTIME:
        put_systemtime(b, to);
        break;
    case BINXML_GUID:
        put_guid(b, to);
        break;
    default:
        buffer_put_u64(to, binxml_number(b));
    }
}

void binxml_put_value(uint8_t type, struct slice bytes, struct buffer *to)
{
    size_t size = fixed_size(type);
    if (type == BINXML_NULL || bytes.len == 0)
        return;
    if (type == BINXML_STRING || type == BINXML_XML_TEXT)
        binxml_put_utf16(without_zeros(bytes), to);
    else if (type == BINXML_ANSI)
        put_ansi(bytes, to);
    else if (type == BINXML_SID)
        put_sid(bytes, to);
    else if ((type == BINXML_SIZE || type == BINXML_HANDLE) && bytes.len <= 8)
        put_hex_number(bytes, to);
    else if (type == BINXML_BOOL && bytes.len <= 8)
        buffer_put_text(to, binxml_number(bytes) ? "true" : "false");
    else if (size && bytes.len == size)
        put_fixed(type, bytes, to);
    else
        put_hex(bytes, to);
}

/* Members of text arrays end with a zero, SIDs carry their length, the others have a fixed size. */
bool binxml_next_member(uint8_t type, struct slice *bytes, struct slice *member)
{
    size_t size = fixed_size(type), step;
    if (bytes->len == 0)
        return false;
    if (type == BINXML_STRING) {
        for (size = 0; size + 2 <= bytes->len && unit_at(*bytes, size / 2) != 0;)
            size += 2;
        step = size + 2;
    } else if (type == BINXML_ANSI) {
        size = strnlen(bytes->ptr, bytes->len);
        step = size + 1;
    } else {
        if (type == BINXML_SIZE) /* of the machine that wrote it, which is not said: 8 where that fits */
            size = bytes->len % 8 ? 4 : 8;
        if (type == BINXML_SID && bytes->len >= 2)
            size = 8 + 4 * (size_t)(unsigned char)bytes->ptr[1];
        if (size == 0 || size > bytes->len)
            size = bytes->len;
        step = size;
    }
    *member = slice_sub(*bytes, 0, size);
    *bytes = slice_from(*bytes, step);
    return true;
}
