#include "store/manifest.h"

#include "base/hash.h"
#include "base/limits.h"
#include "store/bytes.h"
#include "store/manifest_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zstd.h>

#define MAGIC "HINMANI" /* and the digit of the version */

enum { HEADER = 16, SEGMENT_BYTES_MIN = 12, LEVEL = 1, VERSION_AT = 7, VERSION_MAX = 2 };
#define CONTENT_MAX (512 * MIB)

static void put_segment(struct buffer *to, const struct segment_info *info)
{
    buffer_put_varint(to, info->number);
    buffer_put_le64(to, info->file_id);
    buffer_put_varint(to, info->stream.len);
    buffer_put(to, info->stream);
    buffer_put_varint(to, bytes_zigzag(info->day));
    buffer_put_varint(to, info->rows);
    buffer_put_varint(to, info->blocks);
    buffer_put_varint(to, bytes_zigzag(info->time_min));
    buffer_put_varint(to, bytes_zigzag(info->time_max));
    buffer_put_varint(to, info->seq_min);
    buffer_put_varint(to, info->seq_max);
    buffer_put_varint(to, info->bytes);
    buffer_put_varint(to, info->raw_bytes);
}

static void put_content(struct buffer *to, const struct manifest *manifest)
{
    buffer_put_le64(to, manifest->store_id);
    buffer_put_varint(to, manifest->next_number);
    buffer_put_varint(to, manifest->covered_position);
    buffer_put_varint(to, manifest->covered_seq);
    buffer_put_varint(to, manifest->dropped_segments);
    buffer_put_varint(to, manifest->dropped_rows);
    buffer_put_varint(to, manifest->segment_count);
    for (size_t i = 0; i < manifest->segment_count; i++)
        put_segment(to, &manifest->segments[i]);
    ledger_save(manifest->ledger, to);
}

/* The least version whose readers lose nothing by it. */
static int version_of(const struct manifest *manifest)
{
    return manifest->place_count ? 2 : 1;
}

int manifest_encode(const struct manifest *manifest, struct buffer *to, struct err *err)
{
    struct buffer content;
    buffer_init(&content, CONTENT_MAX);
    put_content(&content, manifest);
    manifest_tail_put(&content, manifest);
    size_t bound = ZSTD_compressBound(content.len);
    char *room = buffer_reserve(to, HEADER + bound);
    int result = room && !buffer_failed(&content) ? 0 : err_nomem(err);
    if (result == 0) {
        size_t len = ZSTD_compress(room + HEADER, bound, content.ptr, content.len, LEVEL);
        if (ZSTD_isError(len)) {
            result = err_set(err, ERR_NOMEM, "cannot compress the manifest: %s",
                             ZSTD_getErrorName(len));
        } else {
            memcpy(room, MAGIC, VERSION_AT);
            room[VERSION_AT] = (char)('0' + version_of(manifest));
            bytes_set_le32(room + 12, (uint32_t)content.len);
            bytes_set_le32(room + 8, hash_crc32c(0, slice_of(room + 12, len + 4)));
            buffer_commit(to, HEADER + len);
        }
    }
    buffer_close(&content);
    return result;
}

int manifest_write(const struct hin_io *io, const char *path, const struct manifest *manifest,
                   bool *replaced, struct err *err)
{
    *replaced = false;
    struct buffer file;
    buffer_init(&file, CONTENT_MAX);
    int result = manifest_encode(manifest, &file, err);
    if (result == 0)
        result = io_replace_file_tell(io, path, buffer_slice(&file), replaced, err);
    buffer_close(&file);
    return result;
}

static bool take_segment(struct slice *from, struct segment_info *out)
{
    uint64_t blocks;
    *out = (struct segment_info){0};
    if (!slice_take_varint(from, &out->number) || !slice_take_le64(from, &out->file_id) ||
        !slice_take_block(from, &out->stream) || !bytes_take_i64(from, &out->day) ||
        !slice_take_varint(from, &out->rows) || !slice_take_varint(from, &blocks) ||
        blocks > UINT32_MAX || !bytes_take_i64(from, &out->time_min) ||
        !bytes_take_i64(from, &out->time_max) || !slice_take_varint(from, &out->seq_min) ||
        !slice_take_varint(from, &out->seq_max) || !slice_take_varint(from, &out->bytes) ||
        !slice_take_varint(from, &out->raw_bytes))
        return false;
    out->blocks = (uint32_t)blocks;
    return true;
}

