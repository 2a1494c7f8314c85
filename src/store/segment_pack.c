#include "store/segment_pack.h"

#define WORK_MAX (512 * MIB)

/* What did not gain at the lower level is left as it is. */
static int copy_stream(struct segment_writer *writer, const struct segment *segment,
                       const struct chunk_stream *stream, struct arena *work, struct err *err)
{
    struct slice raw;
    arena_reset(work);
    if (segment_read_stream(segment, stream, work, &raw, err) < 0)
        return -1;
    if (stream->method == STREAM_ZSTD)
        segment_writer_put_stream(writer, stream->kind, stream->width, raw);
    else
        segment_writer_put_ready(writer, stream->kind, stream->method, stream->width,
                                 stream->raw_len, raw);
    return 0;
}

static int copy_chunk(struct segment_writer *writer, const struct segment *segment,
                      const struct chunk *chunk, struct arena *work, struct err *err)
{
    uint32_t column;
    if (segment_writer_begin_chunk(writer, segment_column_name(segment, chunk->column), chunk,
                                   &column, err) < 0)
        return -1;
    if (column != chunk->column)
        return err_set(err, ERR_CORRUPT, "the columns of a segment are not numbered in order");
    for (uint32_t i = 0; i < chunk->stream_count; i++)
        if (copy_stream(writer, segment, &chunk->streams[i], work, err) < 0)
            return -1;
    return segment_writer_end_chunk(writer, err);
}

/* Names the writer knows have the same numbers in the segment, and the others follow behind. */
static bool agrees(const struct segment_writer *writer, const struct segment *segment)
{
    uint32_t columns = segment_column_count(segment);
    for (uint32_t i = 0; i < columns; i++) {
        uintptr_t number = (uintptr_t)map_find(&writer->names, segment_column_name(segment, i));
        if (i < writer->name_count ? number != (uintptr_t)i + 1 : number != 0)
            return false;
    }
    return true;
}

static int copy_segment(struct segment_writer *writer, const struct segment *segment,
                        struct arena *work, struct err *err)
{
    uint32_t column;
    for (uint32_t i = 0; i < segment_column_count(segment); i++)
        if (segment_writer_know(writer, segment_column_name(segment, i), &column, err) < 0)
            return -1;
    for (uint32_t b = 0; b < segment_block_count(segment); b++) {
        const struct segment_block *block = segment_get_block(segment, b);
        if (segment_writer_copy_block(writer, block, err) < 0)
            return -1;
        for (uint32_t i = 0; i < block->chunk_count; i++)
            if (copy_chunk(writer, segment, &block->chunks[i], work, err) < 0)
                return -1;
    }
    return 0;
}

/* 1 when it was taken, 0 when its columns do not fit. */
static int add_segment(struct segment_writer *writer, const char *path, struct segment_facts *facts,
                       bool first, struct arena *arena, struct arena *work, struct err *err)
{
    struct segment *segment;
    if (segment_open(writer->io, path, NULL, &segment, err) < 0)
        return -1;
    int result = 0;
    if (agrees(writer, segment))
        result = copy_segment(writer, segment, work, err) < 0 ? -1 : 1;
    if (first) {
        *facts = *segment_get_facts(segment);
        facts->stream = arena_copy(arena, facts->stream);
        if (!facts->stream.ptr)
            result = err_nomem(err);
    } else if (result == 1 && segment_get_facts(segment)->covered > facts->covered) {
        facts->covered = segment_get_facts(segment)->covered;
    }
    segment_close(segment);
    return result;
}

int segment_pack(struct segment_writer *writer, const char *const *paths, size_t count,
                 size_t *taken, struct segment_facts *facts, struct arena *arena, struct err *err)
{
    struct arena *work = arena_new(WORK_MAX);
    int result = work ? 1 : err_nomem(err);
    *taken = 0;
    while (result == 1 && *taken < count) {
        result = add_segment(writer, paths[*taken], facts, *taken == 0, arena, work, err);
        *taken += result == 1;
    }
    arena_free(work);
    return result < 0 ? -1 : 0;
}
