#include "store/segment_writer.h"

#include "base/hash.h"
#include "base/mem.h"
#include "event/schema.h"
#include "store/skeleton.h"
#include "store/bytes.h"
#include "store/segment_format.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <zstd.h>

#define PENDING_FLUSH (4 * MIB)
#define WRITER_BYTES_MAX (512 * MIB)
enum { COMPRESS_FROM = 40 }; /* smaller streams do not gain */

uint32_t segment_crc(uint64_t file_id, uint64_t offset, struct slice bytes)
{
    char place[16];
    bytes_set_le64(place, file_id);
    bytes_set_le64(place + 8, offset);
    return hash_crc32c(hash_crc32c(0, slice_of(place, 16)), bytes);
}

static int open_file(struct segment_writer *writer, const char *path, struct err *err)
{
    writer->fd = writer->io->open(writer->io->context, path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (writer->fd < 0)
        return err_set_errno(err, errno, "cannot create %s", path);
    char header[SEGMENT_HEADER] = {0};
    memcpy(header, SEGMENT_MAGIC, 8);
    bytes_set_le64(header + 8, writer->file_id);
    bytes_set_le32(header + 24, hash_crc32c(0, slice_of(header, 24)));
    buffer_put(&writer->pending, slice_of(header, sizeof(header)));
    return 0;
}

int segment_writer_open(struct segment_writer *writer, const struct hin_io *io, const char *path,
                        uint64_t file_id, int level, struct err *err)
{
    *writer = (struct segment_writer){.io = io, .fd = -1, .level = level, .file_id = file_id};
    buffer_init(&writer->pending, WRITER_BYTES_MAX);
    buffer_init(&writer->scratch, WRITER_BYTES_MAX);
    buffer_init(&writer->packed, WRITER_BYTES_MAX);
    writer->path = mem_strdup(path, strlen(path));
    writer->arena = arena_new(WRITER_BYTES_MAX);
    writer->work = arena_new(WRITER_BYTES_MAX);
    writer->zstd = ZSTD_createCCtx();
    if (!writer->path || !writer->arena || !writer->work || !writer->zstd) {
        segment_writer_abort(writer);
        return err_nomem(err);
    }
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, level);
    map_init(&writer->names, writer->arena);
    if (open_file(writer, path, err) < 0) {
        segment_writer_abort(writer);
        return -1;
    }
    return 0;
}

static void release(struct segment_writer *writer)
{
    buffer_close(&writer->pending);
    buffer_close(&writer->scratch);
    buffer_close(&writer->packed);
    arena_free(writer->arena);
    arena_free(writer->work);
    ZSTD_freeCCtx(writer->zstd);
    mem_free(writer->path);
    *writer = (struct segment_writer){.fd = -1};
}

void segment_writer_abort(struct segment_writer *writer)
{
    if (writer->fd >= 0) {
        writer->io->close(writer->io->context, writer->fd);
        writer->io->unlink(writer->io->context, writer->path); /* else the next open removes it */
    }
    release(writer);
}

static int flush(struct segment_writer *writer, struct err *err)
{
    if (buffer_failed(&writer->pending) || buffer_failed(&writer->scratch) ||
        buffer_failed(&writer->packed))
        return err_nomem(err);
    if (io_write_all(writer->io, writer->fd, buffer_slice(&writer->pending),
                     (off_t)writer->written, writer->path, err) < 0)
        return -1;
    writer->written += writer->pending.len;
    buffer_clear(&writer->pending);
    return 0;
}

/* Room for one more; everything lives in the writer's arena. */
static void *grow(struct segment_writer *writer, void *old, uint32_t count, uint32_t *size,
                  uint32_t first, size_t width)
{
    if (count < *size)
        return old;
    uint32_t next = *size ? *size * 2 : first;
    void *fresh = arena_grow(writer->arena, old, count * width, next * width);
    if (fresh)
        *size = next;
    return fresh;
}

