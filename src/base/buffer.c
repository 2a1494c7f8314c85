#include "base/buffer.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void buffer_init(struct buffer *buffer, size_t bytes_max)
{
    *buffer = (struct buffer){.max = bytes_max};
}

void buffer_close(struct buffer *buffer)
{
    mem_free(buffer->ptr);
    *buffer = (struct buffer){.max = buffer->max};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (UNLIKELY(buffer->failed))
        return NULL;
    if (LIKELY(buffer->size - buffer->len >= size))
        return buffer->ptr + buffer->len;
    if (size > buffer->max || buffer->len > buffer->max - size) {
        buffer->failed = true;
        return NULL;
    }
    size_t want = buffer->size < 256 ? 512 : buffer->size * 2;
    if (want < buffer->len + size)
        want = buffer->len + size;
    if (want > buffer->max)
        want = buffer->max;
    char *ptr = mem_realloc(buffer->ptr, want);
    if (!ptr) {
        buffer->failed = true;
        return NULL;
    }
    buffer->ptr = ptr;
    buffer->size = want;
    return ptr + buffer->len;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
    buffer->len += size;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
    if (count >= buffer->len) {
        buffer->len = 0;
        return;
    }
    memmove(buffer->ptr, buffer->ptr + count, buffer->len - count);
    buffer->len -= count;
}

void buffer_put(struct buffer *buffer, struct slice bytes)
{
    char *to = bytes.len ? buffer_reserve(buffer, bytes.len) : NULL;
    if (!to)
        return;
    memcpy(to, bytes.ptr, bytes.len);
    buffer->len += bytes.len;
}

void buffer_put_char(struct buffer *buffer, char c)
{
    char *to = buffer_reserve(buffer, 1);
    if (!to)
        return;
    *to = c;
    buffer->len++;
}

void buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, slice_text(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = len < 0 ? NULL : buffer_reserve(buffer, (size_t)len + 1);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    buffer->len += (size_t)len;
}


/* Inlined: divisions by a base that is known are cheap. */
__attribute__((always_inline)) static inline void put_based(struct buffer *buffer, uint64_t n, size_t width,
                                                            const char *digits, unsigned base)
{
    char text[64];
    size_t at = sizeof(text);
    do {
        text[--at] = digits[n % base];
        n /= base;
    } while (n);
    for (size_t len = sizeof(text) - at; len < width; len++)
        buffer_put_char(buffer, '0');
    buffer_put(buffer, slice_of(text + at, sizeof(text) - at));
}

void buffer_put_u64(struct buffer *buffer, uint64_t n)
{
    put_based(buffer, n, 1, "0123456789", 10);
}

void buffer_put_padded(struct buffer *buffer, uint64_t n, size_t width)
{
    put_based(buffer, n, width, "0123456789", 10);
}

void buffer_put_hex(struct buffer *buffer, uint64_t n, size_t width, bool upper)
{
    put_based(buffer, n, width, upper ? "0123456789ABCDEF" : "0123456789abcdef", 16);
}

void buffer_put_i64(struct buffer *buffer, int64_t n)
{
    if (n < 0)
        buffer_put_char(buffer, '-');
    buffer_put_u64(buffer, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void put_le(struct buffer *buffer, uint64_t n, size_t width)
{
    char *to = buffer_reserve(buffer, width);
    if (!to)
        return;
    for (size_t i = 0; i < width; i++)
        to[i] = (char)(n >> (8 * i));
    buffer->len += width;
}

void buffer_put_le16(struct buffer *buffer, uint16_t n)
{
    put_le(buffer, n, 2);
}

void buffer_put_le32(struct buffer *buffer, uint32_t n)
{
    put_le(buffer, n, 4);
}

void buffer_put_le64(struct buffer *buffer, uint64_t n)
{
    put_le(buffer, n, 8);
}

void buffer_put_varint(struct buffer *buffer, uint64_t n)
{
    while (n >= 0x80) {
        buffer_put_char(buffer, (char)(n | 0x80));
        n >>= 7;
    }
    buffer_put_char(buffer, (char)n);
}

static bool take_le(struct slice *from, size_t width, uint64_t *out)
{
    if (from->len < width)
        return false;
    uint64_t n = 0;
    for (size_t i = 0; i < width; i++)
        n |= (uint64_t)(unsigned char)from->ptr[i] << (8 * i);
    *from = slice_from(*from, width);
    *out = n;
    return true;
}

bool slice_take_le16(struct slice *from, uint16_t *out)
{
    uint64_t n;
    if (!take_le(from, 2, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

bool slice_take_le32(struct slice *from, uint32_t *out)
{
    uint64_t n;
    if (!take_le(from, 4, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

bool slice_take_le64(struct slice *from, uint64_t *out)
{
    return take_le(from, 8, out);
}

bool slice_take_varint(struct slice *from, uint64_t *out)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 10 && i < from->len; i++) {
        unsigned char byte = (unsigned char)from->ptr[i];
        if (i == 9 && byte > 1)
            return false;
        n |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *from = slice_from(*from, i + 1);
            *out = n;
            return true;
        }
    }
    return false;
}

bool slice_take(struct slice *from, size_t len, struct slice *out)
{
    if (from->len < len)
        return false;
    *out = slice_sub(*from, 0, len);
    *from = slice_from(*from, len);
    return true;
}

void buffer_put_block(struct buffer *buffer, struct slice bytes)
{
    buffer_put_varint(buffer, bytes.len);
    buffer_put(buffer, bytes);
}

bool slice_take_block(struct slice *from, struct slice *out)
{
    uint64_t len;
    return slice_take_varint(from, &len) && len <= from->len && slice_take(from, (size_t)len, out);
}
