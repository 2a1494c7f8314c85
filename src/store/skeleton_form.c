#include "store/skeleton_form.h"

#include "base/clock.h"
#include "base/lane.h"
#include "base/time.h"
#include "base/utf8.h"

enum { FORM_BYTES_MAX = 64, SHIFT_MAX = 14 * 60, SHIFT_STEP = 15, DAY_MINUTES = 24 * 60 };
enum { DIGITS_MAX = 18 }; /* that an i64 holds, whatever they are; with a sign */
#define FEW_DIGITS INT64_C(10000000000000000) /* of 17 digits: fewer than are looked at */

static const int64_t UNIT[4] = {NS_PER_SECOND, NS_PER_MS, NS_PER_US, 1};
static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

bool form_has_shift(uint8_t kind)
{
    return kind >= FORM_SHIFTED && kind < FORM_JSON;
}

/* ---- times ---- */

static char *put_number(char *to, uint64_t n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        to[i] = (char)('0' + n % 10);
    return to + digits;
}

static inline char *put_two(char *to, int n)
{
    unsigned u = (unsigned)n;
    to[0] = (char)('0' + u / 10);
    to[1] = (char)('0' + u % 10);
    return to + 2;
}

static char *put_date(char *at, const struct time_parts *parts)
{
    at = put_number(at, (uint64_t)parts->year, 4);
    *at++ = '-';
    at = put_two(at, parts->month);
    *at++ = '-';
    return put_two(at, parts->day);
}

static char *put_clock(char *at, const struct time_parts *parts, int digits)
{
    at = put_two(at, parts->hour);
    *at++ = ':';
    at = put_two(at, parts->minute);
    *at++ = ':';
    at = put_two(at, parts->second);
    if (digits) {
        *at++ = '.';
        uint32_t n = (uint32_t)parts->nanosecond;
        at = put_number(at, digits == 3 ? n / 1000000 : digits == 6 ? n / 1000 : n, digits);
    }
    return at;
}

static char *put_offset(char *at, int shift)
{
    int minutes = shift < 0 ? -shift : shift;
    *at++ = shift < 0 ? '-' : '+';
    at = put_two(at, minutes / 60);
    *at++ = ':';
    return put_two(at, minutes % 60);
}

static char *put_clf(char *at, const struct time_parts *parts)
{
    at = put_two(at, parts->day);
    *at++ = '/';
    memcpy(at, MONTHS + 3 * (parts->month - 1), 3);
    at += 3;
    *at++ = '/';
    at = put_number(at, (uint64_t)parts->year, 4);
    *at++ = ':';
    return put_clock(at, parts, 0);
}

/* -1: not one of the fractions that are written. */
static int digits_of(uint8_t kind, int base)
{
    int digits = kind - base;
    return digits >= 0 && digits <= 9 && digits % 3 == 0 ? digits : -1;
}

static char *put_time(int64_t time_ns, struct form form, char *at)
{
    struct time_parts parts;
    int digits;
    time_split(time_ns, &parts);
    if (parts.year < 1000 || parts.year > 9999)
        return NULL;
    if (form.kind == FORM_CLF)
        return put_clf(at, &parts);
    if (form.kind == FORM_DATE)
        return put_date(at, &parts);
    if (form.kind < FORM_OFFSET && (digits = digits_of(form.kind, FORM_CLOCK)) >= 0)
        return put_clock(at, &parts, digits);
    bool zulu = form.kind < FORM_EPOCH;
    digits = digits_of(form.kind, zulu ? FORM_RFC3339 : FORM_OFFSET);
    if (digits < 0)
        return NULL;
    at = put_date(at, &parts);
    *at++ = 'T';
    at = put_clock(at, &parts, digits);
    if (!zulu)
        return put_offset(at, form.shift);
    *at++ = 'Z';
    return at;
}

static struct slice print_time(int64_t time_ns, struct form form, struct buffer *room)
{
    char *to = buffer_reserve(room, FORM_BYTES_MAX);
    int64_t shifted;
    if (!to)
        return SLICE_NONE;
    if (form.kind >= FORM_EPOCH && form.kind < FORM_SHIFTED) {
        int digits = digits_of(form.kind, FORM_EPOCH);
        return digits < 0 ? SLICE_NONE
                          : value_text_small(value_i64(time_ns / UNIT[digits / 3]), to);
    }
    if (!form_has_shift(form.kind) && form.kind >= FORM_SHIFTED)
        return SLICE_NONE;
    if (__builtin_add_overflow(time_ns, form.shift * NS_PER_MINUTE, &shifted))
        return SLICE_NONE;
    char *end = put_time(shifted, form, to);
    return end ? slice_of(to, (size_t)(end - to)) : SLICE_NONE;
}

/* ---- strings ---- */

