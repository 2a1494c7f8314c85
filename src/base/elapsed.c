#include "base/elapsed.h"

#include "base/attr.h"
#include "base/clock.h"

#include <math.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "12.25" at the start of the text: how many bytes of it, 0 when it is no number. Exponents go through a double. */
static size_t number_bytes(struct slice text)
{
    size_t at = 0, digits = 0;
    for (; at < text.len && (is_digit(text.ptr[at]) || (text.ptr[at] == '.' && at + 1 < text.len && is_digit(text.ptr[at + 1]))); at++)
        digits += is_digit(text.ptr[at]);
    return digits ? at : 0;
}

static bool scaled_double(struct slice number, int64_t unit_ns, int64_t *ns)
{
    double value;
    if (!slice_to_f64(number, &value))
        return false;
    value *= (double)unit_ns;
    if (!(value >= 0 && value < 9.2e18))
        return false;
    *ns = llround(value);
    return true;
}

bool elapsed_scaled(struct slice number, int64_t unit_ns, int64_t *ns)
{
    int64_t whole = 0, part = 0, unit = unit_ns, round = 0;
    bool point = false;
    if (!number.len || number_bytes(number) != number.len)
        return scaled_double(number, unit_ns, ns);
    for (size_t i = 0; i < number.len; i++) {
        int64_t digit = number.ptr[i] - '0';
        if (number.ptr[i] == '.') {
            if (point)
                return false;
            point = true;
        } else if (!point) {
            if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, digit, &whole))
                return false;
        } else if (unit % 10 == 0) {
            unit /= 10;
            part += digit * unit;
        } else if (unit) {
            round = (digit * unit + 5) / 10; /* the first digit that is finer than a nanosecond */
            unit = 0;
        }
    }
    return !__builtin_mul_overflow(whole, unit_ns, ns) && !__builtin_add_overflow(*ns, part + round, ns);
}

struct unit {
    const char *names; /* " name name " */
    int64_t ns;
};

int64_t elapsed_unit_ns(struct slice word)
{
    static const struct unit units[] = {
        {" ns nanosecond nanoseconds ", 1},
        {" us \xc2\xb5s \xce\xbcs usec microsecond microseconds ", NS_PER_SECOND / 1000000},
        {" ms msec msecs millisecond milliseconds ", NS_PER_SECOND / 1000},
        {" s sec secs second seconds ", NS_PER_SECOND},
        {" m min mins minute minutes ", 60 * NS_PER_SECOND},
        {" h hr hrs hour hours ", 3600 * NS_PER_SECOND},
        {" d day days ", 86400 * NS_PER_SECOND},
        {" w week weeks ", 7 * 86400 * NS_PER_SECOND},
    };
    for (size_t i = 0; word.len && i < ARRAY_COUNT(units); i++) {
        struct slice names = slice_text(units[i].names);
        ptrdiff_t at = slice_find(names, word);
        if (at > 0 && names.ptr[at - 1] == ' ' && names.ptr[(size_t)at + word.len] == ' ')
            return units[i].ns;
    }
    return 0;
}

static bool add(int64_t *sum, struct slice number, int64_t unit)
{
    int64_t ns;
    return elapsed_scaled(number, unit, &ns) && !__builtin_add_overflow(*sum, ns, sum);
}

/* "04:05:06.5", which is the end of the text; with days "1.02:03:04". */
static bool add_clock(struct slice text, int64_t *sum)
{
    struct slice parts[3];
    size_t count = 0;
    ptrdiff_t dot = slice_find_char(text, '.'), colon = slice_find_char(text, ':');
    if (dot > 0 && colon > dot) {
        if (!add(sum, slice_sub(text, 0, (size_t)dot), 86400 * NS_PER_SECOND))
            return false;
        text = slice_from(text, (size_t)dot + 1);
    }
    while (count < ARRAY_COUNT(parts) && slice_next_part(&text, ':', &parts[count]))
        count++;
    if (count != ARRAY_COUNT(parts) || text.len || number_bytes(parts[2]) != parts[2].len)
        return false;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < parts[i].len; k++)
            if (!is_digit(parts[i].ptr[k]))
                return false;
    return add(sum, parts[0], 3600 * NS_PER_SECOND) && add(sum, parts[1], 60 * NS_PER_SECOND) && add(sum, parts[2], NS_PER_SECOND);
}

static size_t skip(struct slice text, size_t at, const char *bytes)
{
    while (at < text.len && slice_find_char(slice_text(bytes), text.ptr[at]) >= 0)
        at++;
    return at;
}

static bool is_clock(struct slice text)
{
    size_t end = number_bytes(text);
    return end && end < text.len && text.ptr[end] == ':';
}

/* P1DT2H3M4.5S: the same letters as units, but big ones. */
static bool parse_iso(struct slice text, int64_t *sum)
{
    bool time = false, some = false;
    for (text = slice_from(text, 1); text.len;) {
        if (text.ptr[0] == 'T' && !time) {
            time = true;
            text = slice_from(text, 1);
            continue;
        }
        size_t len = number_bytes(text);
        char letter = len < text.len ? text.ptr[len] : '\0';
        int64_t unit = letter == 'D' && !time  ? 86400 * NS_PER_SECOND
                       : letter == 'W' && !time ? 7 * 86400 * NS_PER_SECOND
                       : letter == 'H' && time  ? 3600 * NS_PER_SECOND
                       : letter == 'M' && time  ? 60 * NS_PER_SECOND
                       : letter == 'S' && time  ? NS_PER_SECOND
                                                : 0;
        if (!len || !unit || !add(sum, slice_sub(text, 0, len), unit))
            return false;
        text = slice_from(text, len + 1);
        some = true;
    }
    return some;
}

bool elapsed_parse(struct slice text, int64_t *ns)
{
    *ns = 0;
    if (text.len && text.ptr[0] == 'P')
        return parse_iso(text, ns);
    if (!text.len)
        return false;
    while (text.len) {
        if (is_clock(text))
            return add_clock(text, ns);
        size_t len = number_bytes(text), at = skip(text, len, " "), end = at;
        while (end < text.len && ((text.ptr[end] >= 'a' && text.ptr[end] <= 'z') || (unsigned char)text.ptr[end] >= 0x80))
            end++;
        int64_t unit = elapsed_unit_ns(slice_sub(text, at, end - at));
        if (!len || !unit || !add(ns, slice_sub(text, 0, len), unit))
            return false;
        text = slice_from(text, skip(text, end, " ,:"));
    }
    return true;
}
