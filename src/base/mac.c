#include "base/mac.h"

#include "base/unescape.h"

enum { DIGITS_MAX = 16 };

static bool is_parting(char c)
{
    return c == ':' || c == '-' || c == '.' || c == ' ';
}

/* The digits of one group, with the zero that it may leave out. False when it is none of 2 (or 1), 4, or all. */
static bool add_group(struct slice group, size_t wanted, char digits[DIGITS_MAX], size_t *count)
{
    bool short_one = group.len == 1 && wanted == 2;
    if ((group.len != wanted && !short_one) || *count + wanted > DIGITS_MAX)
        return false;
    if (short_one)
        digits[(*count)++] = '0';
    for (size_t i = 0; i < group.len; i++) {
        int digit = unescape_hex_digit(group.ptr[i]);
        if (digit < 0)
            return false;
        digits[(*count)++] = "0123456789ABCDEF"[digit];
    }
    return true;
}

bool mac_parse(struct slice text, struct mac *out)
{
    char digits[DIGITS_MAX], parting = '\0';
    size_t count = 0, first = 0;
    if (slice_starts(text, SLICE("0x")))
        text = slice_from(text, 2);
    while (first < text.len && !is_parting(text.ptr[first]))
        first++;
    parting = first < text.len ? text.ptr[first] : '\0';
    size_t wanted = !parting ? text.len : first == 1 ? 2 : first;
    if (wanted != 2 && wanted != 4 && (parting || (wanted != 12 && wanted != 16)))
        return false;
    for (size_t at = 0; at <= text.len;) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != parting)
            end++;
        if (!add_group(slice_sub(text, at, end - at), wanted, digits, &count))
            return false;
        at = end + 1;
    }
    if (count != 12 && count != 16)
        return false;
    out->len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i && i % 2 == 0)
            out->text[out->len++] = '-';
        out->text[out->len++] = digits[i];
    }
    out->text[out->len] = '\0';
    return true;
}
