#include "store/segment.h"

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/segment_format.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <zstd.h>

struct segment_footer {
    atomic_uint refs;
    struct arena *arena;
    uint64_t file_id;
    uint64_t offset; /* of the footer in the file */
    struct segment_facts facts;
    struct slice *names;
    uint32_t name_count;
    struct map by_name; /* -> index + 1 */
    struct segment_block *blocks;
    uint32_t block_count;
};

struct segment {
    const struct hin_io *io;
    char *path;
    int fd;
    struct segment_footer *footer;
    uint64_t *bytes_read; /* a pointer: reading does not change what the segment says */
};

/* ---- decompression: a context a thread --------------------------------------------------- */

static pthread_key_t zstd_key;
static bool zstd_has_key;

static void free_zstd(void *context)
{
    ZSTD_freeDCtx(context);
}

static void make_zstd_key(void)
{
    zstd_has_key = pthread_key_create(&zstd_key, free_zstd) == 0;
}

/* NULL when memory is out. */
static ZSTD_DCtx *zstd_of_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_zstd_key);
    ZSTD_DCtx *context = zstd_has_key ? pthread_getspecific(zstd_key) : NULL;
    if (context || !zstd_has_key)
        return context;
    context = ZSTD_createDCtx();
    if (context && pthread_setspecific(zstd_key, context) != 0) {
        ZSTD_freeDCtx(context);
        return NULL;
    }
    return context;
}

static int corrupt(const char *path, struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "segment %s: %s", path, what);
}

/* Fuzzers cannot guess checksums: a build of its own lets them pass, to reach what is behind. */
static bool same_crc(uint32_t computed, uint32_t stored)
{
#ifdef HINOMI_FUZZ_NO_CRC
    (void)computed;
    (void)stored;
    return true;
#else
    return computed == stored;
#endif
}

/* ---- footer ----------------------------------------------------------------------------- */