static struct segment_block *new_block(struct segment_writer *writer)
{
    struct segment_block *blocks = grow(writer, writer->blocks, writer->block_count,
                                        &writer->block_size, 16, sizeof(*blocks));
    if (!blocks)
        return NULL;
    writer->blocks = blocks;
    writer->chunk_size = 0;
    return &blocks[writer->block_count++];
}

int segment_writer_begin_block(struct segment_writer *writer, uint32_t row_count,
                               const int64_t *time_ns, const uint64_t *seq, struct err *err)
{
    assert(row_count > 0 && row_count <= BLOCK_ROWS_MAX);
    struct segment_block *block = new_block(writer);
    if (!block)
        return err_nomem(err);
    *block = (struct segment_block){.row_count = row_count,
                                    .time_min = INT64_MAX,
                                    .time_max = INT64_MIN,
                                    .seq_min = UINT64_MAX};
    for (uint32_t i = 0; i < row_count; i++) {
        block->time_min = time_ns[i] < block->time_min ? time_ns[i] : block->time_min;
        block->time_max = time_ns[i] > block->time_max ? time_ns[i] : block->time_max;
        block->seq_min = seq[i] < block->seq_min ? seq[i] : block->seq_min;
        block->seq_max = seq[i] > block->seq_max ? seq[i] : block->seq_max;
    }
    return 0;
}

int segment_writer_know(struct segment_writer *writer, struct slice name, uint32_t *index,
                        struct err *err)
{
    uintptr_t known = (uintptr_t)map_find(&writer->names, name);
    if (known) {
        *index = (uint32_t)known - 1;
        return 0;
    }
    if (writer->name_count >= SEGMENT_COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "a segment has at most %d columns", (int)SEGMENT_COLUMNS_MAX);
    struct slice copy = arena_copy(writer->arena, name);
    struct slice *names = grow(writer, writer->name_list, writer->name_count, &writer->name_size,
                               64, sizeof(*names));
    uintptr_t number = (uintptr_t)writer->name_count + 1;
    if (!copy.ptr || !names || map_put(&writer->names, copy, (void *)number) < 0)
        return err_nomem(err);
    writer->name_list = names;
    *index = writer->name_count;
    names[writer->name_count++] = copy;
    return 0;
}

int segment_writer_copy_block(struct segment_writer *writer, const struct segment_block *like,
                              struct err *err)
{
    struct segment_block *block = new_block(writer);
    if (!block)
        return err_nomem(err);
    *block = *like;
    block->chunks = NULL;
    block->chunk_count = 0;
    return 0;
}

int segment_writer_begin_chunk(struct segment_writer *writer, struct slice name,
                               const struct chunk *like, uint32_t *column, struct err *err)
{
    struct segment_block *block = &writer->blocks[writer->block_count - 1];
    if (segment_writer_know(writer, name, column, err) < 0)
        return -1;
    struct chunk *chunks = grow(writer, block->chunks, block->chunk_count, &writer->chunk_size, 64,
                                sizeof(*chunks));
    if (!chunks)
        return err_nomem(err);
    block->chunks = chunks;
    writer->chunk = *like;
    writer->chunk.column = *column;
    writer->chunk.streams = NULL;
    writer->chunk.stream_count = 0;
    writer->stream_size = 0;
    return 0;
}

int segment_writer_end_chunk(struct segment_writer *writer, struct err *err)
{
    struct segment_block *block = &writer->blocks[writer->block_count - 1];
    block->chunks[block->chunk_count++] = writer->chunk;
    if (writer->pending.len >= PENDING_FLUSH || buffer_failed(&writer->pending) ||
        buffer_failed(&writer->scratch) || buffer_failed(&writer->packed))
        return flush(writer, err);
    return 0;
}

int segment_writer_add(struct segment_writer *writer, struct slice name,
                       const struct chunk_input *input, struct err *err)
{
    struct chunk chunk = {.count = input->count, .types_seen = input->types_seen};
    if (segment_writer_begin_chunk(writer, name, &chunk, &chunk.column, err) < 0)
        return -1;
    arena_reset(writer->work);
    chunk_encode(writer, &writer->chunk, input);
    if (input->refs && slice_equal(name, FIELD_ORIGINAL)) /* the last column: all words are known */
        chunk_put_words(writer, input->refs->words);
    return segment_writer_end_chunk(writer, err);
}

