#include "net/inflate.h"

#include "base/limits.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 64 * 1024 };

static int over_limit(size_t size, size_t body_len, size_t bytes_max, size_t ratio_max, struct err *err)
{
    if (size > bytes_max)
        return err_set(err, ERR_LIMIT, "the body is larger than %zu bytes when unpacked", bytes_max);
    if (size > STEP && size / ratio_max > body_len)
        return err_set(err, ERR_LIMIT, "the body unpacks to more than %zu times its size",
                       ratio_max);
    return 0;
}

static int by_zlib(int window, struct slice body, size_t bytes_max, size_t ratio_max,
                   struct buffer *out, struct err *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)body.ptr, .avail_in = (uInt)body.len};
    size_t start = out->len;
    if (inflateInit2(&z, window) != Z_OK)
        return err_nomem(err);
    int code = Z_OK, result = 0;
    while (result == 0) {
        char *room = buffer_reserve(out, STEP);
        if (!room) {
            result = err_set(err, ERR_LIMIT, "the body is larger than %zu bytes when unpacked",
                             bytes_max);
            break;
        }
        z.next_out = (Bytef *)room;
        z.avail_out = STEP;
        code = inflate(&z, Z_NO_FLUSH);
        buffer_commit(out, STEP - z.avail_out);
        result = over_limit(out->len - start, body.len, bytes_max, ratio_max, err);
        if (code == Z_STREAM_END && z.avail_in == 0)
            break;
        if (code == Z_STREAM_END && inflateReset(&z) == Z_OK) /* the next member of a gzip file */
            continue;
        if (result == 0 && (code != Z_OK || (z.avail_in == 0 && z.avail_out == STEP)))
            result = err_set(err, ERR_INPUT, "the compressed body is damaged or ends early");
    }
    inflateEnd(&z);
    return result;
}

static int by_zstd(struct slice body, size_t bytes_max, size_t ratio_max, struct buffer *out,
                   struct err *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    size_t start = out->len;
    if (!context)
        return err_nomem(err);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 25);
    ZSTD_inBuffer in = {body.ptr, body.len, 0};
    size_t left = 1;
    int result = 0;
    while (result == 0 && (in.pos < in.size || left)) {
        char *room = buffer_reserve(out, STEP);
        if (!room) {
            result = err_set(err, ERR_LIMIT, "the body is larger than %zu bytes when unpacked",
                             bytes_max);
            break;
        }
        ZSTD_outBuffer to = {room, STEP, 0};
        left = ZSTD_decompressStream(context, &to, &in);
        buffer_commit(out, to.pos);
        result = over_limit(out->len - start, body.len, bytes_max, ratio_max, err);
        if (result == 0 && (ZSTD_isError(left) || (left && to.pos == 0 && in.pos == in.size)))
            result = err_set(err, ERR_INPUT, "the compressed body is damaged or ends early");
    }
    ZSTD_freeDCtx(context);
    return result;
}

/* The block says first how large it becomes, so that is judged before there is room for it. */
static int by_snappy(struct slice body, size_t bytes_max, size_t ratio_max, struct buffer *out, struct err *err)
{
    size_t size;
    if (snappy_uncompressed_length(body.ptr, body.len, &size) != SNAPPY_OK)
        return err_set(err, ERR_INPUT, "the body is not a snappy block (its length is missing)");
    if (over_limit(size, body.len, bytes_max, ratio_max, err) < 0)
        return -1;
    char *room = buffer_reserve(out, size + 1);
    if (!room)
        return err_nomem(err);
    if (snappy_uncompress(body.ptr, body.len, room, &size) != SNAPPY_OK)
        return err_set(err, ERR_INPUT, "the compressed body is damaged or ends early (it should be one snappy block)");
    buffer_commit(out, size);
    return 0;
}

int inflate_body(enum inflate_kind kind, struct slice body, size_t bytes_max, size_t ratio_max,
                 struct buffer *out, struct err *err)
{
    if (kind == INFLATE_ZSTD)
        return by_zstd(body, bytes_max, ratio_max, out, err);
    if (kind == INFLATE_SNAPPY)
        return by_snappy(body, bytes_max, ratio_max, out, err);
    bool zlib_head = body.len > 1 && (body.ptr[0] & 0x0f) == 8 &&
                     ((unsigned char)body.ptr[0] * 256 + (unsigned char)body.ptr[1]) % 31 == 0;
    int window = kind == INFLATE_GZIP ? 15 + 16 : zlib_head ? 15 : -15;
    return by_zlib(window, body, bytes_max, ratio_max, out, err);
}