/* What stands behind the backslash; 'u' for those that have no letter; 0: as it is. */
static const char ESCAPE[256] = {
    [0] = 'u', [1] = 'u', [2] = 'u', [3] = 'u', [4] = 'u', [5] = 'u', [6] = 'u', [7] = 'u',
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [11] = 'u', ['\f'] = 'f', ['\r'] = 'r', [14] = 'u',
    [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u', [19] = 'u', [20] = 'u', [21] = 'u',
    [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u', [26] = 'u', [27] = 'u', [28] = 'u',
    [29] = 'u', [30] = 'u', [31] = 'u', ['"'] = '"', ['\\'] = '\\',
};

static char *put_unit(char *to, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
                    hex[unit & 15]};
    return mempcpy(to, text, 6);
}

/* One code point beyond ASCII as UTF-16; bytes that are no UTF-8 end it (0). */
static size_t put_ascii(char **to, struct slice rest)
{
    uint32_t code;
    size_t len = utf8_decode(rest, &code);
    if (len < 2)
        return 0;
    if (code >= 0x10000) {
        *to = put_unit(*to, 0xd800 + ((code - 0x10000) >> 10));
        *to = put_unit(*to, 0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
        *to = put_unit(*to, code);
    }
    return len;
}

/* The high bit of every byte that is a quote, a backslash or a control; bytes behind the first such
 * one may be wrong. */
static uint64_t marks_of(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = 0x80 * ones;
    uint64_t quote = word ^ ('"' * ones), slash = word ^ ('\\' * ones);
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - 0x20 * ones) & ~word)) &
           high;
}

/* How many bytes from i on stand for themselves. */
static size_t plain_run(struct slice text, size_t i, bool ascii)
{
    size_t start = i;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + i, 8);
        if (marks_of(word) || (ascii && word & UINT64_C(0x8080808080808080)))
            break;
    }
    for (; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (ESCAPE[c] || (c >= 0x80 && ascii))
            break;
    }
    return i - start;
}

static struct slice print_json(struct slice text, bool ascii, struct buffer *room)
{
    size_t i = plain_run(text, 0, ascii);
    if (i == text.len)
        return text;
    char *start = buffer_reserve(room, 6 * text.len), *to = start;
    if (!start)
        return SLICE_NONE;
    to = mempcpy(to, text.ptr, i);
    while (i < text.len) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c >= 0x80) {
            size_t len = put_ascii(&to, slice_from(text, i));
            if (!len)
                return SLICE_NONE;
            i += len;
        } else if (ESCAPE[c] == 'u') {
            to = put_unit(to, c);
            i++;
        } else {
            *to++ = '\\';
            *to++ = ESCAPE[c];
            i++;
        }
        size_t plain = plain_run(text, i, ascii);
        to = mempcpy(to, text.ptr + i, plain);
        i += plain;
    }
    return slice_of(start, (size_t)(to - start));
}

struct slice form_print(struct value v, struct form form, struct buffer *room)
{
    if (form.kind == FORM_TEXT && v.type == VALUE_STRING)
        return value_slice(v);
    buffer_clear(room);
    if (form.kind == FORM_TEXT) {
        char *to = v.type == VALUE_F64 ? NULL : buffer_reserve(room, VALUE_TEXT_SIZE);
        return to ? value_text_small(v, to) : SLICE_NONE;
    }
    if (form.kind == FORM_JSON || form.kind == FORM_JSON_ASCII)
        return v.type == VALUE_STRING
                   ? print_json(value_slice(v), form.kind == FORM_JSON_ASCII, room)
                   : SLICE_NONE;
    return v.type == VALUE_TIME ? print_time(v.i64, form, room) : SLICE_NONE;
}

/* ---- comparing ---- */

