#include "store/segment_verify.h"

#include "base/limits.h"
#include "store/bytes.h"
#include "store/segment.h"
#include "store/segment_format.h"

#include <errno.h>
#include <fcntl.h>

#define STREAM_ARENA_MAX (2 * CHUNK_STREAM_RAW_MAX + MIB)

struct verifying {
    const struct segment *segment;
    struct segment_verifier *verifier;
    struct arena *arena; /* of one stream */
};

static void report(struct verifying *v, uint32_t number, const struct chunk *chunk,
                   const struct chunk_stream *stream, const char *reason)
{
    const struct segment_block *block = segment_get_block(v->segment, number);
    struct segment_damage damage = {
        .block = number,
        .column = chunk ? segment_column_name(v->segment, chunk->column) : SLICE(""),
        .from = stream->offset,
        .to = stream->offset + stream->stored_len,
        .time_min = block->time_min,
        .time_max = block->time_max,
        .rows = block->row_count,
        .reason = reason,
    };
    v->verifier->damages++;
    if (v->verifier->damaged)
        v->verifier->damaged(v->verifier->context, &damage);
}

/* Streams stand one behind the other; expected is where the next must begin. */
static int verify_chunk(struct verifying *v, uint32_t number, const struct chunk *chunk,
                        uint64_t *expected, struct err *err)
{
    for (uint32_t i = 0; i < chunk->stream_count; i++) {
        const struct chunk_stream *stream = &chunk->streams[i];
        struct slice bytes;
        struct err why;
        if (stream->offset != *expected)
            report(v, number, chunk, stream, "it does not follow the stream before it");
        *expected = stream->offset + stream->stored_len;
        v->verifier->streams++;
        v->verifier->bytes += stream->stored_len;
        arena_reset(v->arena);
        if (segment_read_stream(v->segment, stream, v->arena, &bytes, &why) == 0)
            continue;
        if (why.code == ERR_NOMEM) {
            *err = why;
            return -1;
        }
        report(v, number, chunk, stream, why.text);
    }
    return 0;
}

static int verify_blocks(struct verifying *v, struct err *err)
{
    uint64_t expected = SEGMENT_HEADER;
    for (uint32_t number = 0; number < segment_block_count(v->segment); number++) {
        const struct segment_block *block = segment_get_block(v->segment, number);
        for (uint32_t i = 0; i < block->chunk_count; i++)
            if (verify_chunk(v, number, &block->chunks[i], &expected, err) < 0)
                return -1;
    }
    return 0;
}

/* A whole file in the wrong place is damage, too. */
static int same_as_named(const struct segment *segment, const struct segment_info *info,
                         const char *path, struct err *err)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < segment_block_count(segment); i++)
        rows += segment_get_block(segment, i)->row_count;
    const struct segment_facts *facts = segment_get_facts(segment);
    if (segment_file_id(segment) == info->file_id && rows == info->rows &&
        segment_block_count(segment) == info->blocks && facts->day == info->day &&
        slice_equal(facts->stream, info->stream))
        return 0;
    return err_set(err, ERR_CORRUPT, "segment %s is not the file that the manifest means", path);
}

/* What no checksum covers: the size, and the zeros that end the header. */
static int check_outside(const struct hin_io *io, int fd, const char *path,
                         const struct segment_info *info, struct err *err)
{
    char zeros[4];
    off_t size = io->size(io->context, fd);
    if (size < 0)
        return err_set_errno(err, errno, "cannot ask for the size of %s", path);
    if ((uint64_t)size != info->bytes)
        return err_set(err, ERR_CORRUPT, "segment %s has %lld bytes instead of %llu", path,
                       (long long)size, (unsigned long long)info->bytes);
    if (io_read_all(io, fd, zeros, sizeof(zeros), SEGMENT_HEADER - 4, path, err) < 0)
        return -1;
    if (bytes_get_le32(zeros) != 0)
        return err_set(err, ERR_CORRUPT, "segment %s: bytes %d to %d are no zeros (its events are "
                                         "not touched by that)",
                       path, SEGMENT_HEADER - 4, SEGMENT_HEADER);
    return 0;
}

static int check_file(const struct hin_io *io, const char *path, const struct segment_info *info,
                      struct err *err)
{
    int fd = io->open(io->context, path, O_RDONLY, 0);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "segment %s is missing (%llu events)", path,
                       (unsigned long long)info->rows);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    int result = check_outside(io, fd, path, info, err);
    io->close(io->context, fd);
    return result;
}

int segment_verify(const struct hin_io *io, const char *path, const struct segment_info *info,
                   struct segment_verifier *verifier, struct err *err)
{
    struct segment *segment = NULL;
    struct arena *work = arena_new(STREAM_ARENA_MAX);
    int result = work ? check_file(io, path, info, err) : err_nomem(err);
    if (result == 0)
        result = segment_open(io, path, NULL, &segment, err);
    if (result == 0)
        result = same_as_named(segment, info, path, err);
    if (result == 0) {
        struct verifying v = {segment, verifier, work};
        result = verify_blocks(&v, err);
    }
    segment_close(segment);
    arena_free(work);
    return result;
}
