#include "cut/json_skim.h"

#include "base/limits.h"
#include "base/unescape.h"
#include "base/utf8.h"

bool json_skim_wrong(struct json_skim *skim, const char *what)
{
    err_set_at(skim->err, ERR_INPUT, (int)skim->at, (int)skim->at + 1, "%s at byte %zu", what, skim->at);
    return false;
}

char json_skim_peek(const struct json_skim *skim)
{
    return skim->at < skim->text.len ? skim->text.ptr[skim->at] : '\0';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_word(char c)
{
    return is_space(c) || c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']' || c == '"';
}

void json_skim_space(struct json_skim *skim)
{
    while (skim->at < skim->text.len && is_space(skim->text.ptr[skim->at]))
        skim->at++;
}

bool json_skim_string(struct json_skim *skim, struct slice *out)
{
    size_t start = ++skim->at;
    while (skim->at < skim->text.len) {
        unsigned char c = (unsigned char)skim->text.ptr[skim->at];
        if (c == '"') {
            *out = slice_sub(skim->text, start, skim->at - start);
            skim->at++;
            return true;
        }
        if (c < 0x20)
            return json_skim_wrong(skim, "a text holds a raw control character");
        skim->at += c == '\\' ? 2 : 1;
    }
    skim->at = skim->text.len;
    return json_skim_wrong(skim, "a text has no closing quote");
}

/* Numbers and words; which ones are valid is for the decoder to say. */
static bool skim_word(struct json_skim *skim)
{
    size_t start = skim->at;
    while (skim->at < skim->text.len && !ends_word(skim->text.ptr[skim->at]))
        skim->at++;
    return skim->at > start || json_skim_wrong(skim, "a value is missing");
}

bool json_skim_value(struct json_skim *skim, struct slice *out)
{
    json_skim_space(skim);
    size_t start = skim->at;
    int depth = 0;
    do {
        json_skim_space(skim);
        char c = json_skim_peek(skim);
        struct slice ignored;
        if (skim->at >= skim->text.len)
            return json_skim_wrong(skim, "the JSON ends early");
        if (c == '"') {
            if (!json_skim_string(skim, &ignored))
                return false;
        } else if (c == '{' || c == '[') {
            skim->at++;
            if (++depth > JSON_DEPTH_MAX)
                return json_skim_wrong(skim, "the JSON is nested too deeply");
        } else if (c == '}' || c == ']') {
            skim->at++;
            if (--depth < 0)
                return json_skim_wrong(skim, "a closing bracket has no opening one");
        } else if (c == ',' || c == ':') {
            if (depth == 0)
                return json_skim_wrong(skim, "a value is missing");
            skim->at++;
        } else if (!skim_word(skim)) {
            return false;
        }
    } while (depth > 0);
    *out = slice_sub(skim->text, start, skim->at - start);
    return true;
}

bool json_skim_open(struct json_skim *skim)
{
    if (json_skim_peek(skim) != '{')
        return json_skim_wrong(skim, "an object { is needed");
    skim->at++;
    return true;
}

static int broken(struct json_skim *skim, const char *what)
{
    json_skim_wrong(skim, what);
    return -1;
}

int json_skim_member(struct json_skim *skim, struct slice *key, struct slice *value)
{
    bool first = skim->text.ptr[skim->at - 1] == '{'; /* no value ends with it */
    json_skim_space(skim);
    char c = json_skim_peek(skim);
    if (c == '}') {
        skim->at++;
        return 0;
    }
    if (!first) {
        if (c != ',')
            return broken(skim, "a comma or } is missing");
        skim->at++;
        json_skim_space(skim);
    }
    if (json_skim_peek(skim) != '"')
        return broken(skim, "a key in quotes is needed");
    if (!json_skim_string(skim, key))
        return -1;
    json_skim_space(skim);
    if (json_skim_peek(skim) != ':')
        return broken(skim, "a colon is missing");
    skim->at++;
    return json_skim_value(skim, value) ? 1 : -1;
}

struct slice json_skim_text(struct slice value)
{
    return value.len >= 2 && value.ptr[0] == '"' ? slice_sub(value, 1, value.len - 2) : value;
}

static int hex4(struct slice s)
{
    int n = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < s.len ? unescape_hex_digit(s.ptr[i]) : -1;
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

static bool unescape_unicode(struct slice text, size_t *at, struct buffer *to)
{
    int unit = hex4(slice_from(text, *at + 2));
    size_t used = 6;
    if (unit < 0)
        return false;
    uint32_t c = (uint32_t)unit;
    if (c >= 0xd800 && c < 0xdc00 && slice_starts(slice_from(text, *at + 6), SLICE("\\u"))) {
        int low = hex4(slice_from(text, *at + 8));
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            used = 12;
        }
    }
    char bytes[4];
    buffer_put(to, slice_of(bytes, utf8_encode(c, bytes)));
    *at += used;
    return true;
}

bool json_skim_unescape(struct slice text, struct buffer *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    for (size_t i = 0; i < text.len;) {
        ptrdiff_t run = slice_find_char(slice_from(text, i), '\\');
        size_t len = run < 0 ? text.len - i : (size_t)run;
        buffer_put(to, slice_sub(text, i, len));
        i += len;
        if (i >= text.len)
            return true;
        char c = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        const char *known = c ? strchr(from, c) : NULL;
        if (c == 'u') {
            if (!unescape_unicode(text, &i, to))
                return false;
        } else if (known) {
            buffer_put_char(to, into[known - from]);
            i += 2;
        } else {
            return false;
        }
    }
    return true;
}
