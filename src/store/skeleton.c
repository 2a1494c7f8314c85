/* store/skeleton: cutting texts into tokens. */
#include "store/skeleton.h"

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

static bool add_token(struct skeleton_token *tokens, int *count, size_t start, size_t end)
{
    if (*count == SKELETON_TOKENS_MAX)
        return false;
    tokens[(*count)++] = (struct skeleton_token){(uint16_t)start, (uint16_t)(end - start)};
    return true;
}

static int cut_plain(struct slice text, const struct skeleton_token *spans, size_t span_count,
                     struct skeleton_token *tokens)
{
    int count = 0;
    const uint8_t *p = (const uint8_t *)text.ptr;
    for (size_t i = 0, span = 0; i < text.len;) {
        size_t start = i, stop = span < span_count ? spans[span].start : text.len;
        if (i == stop) {
            i += spans[span++].len;
        } else if (is_word(p[i])) {
            while (i < stop && is_word(p[i]))
                i++;
        } else {
            i++;
            continue;
        }
        if (!add_token(tokens, &count, start, i))
            return -1;
    }
    return count;
}

bool skeleton_is_apart(struct slice text, size_t start, size_t len)
{
    return (start == 0 || !is_word((uint8_t)text.ptr[start - 1])) &&
           (start + len == text.len || !is_word((uint8_t)text.ptr[start + len]));
}

bool skeleton_is_cut(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_word((uint8_t)text.ptr[i]))
            return true;
    return false;
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

/* Numbers, true, false, null, and what no JSON has: letters and digits stay together. */
static bool is_scalar(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '+' || c >= 0x80;
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
            if (!add_token(tokens, &count, start, end))
                return -1;
        } else if (is_scalar((uint8_t)c)) {
            while (i < text.len && is_scalar((uint8_t)text.ptr[i]))
                i++;
            if (!add_token(tokens, &count, start, i))
                return -1;
        } else {
            i++;
        }
    }
    return count;
}

int skeleton_cut(struct slice text, const struct skeleton_token *spans, size_t span_count,
                 struct skeleton_token tokens[SKELETON_TOKENS_MAX])
{
    if (text.len > SKELETON_TEXT_MAX)
        return -1;
    return text.len && text.ptr[0] == '{' ? cut_json(text, tokens)
                                          : cut_plain(text, spans, span_count, tokens);
}

uint32_t skeleton_find_row(const uint32_t *rows, uint32_t count, uint32_t row, uint32_t *cursor)
{
    uint32_t at = *cursor, step = 1;
    if (at >= count || rows[at] >= row)
        at = at < count && rows[at] == row && (at == 0 || rows[at - 1] < row) ? at : 0;
    while (at < count && rows[at] < row) {
        bool leap = at + step < count && rows[at + step] < row;
        at += leap ? step : 1;
        step = leap ? step * 2 : 1;
    }
    *cursor = at;
    return at < count && rows[at] == row ? at : UINT32_MAX;
}