void segment_writer_put_ready(struct segment_writer *writer, enum stream_kind kind,
                              enum stream_method method, uint8_t width, uint32_t raw_len,
                              struct slice stored)
{
    struct chunk *chunk = &writer->chunk;
    struct chunk_stream *streams = grow(writer, chunk->streams, chunk->stream_count,
                                        &writer->stream_size, 4, sizeof(*streams));
    if (!streams || stored.len > CHUNK_STREAM_RAW_MAX || chunk->stream_count >= CHUNK_STREAMS_MAX) {
        writer->pending.failed = true;
        return;
    }
    uint64_t offset = writer->written + writer->pending.len;
    chunk->streams = streams;
    streams[chunk->stream_count++] = (struct chunk_stream){
        .kind = (uint8_t)kind,
        .method = (uint8_t)method,
        .width = width,
        .raw_len = raw_len,
        .stored_len = (uint32_t)stored.len,
        .crc = segment_crc(writer->file_id, offset, stored),
        .offset = offset,
    };
    buffer_put(&writer->pending, stored);
}

void segment_writer_put_stream(struct segment_writer *writer, enum stream_kind kind, uint8_t width,
                               struct slice raw)
{
    size_t bound = ZSTD_compressBound(raw.len);
    buffer_clear(&writer->packed);
    char *room = raw.len >= COMPRESS_FROM ? buffer_reserve(&writer->packed, bound) : NULL;
    size_t len = room ? ZSTD_compress2(writer->zstd, room, bound, raw.ptr, raw.len) : raw.len;
    if (room && !ZSTD_isError(len) && len < raw.len - raw.len / 16)
        segment_writer_put_ready(writer, kind, STREAM_ZSTD, width, (uint32_t)raw.len,
                                 slice_of(room, len));
    else
        segment_writer_put_ready(writer, kind, STREAM_PLAIN, width, (uint32_t)raw.len, raw);
}

/* ---- footer ----------------------------------------------------------------------------- */

static void put_chunk(struct buffer *to, const struct chunk *chunk)
{
    buffer_put_varint(to, chunk->column);
    buffer_put_char(to, (char)chunk->encoding);
    buffer_put_char(to, (char)chunk->type);
    buffer_put_char(to, (char)chunk->flags);
    buffer_put_varint(to, chunk->types_seen);
    buffer_put_varint(to, chunk->count);
    buffer_put_varint(to, chunk->row_count);
    if (chunk->flags & CHUNK_HAS_RANGE) {
        buffer_put_varint(to, bytes_zigzag(chunk->low));
        buffer_put_varint(to, bytes_zigzag(chunk->high));
    }
    buffer_put_varint(to, chunk->stream_count);
    for (uint32_t i = 0; i < chunk->stream_count; i++) {
        const struct chunk_stream *stream = &chunk->streams[i];
        buffer_put_char(to, (char)stream->kind);
        buffer_put_char(to, (char)stream->method);
        buffer_put_char(to, (char)stream->width);
        buffer_put_varint(to, stream->raw_len);
        buffer_put_varint(to, stream->stored_len);
        buffer_put_le32(to, stream->crc);
    }
}

static void put_block(struct buffer *to, const struct segment_block *block)
{
    buffer_put_varint(to, block->row_count);
    buffer_put_le64(to, (uint64_t)block->time_min);
    buffer_put_le64(to, (uint64_t)block->time_max);
    buffer_put_varint(to, block->seq_min);
    buffer_put_varint(to, block->seq_max);
    buffer_put_varint(to, block->raw_bytes);
    buffer_put_varint(to, block->chunk_count);
    buffer_put_varint(to, block->chunk_count ? block->chunks[0].streams[0].offset : 0);
    for (uint32_t i = 0; i < block->chunk_count; i++)
        put_chunk(to, &block->chunks[i]);
}