static bool take_u32(struct slice *from, uint32_t *out)
{
    uint64_t n;
    if (!slice_take_varint(from, &n) || n > UINT32_MAX)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool take_u8(struct slice *from, uint8_t *out)
{
    struct slice byte;
    if (!slice_take(from, 1, &byte))
        return false;
    *out = (uint8_t)byte.ptr[0];
    return true;
}

static bool take_stream(const struct segment_footer *footer, struct slice *from, uint64_t *offset,
                        struct chunk_stream *stream)
{
    if (!take_u8(from, &stream->kind) || !take_u8(from, &stream->method) ||
        !take_u8(from, &stream->width) || !take_u32(from, &stream->raw_len) ||
        !take_u32(from, &stream->stored_len) || !slice_take_le32(from, &stream->crc))
        return false;
    stream->offset = *offset;
    if (stream->stored_len > footer->offset - *offset ||
        stream->raw_len > CHUNK_STREAM_RAW_MAX)
        return false;
    *offset += stream->stored_len;
    return true;
}

/* Every element costs bytes in the footer, so counts are bounded before memory is taken. */
static bool take_chunk(const struct segment_footer *footer, struct slice *from, struct arena *arena,
                       uint32_t block_rows, uint64_t *offset, struct chunk *chunk)
{
    uint32_t types;
    if (!take_u32(from, &chunk->column) || chunk->column >= footer->name_count ||
        !take_u8(from, &chunk->encoding) || !take_u8(from, &chunk->type) ||
        !take_u8(from, &chunk->flags) || !take_u32(from, &types) ||
        !take_u32(from, &chunk->count) || !take_u32(from, &chunk->row_count))
        return false;
    chunk->types_seen = (uint16_t)types;
    if (chunk->row_count > block_rows || chunk->count < chunk->row_count ||
        chunk->count > (uint64_t)block_rows * FIELD_VALUES_MAX)
        return false;
    if (!(chunk->flags & CHUNK_MULTI) && chunk->count != chunk->row_count)
        return false;
    if ((chunk->flags & CHUNK_ALL_ROWS) && chunk->row_count != block_rows)
        return false;
    if ((chunk->flags & CHUNK_HAS_RANGE) &&
        (!bytes_take_i64(from, &chunk->low) || !bytes_take_i64(from, &chunk->high)))
        return false;
    if (!take_u32(from, &chunk->stream_count) || chunk->stream_count > from->len)
        return false;
    chunk->streams = arena_array(arena, chunk->stream_count + 1U, sizeof(*chunk->streams));
    for (uint32_t i = 0; i < chunk->stream_count; i++)
        if (!chunk->streams || !take_stream(footer, from, offset, &chunk->streams[i]))
            return false;
    return chunk->streams != NULL;
}

static bool take_block(const struct segment_footer *footer, struct slice *from, struct arena *arena,
                       struct segment_block *block)
{
    uint64_t low, high, offset;
    if (!take_u32(from, &block->row_count) || block->row_count == 0 ||
        block->row_count > BLOCK_ROWS_MAX || !slice_take_le64(from, &low) ||
        !slice_take_le64(from, &high) || !slice_take_varint(from, &block->seq_min) ||
        !slice_take_varint(from, &block->seq_max) || !slice_take_varint(from, &block->raw_bytes) ||
        !take_u32(from, &block->chunk_count) || !slice_take_varint(from, &offset) ||
        block->chunk_count > from->len || offset > footer->offset)
        return false;
    block->time_min = (int64_t)low;
    block->time_max = (int64_t)high;
    block->chunks = arena_array(arena, block->chunk_count + 1U, sizeof(*block->chunks));
    for (uint32_t i = 0; i < block->chunk_count; i++)
        if (!block->chunks || !take_chunk(footer, from, arena, block->row_count, &offset,
                                          &block->chunks[i]))
            return false;
    return block->chunks != NULL;
}

static bool take_names(struct segment_footer *footer, struct slice *from, struct arena *arena)
{
    if (!take_u32(from, &footer->name_count) || footer->name_count > SEGMENT_COLUMNS_MAX ||
        footer->name_count > from->len)
        return false;
    footer->names = arena_array(arena, footer->name_count + 1U, sizeof(*footer->names));
    for (uint32_t i = 0; i < footer->name_count; i++) {
        uintptr_t number = (uintptr_t)i + 1;
        if (!footer->names || !slice_take_block(from, &footer->names[i]) ||
            map_put(&footer->by_name, footer->names[i], (void *)number) < 0)
            return false;
    }
    return footer->names != NULL;
}

static bool take_footer(struct segment_footer *footer, struct slice from, struct arena *arena)
{
    uint32_t blocks;
    if (!slice_take_block(&from, &footer->facts.stream) || !bytes_take_i64(&from, &footer->facts.day) ||
        !slice_take_varint(&from, &footer->facts.covered) ||
        !take_names(footer, &from, arena) || !take_u32(&from, &blocks) ||
        blocks > SEGMENT_BLOCKS_MAX || blocks > from.len)
        return false;
    footer->blocks = arena_array(arena, blocks + 1U, sizeof(*footer->blocks));
    if (!footer->blocks)
        return false;
    for (uint32_t i = 0; i < blocks; i++)
        if (!take_block(footer, &from, arena, &footer->blocks[i]))
            return false;
    footer->block_count = blocks;
    return from.len == 0;
}

/* Decompresses exactly raw_len bytes into the arena, some readable bytes behind. */
static int inflate(const char *path, struct slice stored, size_t raw_len, struct arena *arena,
                   struct slice *out, struct err *err)
{
    ZSTD_DCtx *zstd = zstd_of_thread();
    if (ZSTD_getFrameContentSize(stored.ptr, stored.len) != raw_len)
        return corrupt(path, err, "a compressed stream does not have the length it claims");
    char *raw = zstd ? arena_alloc(arena, raw_len + 16) : NULL;
    if (!raw)
        return err_nomem(err);
    size_t len = ZSTD_decompressDCtx(zstd, raw, raw_len, stored.ptr, stored.len);
    if (ZSTD_isError(len) || len != raw_len)
        return corrupt(path, err, "a compressed stream is damaged");
    memset(raw + raw_len, 0, 16);
    *out = slice_of(raw, raw_len);
    return 0;
}

/* A file that is being opened. */
struct opening {
    const struct hin_io *io;
    const char *path;
    int fd;
    struct segment_footer *footer;
    char trailer[SEGMENT_TRAILER];
};

static int read_trailer(struct opening *opening, struct err *err)
{
    const struct hin_io *io = opening->io;
    const char *path = opening->path, *trailer = opening->trailer;
    off_t size = io->size(io->context, opening->fd);
    if (size < 0)
        return err_set_errno(err, errno, "cannot ask for the size of %s", path);
    if (size < SEGMENT_HEADER + SEGMENT_TRAILER)
        return corrupt(path, err, "it is too short");
    char header[SEGMENT_HEADER];
    if (io_read_all(io, opening->fd, header, sizeof(header), 0, path, err) < 0 ||
        io_read_all(io, opening->fd, opening->trailer, SEGMENT_TRAILER, size - SEGMENT_TRAILER,
                    path, err) < 0)
        return -1;
    if (memcmp(header, SEGMENT_MAGIC, 8) != 0 ||
        !same_crc(hash_crc32c(0, slice_of(header, 24)), bytes_get_le32(header + 24)))
        return corrupt(path, err, "its header is damaged");
    opening->footer->file_id = bytes_get_le64(header + 8);
    if (memcmp(trailer + 28, SEGMENT_END_MAGIC, 4) != 0 ||
        !same_crc(segment_crc(opening->footer->file_id, 0, slice_of(trailer, 24)),
                  bytes_get_le32(trailer + 24)))
        return corrupt(path, err, "its trailer is damaged");
    uint32_t version = bytes_get_le32(trailer + 20);
    if (version < SEGMENT_VERSION_OLDEST || version > SEGMENT_VERSION)
        return corrupt(path, err, "it was written by a newer version");
    uint64_t offset = bytes_get_le64(trailer);
    opening->footer->offset = offset;
    if (offset < SEGMENT_HEADER || offset > (uint64_t)size - SEGMENT_TRAILER ||
        bytes_get_le32(trailer + 8) != (uint64_t)size - SEGMENT_TRAILER - offset ||
        bytes_get_le32(trailer + 12) > SEGMENT_FOOTER_MAX)
        return corrupt(path, err, "its trailer names an impossible footer");
    return 0;
}

static int read_footer(struct opening *opening, struct err *err)
{
    struct segment_footer *footer = opening->footer;
    if (read_trailer(opening, err) < 0)
        return -1;
    size_t stored_len = bytes_get_le32(opening->trailer + 8);
    char *stored = mem_alloc(stored_len);
    struct slice raw;
    int result = stored ? io_read_all(opening->io, opening->fd, stored, stored_len,
                                      (off_t)footer->offset, opening->path, err)
                        : err_nomem(err);
    if (result == 0 &&
        !same_crc(segment_crc(footer->file_id, footer->offset, slice_of(stored, stored_len)),
                  bytes_get_le32(opening->trailer + 16)))
        result = corrupt(opening->path, err, "its footer is damaged");
    if (result == 0)
        result = inflate(opening->path, slice_of(stored, stored_len),
                         bytes_get_le32(opening->trailer + 12), footer->arena, &raw, err);
    mem_free(stored);
    if (result == 0 && !take_footer(footer, raw, footer->arena))
        result = corrupt(opening->path, err, "its footer cannot be read");
    return result;
}

static int footer_new(const struct hin_io *io, const char *path, int fd,
                      struct segment_footer **out, struct err *err)
{
    struct segment_footer *footer = mem_calloc(1, sizeof(*footer));
    struct opening opening = {.io = io, .path = path, .fd = fd, .footer = footer};
    if (!footer)
        return err_nomem(err);
    atomic_init(&footer->refs, 1);
    footer->arena = arena_new(SEGMENT_FOOTER_MEMORY_MAX);
    map_init(&footer->by_name, footer->arena);
    if (!footer->arena || read_footer(&opening, err) < 0) {
        int result = footer->arena ? -1 : err_nomem(err);
        segment_footer_unref(footer);
        return result;
    }
    *out = footer;
    return 0;
}

struct segment_footer *segment_footer_ref(struct segment_footer *footer)
{
    atomic_fetch_add(&footer->refs, 1);
    return footer;
}

void segment_footer_unref(struct segment_footer *footer)
{
    if (!footer || atomic_fetch_sub(&footer->refs, 1) != 1)
        return;
    arena_free(footer->arena);
    mem_free(footer);
}

size_t segment_footer_bytes(const struct segment_footer *footer)
{
    return sizeof(*footer) + arena_used(footer->arena);
}

int segment_open(const struct hin_io *io, const char *path, struct segment_footer *footer,
                 struct segment **out, struct err *err)
{
    *out = NULL;
    struct segment *segment = mem_calloc(1, sizeof(*segment));
    if (!segment)
        return err_nomem(err);
    segment->io = io;
    segment->fd = -1;
    segment->path = mem_strdup(path, strlen(path));
    segment->bytes_read = mem_calloc(1, sizeof(*segment->bytes_read));
    int result = segment->path && segment->bytes_read ? 0 : err_nomem(err);
    if (result == 0) {
        segment->fd = io->open(io->context, path, O_RDONLY, 0);
        result = segment->fd < 0 ? err_set_errno(err, errno, "cannot open %s", path) : 0;
    }
    if (result == 0 && footer)
        segment->footer = segment_footer_ref(footer);
    else if (result == 0)
        result = footer_new(io, path, segment->fd, &segment->footer, err);
    if (result < 0) {
        segment_close(segment);
        return -1;
    }
    *out = segment;
    return 0;
}

void segment_close(struct segment *segment)
{
    if (!segment)
        return;
    if (segment->fd >= 0)
        segment->io->close(segment->io->context, segment->fd);
    segment_footer_unref(segment->footer);
    mem_free(segment->bytes_read);
    mem_free(segment->path);
    mem_free(segment);
}

bool segment_read_version(const struct hin_io *io, const char *path, uint32_t *version)
{
    char header[SEGMENT_HEADER], trailer[SEGMENT_TRAILER];
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    off_t size = io->size(io->context, fd);
    bool ok = size >= SEGMENT_HEADER + SEGMENT_TRAILER &&
              io_read_all(io, fd, header, sizeof(header), 0, path, NULL) == 0 &&
              io_read_all(io, fd, trailer, sizeof(trailer), size - SEGMENT_TRAILER, path, NULL) == 0 &&
              memcmp(trailer + 28, SEGMENT_END_MAGIC, 4) == 0 &&
              segment_crc(bytes_get_le64(header + 8), 0, slice_of(trailer, 24)) ==
                  bytes_get_le32(trailer + 24);
    io->close(io->context, fd);
    *version = ok ? bytes_get_le32(trailer + 20) : 0;
    return ok;
}

struct segment_footer *segment_get_footer(const struct segment *segment)
{
    return segment->footer;
}

/* ---- questions -------------------------------------------------------------------------- */

uint64_t segment_file_id(const struct segment *segment)
{
    return segment->footer->file_id;
}

const struct segment_facts *segment_get_facts(const struct segment *segment)
{
    return &segment->footer->facts;
}

uint32_t segment_block_count(const struct segment *segment)
{
    return segment->footer->block_count;
}

const struct segment_block *segment_get_block(const struct segment *segment, uint32_t block)
{
    return &segment->footer->blocks[block];
}

uint32_t segment_column_count(const struct segment *segment)
{
    return segment->footer->name_count;
}

struct slice segment_column_name(const struct segment *segment, uint32_t column)
{
    return segment->footer->names[column];
}

uint64_t segment_bytes_read(const struct segment *segment)
{
    return *segment->bytes_read;
}

const struct chunk *segment_find_chunk(const struct segment *segment, uint32_t block,
                                       struct slice name)
{
    uintptr_t number = (uintptr_t)map_find(&segment->footer->by_name, name);
    const struct segment_block *in = &segment->footer->blocks[block];
    for (uint32_t i = 0; number && i < in->chunk_count; i++)
        if (in->chunks[i].column == number - 1)
            return &in->chunks[i];
    return NULL;
}

int segment_read_stream(const struct segment *segment, const struct chunk_stream *stream,
                        struct arena *arena, struct slice *out, struct err *err)
{
    bool plain = stream->method != STREAM_ZSTD;
    if (plain && stream->raw_len != stream->stored_len)
        return corrupt(segment->path, err, "a stream's lengths differ");
    char *stored = plain ? arena_alloc(arena, (size_t)stream->stored_len + 16)
                         : mem_alloc(stream->stored_len);
    if (!stored)
        return err_nomem(err);
    int result = io_read_all(segment->io, segment->fd, stored, stream->stored_len,
                             (off_t)stream->offset, segment->path, err);
    struct slice bytes = slice_of(stored, stream->stored_len);
    *segment->bytes_read += stream->stored_len;
    if (result == 0 &&
        !same_crc(segment_crc(segment->footer->file_id, stream->offset, bytes), stream->crc))
        result = err_set(err, ERR_CORRUPT, "segment %s: bytes %llu to %llu fail their checksum",
                         segment->path, (unsigned long long)stream->offset,
                         (unsigned long long)stream->offset + stream->stored_len);
    if (plain) {
        if (result == 0)
            memset(stored + stream->stored_len, 0, 16);
        *out = bytes;
        return result;
    }
    if (result == 0)
        result = inflate(segment->path, bytes, stream->raw_len, arena, out, err);
    mem_free(stored);
    return result;
}