static int take_content(struct slice from, struct arena *arena, struct manifest *out,
                        struct err *err)
{
    uint64_t count;
    if (!slice_take_le64(&from, &out->store_id) || !slice_take_varint(&from, &out->next_number) ||
        !slice_take_varint(&from, &out->covered_position) ||
        !slice_take_varint(&from, &out->covered_seq) ||
        !slice_take_varint(&from, &out->dropped_segments) ||
        !slice_take_varint(&from, &out->dropped_rows) || !slice_take_varint(&from, &count) ||
        count > from.len / SEGMENT_BYTES_MIN)
        return err_set(err, ERR_CORRUPT, "its beginning cannot be read");
    out->segments = arena_array(arena, (size_t)count + 1, sizeof(*out->segments));
    if (!out->segments)
        return err_nomem(err);
    for (uint64_t i = 0; i < count; i++)
        if (!take_segment(&from, &out->segments[i]))
            return err_set(err, ERR_CORRUPT, "segment %llu of %llu cannot be read",
                           (unsigned long long)i, (unsigned long long)count);
    out->segment_count = (size_t)count;
    if (ledger_load(out->ledger, &from, err) < 0)
        return -1;
    return manifest_tail_take(from, arena, out, err);
}

int manifest_decode(struct slice bytes, struct arena *arena, struct manifest *out, struct err *err)
{
    if (bytes.len < HEADER || memcmp(bytes.ptr, MAGIC, VERSION_AT) != 0 ||
        bytes_get_le32(bytes.ptr + 8) != hash_crc32c(0, slice_from(bytes, 12)))
        return err_set(err, ERR_CORRUPT, "its checksum is wrong");
    int version = bytes.ptr[VERSION_AT] - '0';
    if (version < 1 || version > 9)
        return err_set(err, ERR_CORRUPT, "its version is wrong");
    if (version > VERSION_MAX)
        return err_set(err, ERR_CONFIG, "it was written by a newer hinomi (version %d; this one reads up "
                       "to %d); nothing was changed: start that one again", version, VERSION_MAX);
    size_t raw_len = bytes_get_le32(bytes.ptr + 12);
    struct slice packed = slice_from(bytes, HEADER);
    if (raw_len > CONTENT_MAX || ZSTD_getFrameContentSize(packed.ptr, packed.len) != raw_len)
        return err_set(err, ERR_CORRUPT, "its length is wrong");
    char *raw = arena_alloc(arena, raw_len + 1);
    if (!raw)
        return err_nomem(err);
    size_t len = ZSTD_decompress(raw, raw_len, packed.ptr, packed.len);
    if (ZSTD_isError(len) || len != raw_len)
        return err_set(err, ERR_CORRUPT, "its content is damaged");
    return take_content(slice_of(raw, raw_len), arena, out, err);
}

static int read_file(const struct hin_io *io, int fd, const char *path, struct arena *arena,
                     struct slice *out, struct err *err)
{
    off_t size = io->size(io->context, fd);
    if (size < 0 || (uint64_t)size > CONTENT_MAX)
        return err_set(err, ERR_CORRUPT, "it has an impossible size");
    char *bytes = arena_alloc(arena, (size_t)size + 1);
    if (!bytes)
        return err_nomem(err);
    *out = slice_of(bytes, (size_t)size);
    return io_read_all(io, fd, bytes, (size_t)size, 0, path, err);
}

int manifest_read(const struct hin_io *io, const char *path, struct arena *arena,
                  struct manifest *out, bool *found, struct err *err)
{
    *found = false;
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot open %s", path);
    *found = true;
    struct slice bytes;
    int result = read_file(io, fd, path, arena, &bytes, err);
    io->close(io->context, fd);
    if (result == 0)
        result = manifest_decode(bytes, arena, out, err);
    if (result < 0)
        return err_within(err, err->code == ERR_CORRUPT
                                   ? "manifest %s is damaged (restore it from a backup)"
                                   : "manifest %s", path);
    return 0;
}

bool manifest_segment_path(const struct manifest *manifest, const char *segments_dir,
                           const struct segment_info *info, char *to, size_t size)
{
    struct slice folder = slice_text(segments_dir);
    if (info->place > manifest->place_count)
        return false;
    if (info->place)
        folder = manifest->places[info->place - 1].path;
    int len = snprintf(to, size, "%.*s/%016llx.segment", SLICE_ARG(folder),
                       (unsigned long long)info->number);
    return len > 0 && (size_t)len < size;
}
