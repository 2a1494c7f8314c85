/*
 * Bytes as a segment file: every column of every block is decoded, whole, thinned out and as
 * codes. Checksums and compression stand in front of the decoders: a build with
 * -DHINOMI_FUZZ_NO_CRC lets wrong checksums pass, so that a fuzzer gets behind them.
 */
#include "base/hash.h"
#include "store/block.h"
#include "store/skeleton_find.h"
#include "store/words.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory_file {
    const uint8_t *data;
    size_t size;
};

static int memory_open(void *context, const char *path, int flags, mode_t mode)
{
    (void)context;
    (void)path;
    (void)flags;
    (void)mode;
    return 3;
}

static int memory_close(void *context, int fd)
{
    (void)context;
    (void)fd;
    return 0;
}

static ssize_t memory_pread(void *context, int fd, void *to, size_t len, off_t at)
{
    const struct memory_file *file = context;
    (void)fd;
    if (at < 0 || (size_t)at >= file->size)
        return 0;
    if (len > file->size - (size_t)at)
        len = file->size - (size_t)at;
    memcpy(to, file->data + at, len);
    return (ssize_t)len;
}

static off_t memory_size(void *context, int fd)
{
    (void)fd;
    return (off_t)((const struct memory_file *)context)->size;
}

/* A row that has the text is among those that may. */
static void find_texts(const struct segment *segment, uint32_t b, const struct chunk *chunk,
                       struct arena *arena)
{
    static const char *const texts[] = {"get /", "0x1", "198.18", "\\n", "404"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct needle needle = {slice_text(texts[i]), i % 2};
        struct segment_column column, whole;
        segment_column_init(&column, segment, b, chunk);
        whole = column;
        uint64_t *rows = arena_calloc(arena, bits_words(column.block_rows) * 8);
        if (!rows || skeleton_find(&column, &needle, NULL, rows, arena, NULL) < 0 ||
            segment_load_values(&whole, NULL, arena, NULL) < 0)
            continue;
        for (uint32_t k = 0; k < whole.count; k++)
            assert(slice_find(value_slice(whole.values[k]), needle.text) < 0 ||
                   bits_get(rows, whole.rows[k]));
    }
    (void)words_may_have(segment_words(segment, b, arena), SLICE("get"));
}


static void read_block(const struct segment *segment, uint32_t b)
{
    struct arena *arena = arena_new(64 * 1024 * 1024);
    const struct segment_block *block = segment_get_block(segment, b);
    uint64_t *some = arena_calloc(arena, bits_words(block->row_count) * 8);
    struct err err;
    for (uint32_t i = 0; i < block->row_count; i += 3)
        bits_set(some, i);
    for (uint32_t i = 0; i < block->chunk_count; i++) {
        struct slice name = segment_column_name(segment, block->chunks[i].column);
        for (int pass = 0; pass < 3; pass++) {
            struct batch *batch = block_batch_new(arena, block->row_count);
            struct segment_column column;
            segment_column_init(&column, segment, b, &block->chunks[i]);
            if (!batch || block_put_column(batch, name, &column, pass == 1 ? some : NULL,
                                           pass == 2, &err) < 0)
                continue;
            const struct column *got = batch_find(batch, name);
            for (uint32_t k = 0; k < got->count; k++) {
                assert(got->rows[k] < block->row_count);
                assert(k == 0 || got->rows[k] >= got->rows[k - 1]);
                struct value v = column_value(got, k);
                char small[VALUE_TEXT_SIZE];
                struct slice text = value_text_small(v, small);
                assert(v.type == VALUE_NULL || hash_bytes(text) | 1);
            }
        }
        if (block->chunks[i].encoding == CHUNK_SKELETON)
            find_texts(segment, b, &block->chunks[i], arena);
        arena_reset(arena);
        some = arena_calloc(arena, bits_words(block->row_count) * 8);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_file file = {data, size};
    struct hin_io io = {.open = memory_open,
                        .close = memory_close,
                        .pread = memory_pread,
                        .size = memory_size,
                        .context = &file};
    struct segment *segment;
    struct err err;
    if (segment_open(&io, "fuzz", NULL, &segment, &err) == 0) {
        for (uint32_t b = 0; b < segment_block_count(segment) && b < 64; b++)
            read_block(segment, b);
        segment_close(segment);
    }
    return 0;
}
