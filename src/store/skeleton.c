/* store/skeleton: cutting and printing; the same for writing and reading. */
#include "store/skeleton.h"

#include "base/time.h"

#include <stdio.h>

/* Bytes that belong to a token of plain text. */
static const uint8_t WORD[128] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,
    ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1,
    ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1,
    ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
    ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1,
    ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['_'] = 1, ['-'] = 1,
    ['.'] = 1, ['/'] = 1, ['@'] = 1, ['+'] = 1, ['%'] = 1, [':'] = 1, ['\\'] = 1,
};

static bool is_word(uint8_t c)
{
    return c >= 0x80 || WORD[c];
}

static int cut_plain(struct slice text, struct skeleton_token *tokens)
{
    int count = 0;
    const uint8_t *p = (const uint8_t *)text.ptr;
    for (size_t i = 0; i < text.len;) {
        if (!is_word(p[i])) {
            i++;
            continue;
        }
        size_t start = i;
        while (i < text.len && is_word(p[i]))
            i++;
        if (count == SKELETON_TOKENS_MAX)
            return -1;
        tokens[count++] = (struct skeleton_token){(uint16_t)start, (uint16_t)(i - start)};
    }
    return count;
}

/* The closing quote of a JSON string whose content begins at i, or text.len. */
static size_t string_end(struct slice text, size_t i)
{
    for (;;) {
        const char *quote = memchr(text.ptr + i, '"', text.len - i);
        if (!quote)
            return text.len;
        size_t at = (size_t)(quote - text.ptr), slashes = 0;
        while (at > i + slashes && text.ptr[at - 1 - slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return at;
        i = at + 1;
    }
}

static bool is_scalar(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '+' ||
           c == 'E';
}

/* Values of JSON; keys stay in the skeleton. Whatever is not JSON is cut in some way, too. */
static int cut_json(struct slice text, struct skeleton_token *tokens)
{
    int count = 0;
    for (size_t i = 0; i < text.len;) {
        char c = text.ptr[i];
        size_t start = i;
        if (c == '"') {
            start = i + 1;
            size_t end = string_end(text, start);
            i = end + 1;
            if (i < text.len && text.ptr[i] == ':') {
                i++;
                continue;
            }
            if (end == text.len)
                i = end;
            if (count == SKELETON_TOKENS_MAX)
                return -1;
            tokens[count++] = (struct skeleton_token){(uint16_t)start, (uint16_t)(end - start)};
        } else if (is_scalar(c)) {
            while (i < text.len && is_scalar(text.ptr[i]))
                i++;
            if (count == SKELETON_TOKENS_MAX)
                return -1;
            tokens[count++] = (struct skeleton_token){(uint16_t)start, (uint16_t)(i - start)};
        } else {
            i++;
        }
    }
    return count;
}

int skeleton_cut(struct slice text, struct skeleton_token tokens[SKELETON_TOKENS_MAX])
{
    if (text.len > SKELETON_TEXT_MAX)
        return -1;
    return text.len && text.ptr[0] == '{' ? cut_json(text, tokens) : cut_plain(text, tokens);
}

static const int64_t UNIT[4] = {NS_PER_SECOND, NS_PER_MS, NS_PER_US, 1};

static char *put_number(char *to, uint64_t n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        to[i] = (char)('0' + n % 10);
    return to + digits;
}

/* "2018-01-26T00:11:02.114Z" with exactly so many digits. */
static struct slice print_rfc3339(int64_t time_ns, int digits, char to[SKELETON_FORM_SIZE])
{
    struct time_parts parts;
    time_split(time_ns, &parts);
    char *at = put_number(to, (uint64_t)parts.year, 4);
    *at++ = '-';
    at = put_number(at, (uint64_t)parts.month, 2);
    *at++ = '-';
    at = put_number(at, (uint64_t)parts.day, 2);
    *at++ = 'T';
    at = put_number(at, (uint64_t)parts.hour, 2);
    *at++ = ':';
    at = put_number(at, (uint64_t)parts.minute, 2);
    *at++ = ':';
    at = put_number(at, (uint64_t)parts.second, 2);
    if (digits) {
        *at++ = '.';
        at = put_number(at, (uint64_t)(parts.nanosecond / UNIT[digits / 3]), digits);
    }
    *at++ = 'Z';
    return slice_of(to, (size_t)(at - to));
}

static bool good_digits(int digits)
{
    return digits >= 0 && digits <= 9 && digits % 3 == 0;
}

struct slice skeleton_form(struct value v, uint8_t form, char to[SKELETON_FORM_SIZE])
{
    if (form == SKELETON_FORM_TEXT)
        return v.type == VALUE_F64 ? SLICE_NONE : value_text_small(v, to);
    if (v.type != VALUE_TIME)
        return SLICE_NONE;
    int digits = form >= SKELETON_FORM_EPOCH ? form - SKELETON_FORM_EPOCH
                                             : form - SKELETON_FORM_RFC3339;
    if (!good_digits(digits))
        return SLICE_NONE;
    if (form >= SKELETON_FORM_EPOCH)
        return value_text_small(value_i64(v.i64 / UNIT[digits / 3]), to);
    return print_rfc3339(v.i64, digits, to);
}

uint8_t skeleton_guess_form(struct value v, size_t token_len)
{
    if (v.type != VALUE_TIME)
        return SKELETON_FORM_TEXT;
    if (token_len == 20)
        return SKELETON_FORM_RFC3339;
    if (token_len == 24 || token_len == 27 || token_len == 30)
        return (uint8_t)(SKELETON_FORM_RFC3339 + token_len - 21);
    if (token_len == 10 || token_len == 13 || token_len == 16 || token_len == 19)
        return (uint8_t)(SKELETON_FORM_EPOCH + token_len - 10);
    return SKELETON_FORM_TEXT;
}