static void put_footer(struct segment_writer *writer, const struct segment_facts *facts,
                       struct buffer *to)
{
    buffer_put_varint(to, facts->stream.len);
    buffer_put(to, facts->stream);
    buffer_put_varint(to, bytes_zigzag(facts->day));
    buffer_put_varint(to, facts->covered);
    buffer_put_varint(to, writer->name_count);
    for (uint32_t i = 0; i < writer->name_count; i++) {
        buffer_put_varint(to, writer->name_list[i].len);
        buffer_put(to, writer->name_list[i]);
    }
    buffer_put_varint(to, writer->block_count);
    for (uint32_t i = 0; i < writer->block_count; i++)
        put_block(to, &writer->blocks[i]);
}

static void put_trailer(struct segment_writer *writer, struct slice stored, size_t raw_len)
{
    char trailer[SEGMENT_TRAILER];
    uint64_t offset = writer->written + writer->pending.len;
    bytes_set_le64(trailer, offset);
    bytes_set_le32(trailer + 8, (uint32_t)stored.len);
    bytes_set_le32(trailer + 12, (uint32_t)raw_len);
    bytes_set_le32(trailer + 16, segment_crc(writer->file_id, offset, stored));
    bytes_set_le32(trailer + 20, SEGMENT_VERSION);
    bytes_set_le32(trailer + 24, segment_crc(writer->file_id, 0, slice_of(trailer, 24)));
    memcpy(trailer + 28, SEGMENT_END_MAGIC, 4);
    buffer_put(&writer->pending, stored);
    buffer_put(&writer->pending, slice_of(trailer, sizeof(trailer)));
}

static int write_footer(struct segment_writer *writer, const struct segment_facts *facts,
                        struct err *err)
{
    buffer_clear(&writer->scratch);
    buffer_clear(&writer->packed);
    put_footer(writer, facts, &writer->scratch);
    size_t bound = ZSTD_compressBound(writer->scratch.len);
    char *room = buffer_reserve(&writer->packed, bound);
    if (!room || buffer_failed(&writer->scratch) || writer->scratch.len > SEGMENT_FOOTER_MAX)
        return err_nomem(err);
    size_t len = ZSTD_compress2(writer->zstd, room, bound, writer->scratch.ptr, writer->scratch.len);
    if (ZSTD_isError(len))
        return err_set(err, ERR_NOMEM, "cannot compress a footer: %s", ZSTD_getErrorName(len));
    put_trailer(writer, slice_of(room, len), writer->scratch.len);
    return flush(writer, err);
}

static void summarise(const struct segment_writer *writer, struct segment_summary *out)
{
    *out = (struct segment_summary){.file_id = writer->file_id,
                                    .blocks = writer->block_count,
                                    .time_min = INT64_MAX,
                                    .time_max = INT64_MIN,
                                    .seq_min = UINT64_MAX,
                                    .bytes = writer->written};
    for (uint32_t i = 0; i < writer->block_count; i++) {
        const struct segment_block *block = &writer->blocks[i];
        out->rows += block->row_count;
        out->raw_bytes += block->raw_bytes;
        out->time_min = block->time_min < out->time_min ? block->time_min : out->time_min;
        out->time_max = block->time_max > out->time_max ? block->time_max : out->time_max;
        out->seq_min = block->seq_min < out->seq_min ? block->seq_min : out->seq_min;
        out->seq_max = block->seq_max > out->seq_max ? block->seq_max : out->seq_max;
    }
}

int segment_writer_finish(struct segment_writer *writer, const struct segment_facts *facts,
                          struct segment_summary *out, struct err *err)
{
    if (write_footer(writer, facts, err) < 0) {
        segment_writer_abort(writer);
        return -1;
    }
    if (writer->io->fdatasync(writer->io->context, writer->fd) < 0) {
        err_set_errno(err, errno, "cannot make %s durable", writer->path);
        segment_writer_abort(writer);
        return -1;
    }
    summarise(writer, out);
    int fd = writer->fd;
    writer->fd = -1;
    int result = writer->io->close(writer->io->context, fd) < 0
                     ? err_set_errno(err, errno, "cannot close %s", writer->path)
                     : 0;
    release(writer);
    return result;
}
