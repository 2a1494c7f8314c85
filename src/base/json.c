#include "base/json.h"

#include "base/time.h"
#include "base/unescape.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_init(struct json *json, struct buffer *to)
{
    *json = (struct json){.to = to};
}

static void before_value(struct json *json)
{
    if (json->comma)
        buffer_put_char(json->to, ',');
    json->comma = true;
}

void json_open(struct json *json, char bracket)
{
    before_value(json);
    buffer_put_char(json->to, bracket);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    buffer_put_char(json->to, bracket);
    json->comma = true;
}

/* The bytes that may be copied as they are, up to the first that may not. */
static size_t plain_run(struct slice text)
{
    size_t i = 0;
    while (i < text.len) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f || c == 0xe2)
            break;
        i++;
    }
    return i;
}

static void put_escape(struct buffer *to, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *at = c ? strchr("\"\"\\\\\nn\tt\rr\bb\ff", c) : NULL;
    if (at) {
        buffer_put_char(to, '\\');
        buffer_put_char(to, at[1]);
        return;
    }
    buffer_put(to, SLICE("\\u00"));
    buffer_put_char(to, hex[c >> 4]);
    buffer_put_char(to, hex[c & 15]);
}

static void put_string(struct buffer *to, struct slice text)
{
    buffer_put_char(to, '"');
    while (text.len) {
        size_t run = plain_run(text);
        buffer_put(to, slice_sub(text, 0, run));
        text = slice_from(text, run);
        if (!text.len)
            break;
        unsigned char c = (unsigned char)text.ptr[0];
        bool separator = c == 0xe2 && text.len >= 3 && (unsigned char)text.ptr[1] == 0x80 &&
                         ((unsigned char)text.ptr[2] | 1) == 0xa9;
        if (separator)
            buffer_put_text(to, (unsigned char)text.ptr[2] == 0xa8 ? "\\u2028" : "\\u2029");
        else if (c == 0xe2)
            buffer_put_char(to, text.ptr[0]);
        else
            put_escape(to, c);
        text = slice_from(text, separator ? 3 : 1);
    }
    buffer_put_char(to, '"');
}

void json_key_slice(struct json *json, struct slice key)
{
    before_value(json);
    put_string(json->to, key);
    buffer_put_char(json->to, ':');
    json->comma = false;
}

void json_key(struct json *json, const char *key)
{
    json_key_slice(json, slice_text(key));
}

void json_text(struct json *json, struct slice text)
{
    before_value(json);
    if (utf8_valid(text)) {
        put_string(json->to, text);
        return;
    }
    buffer_put(json->to, SLICE("{\"base64\":\""));
    buffer_put_base64(json->to, text);
    buffer_put(json->to, SLICE("\"}"));
}

void json_i64(struct json *json, int64_t n)
{
    before_value(json);
    buffer_put_i64(json->to, n);
}

void json_u64(struct json *json, uint64_t n)
{
    before_value(json);
    buffer_put_u64(json->to, n);
}

size_t json_format_f64(double n, char to[32])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(to, 32, "%.*g", digits, n);
        if (strtod(to, NULL) == n || n != n)
            break;
    }
    return strlen(to);
}

void json_f64(struct json *json, double n)
{
    char text[32];
    if (!isfinite(n)) {
        json_null(json);
        return;
    }
    before_value(json);
    buffer_put(json->to, slice_of(text, json_format_f64(n, text)));
}

void json_bool(struct json *json, bool b)
{
    json_raw(json, b ? SLICE("true") : SLICE("false"));
}

void json_null(struct json *json)
{
    json_raw(json, SLICE("null"));
}

void json_raw(struct json *json, struct slice text)
{
    before_value(json);
    buffer_put(json->to, text);
}

void json_time(struct json *json, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    size_t len = time_format(time_ns, text);
    json_text(json, slice_of(text, len));
}

void json_put_text(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_put_text_or_null(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    if (text.len)
        json_text(json, text);
    else
        json_null(json);
}

void json_put_texts(struct json *json, const char *key, const struct slice *texts, size_t count)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_close(json, ']');
}

void json_put_i64(struct json *json, const char *key, int64_t n)
{
    json_key(json, key);
    json_i64(json, n);
}

void json_put_bool(struct json *json, const char *key, bool b)
{
    json_key(json, key);
    json_bool(json, b);
}

void json_put_time(struct json *json, const char *key, int64_t time_ns)
{
    json_key(json, key);
    json_time(json, time_ns);
}

void json_put_time_or_null(struct json *json, const char *key, int64_t time_ns)
{
    json_key(json, key);
    if (time_ns)
        json_time(json, time_ns);
    else
        json_null(json);
}

char *base64_write(struct slice bytes, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t n = (uint32_t)(unsigned char)bytes.ptr[i] << 16;
        if (i + 1 < bytes.len)
            n |= (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8;
        if (i + 2 < bytes.len)
            n |= (unsigned char)bytes.ptr[i + 2];
        *to++ = digits[n >> 18];
        *to++ = digits[(n >> 12) & 63];
        *to++ = i + 1 < bytes.len ? digits[(n >> 6) & 63] : '=';
        *to++ = i + 2 < bytes.len ? digits[n & 63] : '=';
    }
    return to;
}

void buffer_put_base64(struct buffer *buffer, struct slice bytes)
{
    enum { PIECE = 48 };
    char text[BASE64_SIZE(PIECE)];
    for (size_t i = 0; i < bytes.len; i += PIECE) {
        char *end = base64_write(slice_sub(bytes, i, PIECE), text);
        buffer_put(buffer, slice_of(text, (size_t)(end - text)));
    }
}

bool buffer_put_from_base64(struct buffer *buffer, struct slice text)
{
    size_t len = text.len;
    while (len > 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
        len--;
    if (text.len % 4 != 0)
        return false;
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = unescape_base64_digit(text.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 1)
            buffer_put_char(buffer, (char)(uint8_t)(bits >> 4));
        else if (i % 4 == 2)
            buffer_put_char(buffer, (char)(uint8_t)(bits >> 2));
        else if (i % 4 == 3)
            buffer_put_char(buffer, (char)(uint8_t)bits);
    }
    return true;
}
