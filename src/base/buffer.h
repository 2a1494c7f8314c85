#pragma once
/*
 * base/buffer: bytes that grow, with a cap. Writing never fails at the call:
 * the first failure is remembered and everything after is dropped, so callers
 * check buffer_failed() once at the end.
 *
 * Ownership  The buffer owns its bytes until buffer_close().
 * Threads    One at a time.
 */
#include "base/attr.h"
#include "base/slice.h"

#include <stdint.h>

struct buffer {
    char *ptr;
    size_t len;
    size_t size;
    size_t max;
    bool failed; /* memory or max was out; content is incomplete */
};

void buffer_init(struct buffer *buffer, size_t bytes_max);
void buffer_close(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* empty, not failed, keeps its memory */

void buffer_put(struct buffer *buffer, struct slice bytes);
void buffer_put_char(struct buffer *buffer, char c);
void buffer_put_text(struct buffer *buffer, const char *text);
PRINTF_LIKE(2, 3) void buffer_printf(struct buffer *buffer, const char *format, ...);
void buffer_put_u64(struct buffer *buffer, uint64_t n); /* decimal digits */
void buffer_put_i64(struct buffer *buffer, int64_t n);
/* At least width digits, zeros in front; where values are printed for every event, and printf takes longer. */
void buffer_put_padded(struct buffer *buffer, uint64_t n, size_t width);
void buffer_put_hex(struct buffer *buffer, uint64_t n, size_t width, bool upper);

/* Fixed-width little-endian numbers and LEB128, for our own file formats. */
void buffer_put_le16(struct buffer *buffer, uint16_t n);
void buffer_put_le32(struct buffer *buffer, uint32_t n);
void buffer_put_le64(struct buffer *buffer, uint64_t n);
void buffer_put_varint(struct buffer *buffer, uint64_t n);
void buffer_put_block(struct buffer *buffer, struct slice bytes); /* varint length, bytes */

/* Room for size bytes at the end, or NULL; then buffer_commit() what was written. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_commit(struct buffer *buffer, size_t size);

/* Drops the first count bytes. */
void buffer_consume(struct buffer *buffer, size_t count);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->ptr ? buffer->ptr : "", buffer->len};
}

static inline bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}

/* Reading what the put_* functions wrote: takes it off *from; false when it is too short. */
bool slice_take_le16(struct slice *from, uint16_t *out);
bool slice_take_le32(struct slice *from, uint32_t *out);
bool slice_take_le64(struct slice *from, uint64_t *out);
bool slice_take_varint(struct slice *from, uint64_t *out);
bool slice_take(struct slice *from, size_t len, struct slice *out);
bool slice_take_block(struct slice *from, struct slice *out);
