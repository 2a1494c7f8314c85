#include "collect/files/byte_source.h"

#include "base/late_archive.h"
#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

enum packing packing_of(struct slice head)
{
    if (slice_starts(head, SLICE("\x1f\x8b")))
        return PACKING_GZIP;
    if (slice_starts(head, SLICE("\xfd" "7zXZ")))
        return PACKING_XZ;
    if (head.len > 4 && slice_starts(head, SLICE("BZh")) && head.ptr[3] >= '1' && head.ptr[3] <= '9' && head.ptr[4] == '1')
        return PACKING_BZIP2;
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

/* ---- libarchive: one file, without a frame of names ---- */

static ssize_t give_archive(struct archive *archive, void *context, const void **bytes)
{
    struct byte_source *source = context;
    (void)archive;
    *bytes = source->packed;
    if (source->packed_at == 0 && source->packed_len) { /* what was read to look at */
        source->packed_at = source->packed_len;
        return (ssize_t)source->packed_len;
    }
    if (read_bytes(source, source->packed, SOURCE_READ_BYTES, &source->packed_len, &source->archive_err) < 0)
        return -1;
    source->packed_at = source->packed_len;
    return (ssize_t)source->packed_len;
}

static int open_archive(struct byte_source *source, struct err *err)
{
    const struct late_archive *late = late_archive(err);
    struct archive_entry *entry;
    if (!late)
        return err_within(err, "%s", source->path);
    source->archive = late->read_new();
    if (!source->archive || late->read_support_filter_bzip2(source->archive) < ARCHIVE_WARN ||
        late->read_support_filter_xz(source->archive) < ARCHIVE_WARN ||
        late->read_support_format_raw(source->archive) < ARCHIVE_WARN)
        return err_nomem(err);
    bool fine = late->read_open(source->archive, source, NULL, give_archive, NULL) == ARCHIVE_OK &&
                late->read_next_header(source->archive, &entry) == ARCHIVE_OK;
    if (!fine && source->archive_err.code) {
        *err = source->archive_err;
        return -1;
    }
    source->end = source->damaged = !fine;
    return 0;
}

static int unpack_archive(struct byte_source *source, char *room, size_t size, size_t *len, struct err *err)
{
    ssize_t got = late_archive(err)->read_data(source->archive, room, size);
    if (got < 0 && source->archive_err.code) {
        *err = source->archive_err;
        return -1;
    }
    *len = got > 0 ? (size_t)got : 0;
    source->end = got <= 0;
    source->damaged = got < 0;
    return 0;
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
    return source->packing == PACKING_NONE ? 0 : open_archive(source, err);
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
    struct err none;
    if (source->archive)
        late_archive(&none)->read_free(source->archive);
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
    if (source->archive)
        return source->end ? 0 : unpack_archive(source, room, size, len, err);
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