/* The text begins with the integer as it is printed, -1: it does not. For those of few digits. */
static ptrdiff_t match_i64(int64_t number, struct slice text)
{
    size_t sign = text.len && text.ptr[0] == '-', i = sign;
    int64_t n = 0;
    for (; i < text.len && i < DIGITS_MAX && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        n = n * 10 + (text.ptr[i] - '0');
    bool usual = i - sign == 1 ? !sign || n : i > sign && text.ptr[sign] != '0';
    return usual && number == (sign ? -n : n) ? (ptrdiff_t)i : -1;
}

/* The escape of the byte at the start of the text: its length, 0 when it is another. */
static size_t match_escape(uint8_t c, struct slice text)
{
    UNSET char unit[6];
    if (ESCAPE[c] != 'u')
        return text.len >= 2 && text.ptr[0] == '\\' && text.ptr[1] == ESCAPE[c] ? 2 : 0;
    put_unit(unit, c);
    return slice_starts(text, slice_of(unit, sizeof(unit))) ? sizeof(unit) : 0;
}

/* As print_json() and a comparison, in one walk. */
static ptrdiff_t match_json(struct slice value, struct slice text)
{
    size_t i = 0, at = 0;
    while (i < value.len) {
        if (value.len - i >= LANE && text.len - at >= LANE) {
            unsigned same = lane_same_plain(value.ptr + i, text.ptr + at);
            i += same;
            at += same;
            if (same == LANE)
                continue;
        }
        uint8_t c = (uint8_t)value.ptr[i++];
        size_t len = 1;
        if (ESCAPE[c])
            len = match_escape(c, slice_from(text, at));
        else if (at == text.len || (uint8_t)text.ptr[at] != c)
            return -1;
        if (!len)
            return -1;
        at += len;
    }
    return (ptrdiff_t)at;
}

ptrdiff_t form_match(struct value v, struct form form, struct slice text, struct buffer *room)
{
    if (form.kind == FORM_TEXT && v.type == VALUE_I64 && v.i64 > -FEW_DIGITS && v.i64 < FEW_DIGITS)
        return match_i64(v.i64, text);
    if (form.kind == FORM_JSON && v.type == VALUE_STRING)
        return match_json(value_slice(v), text);
    UNSET char ip[IP_TEXT_SIZE];
    struct slice said = form.kind == FORM_TEXT && v.type == VALUE_IP
                            ? slice_of(ip, ip_format(v.ip, v.scale, ip))
                            : form_print(v, form, room);
    bool same = said.ptr && said.len <= text.len && slice_same_bytes(text.ptr, said.ptr, said.len);
    return same ? (ptrdiff_t)said.len : -1;
}

/* ---- guessing ---- */

static bool take_digits(struct slice text, size_t at, size_t count, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return true;
}

/* The clock in the text at this place tells the local time: minutes east of UTC. */
static bool guess_shift(struct value v, struct slice text, size_t clock_at, int16_t *out)
{
    struct time_parts parts;
    int hour, minute;
    if (!take_digits(text, clock_at, 2, &hour) || !take_digits(text, clock_at + 3, 2, &minute) ||
        text.ptr[clock_at + 2] != ':')
        return false;
    time_split(v.i64, &parts);
    int shift = hour * 60 + minute - (parts.hour * 60 + parts.minute);
    shift = (shift + DAY_MINUTES) % DAY_MINUTES;
    if (shift > SHIFT_MAX)
        shift -= DAY_MINUTES;
    *out = (int16_t)shift;
    return shift % SHIFT_STEP == 0;
}

static struct form guess_local(struct value v, struct slice text)
{
    struct form form = {FORM_TEXT, 0};
    size_t len = text.len;
    if ((len == 8 || len == 12 || len == 15 || len == 18) && text.ptr[2] == ':' &&
        guess_shift(v, text, 0, &form.shift))
        form.kind = (uint8_t)(FORM_CLOCK + (len == 8 ? 0 : len - 9));
    else if (len == 20 && text.ptr[2] == '/' && guess_shift(v, text, 12, &form.shift))
        form.kind = FORM_CLF;
    else if ((len == 25 || len == 29 || len == 32 || len == 35) && text.ptr[10] == 'T' &&
             guess_shift(v, text, 11, &form.shift))
        form.kind = (uint8_t)(FORM_OFFSET + (len == 25 ? 0 : len - 26));
    return form;
}

static struct form guess_time(struct value v, struct slice text)
{
    size_t len = text.len;
    struct form form = guess_local(v, text);
    if (form.kind != FORM_TEXT)
        return form;
    if (len == 20)
        form.kind = FORM_RFC3339;
    else if (len == 24 || len == 27 || len == 30)
        form.kind = (uint8_t)(FORM_RFC3339 + len - 21);
    else if (len == 10 && text.ptr[4] == '-')
        form.kind = FORM_DATE;
    else if (len == 10 || len == 13 || len == 16 || len == 19)
        form.kind = (uint8_t)(FORM_EPOCH + len - 10);
    return form;
}

/* An escape in the text: which of the writers of JSON may it be? */
static struct form guess_escaped(struct slice text)
{
    struct form form = {FORM_JSON, 0};
    for (size_t i = 0; i + 5 < text.len; i++)
        if (text.ptr[i] == '\\') {
            if (text.ptr[i + 1] == 'u' && (text.ptr[i + 2] != '0' || text.ptr[i + 3] != '0'))
                form.kind = FORM_JSON_ASCII;
            i++;
        }
    return form;
}

struct form form_guess(struct value v, struct slice text)
{
    struct form form = {FORM_TEXT, 0};
    if (v.type == VALUE_TIME)
        return guess_time(v, text);
    if (v.type == VALUE_STRING && slice_find_char(text, '\\') >= 0 &&
        !slice_equal(value_slice(v), text))
        return guess_escaped(text);
    return form;
}
