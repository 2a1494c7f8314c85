#include "collect/files/byte_source.h"

#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

enum packing packing_of(struct slice head)
{
    if (slice_starts(head, SLICE("\x1f\x8b")))
        return PACKING_GZIP;
    return slice_starts(head, SLICE("\x28\xb5\x2f\xfd")) ? PACKING_ZSTD : PACKING_NONE;
}

static int read_bytes(struct byte_source *source, char *room, size_t size, size_t *len, struct err *err)
{
    ssize_t got;
    do
        got = read(source->fd, room, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_set_errno(err, errno, "cannot read %s", source->path);
    *len = (size_t)got;
    source->bytes += (uint64_t)got;
    source->file_end = got == 0;
    return 0;
}

static int read_packed(struct byte_source *source, struct err *err)
{
    source->packed_at = source->packed_len = 0;
    return read_bytes(source, source->packed, SOURCE_READ_BYTES, &source->packed_len, err);
}

static int open_unpacker(struct byte_source *source, struct err *err)
{
    source->packing = packing_of(slice_of(source->packed, source->packed_len));
    if (source->packing == PACKING_GZIP) {
        source->zlib_open = inflateInit2(&source->zlib, 15 + 16) == Z_OK;
        return source->zlib_open ? 0 : err_nomem(err);
    }
    if (source->packing == PACKING_ZSTD) {
        source->zstd = ZSTD_createDCtx();
        return source->zstd ? 0 : err_nomem(err);
    }
    return 0;
}

int byte_source_open(struct byte_source *source, int fd, const char *path, struct err *err)
{
    *source = (struct byte_source){.fd = fd, .path = path, .packed = mem_alloc(SOURCE_READ_BYTES)};
    if (!source->packed)
        return err_nomem(err);
    return read_packed(source, err) < 0 ? -1 : open_unpacker(source, err);
}

void byte_source_close(struct byte_source *source)
{
    if (source->zlib_open)
        inflateEnd(&source->zlib);
    ZSTD_freeDCtx(source->zstd);
    if (source->fd >= 0)
        close(source->fd);
    mem_free(source->packed);
    *source = (struct byte_source){.fd = -1};
}

/* False: damage. */
static bool unpack_gzip(struct byte_source *source, char *room, size_t size, size_t *len)
{
    z_stream *z = &source->zlib;
    z->next_in = (Bytef *)source->packed + source->packed_at;
    z->avail_in = (uInt)(source->packed_len - source->packed_at);
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)size;
    int code = inflate(z, Z_NO_FLUSH);
    source->packed_at = source->packed_len - z->avail_in;
    *len = size - z->avail_out;
    source->whole = code == Z_STREAM_END;
    if (source->whole)
        inflateReset(z); /* another member may follow */
    return source->whole || code == Z_OK || code == Z_BUF_ERROR;
}

static bool unpack_zstd(struct byte_source *source, char *room, size_t size, size_t *len)
{
    ZSTD_inBuffer in = {source->packed, source->packed_len, source->packed_at};
    ZSTD_outBuffer out = {room, size, 0};
    size_t code = ZSTD_decompressStream(source->zstd, &out, &in);
    source->packed_at = in.pos;
    *len = out.pos;
    source->whole = code == 0;
    return !ZSTD_isError(code);
}

static size_t take_looked_at(struct byte_source *source, char *room, size_t size)
{
    size_t there = source->packed_len - source->packed_at, len = there < size ? there : size;
    memcpy(room, source->packed + source->packed_at, len);
    source->packed_at += len;
    return len;
}

int byte_source_read(struct byte_source *source, char *room, size_t size, size_t *len, struct err *err)
{
    bool straight = source->packing == PACKING_NONE, used_up = source->packed_at == source->packed_len;
    *len = 0;
    size = size < SOURCE_READ_BYTES ? size : SOURCE_READ_BYTES;
    if (used_up && !source->file_end &&
        (straight ? read_bytes(source, room, size, len, err) : read_packed(source, err)) < 0)
        return -1;
    if (source->file_end) {
        source->end = true;
        source->damaged |= !straight && !source->whole;
        return 0;
    }
    bool fine = true;
    if (straight && !used_up) /* what was read to look at */
        *len = take_looked_at(source, room, size);
    else if (source->packing == PACKING_GZIP)
        fine = unpack_gzip(source, room, size, len);
    else if (source->packing == PACKING_ZSTD)
        fine = unpack_zstd(source, room, size, len);
    source->end = source->damaged = !fine;
    return 0;
}
