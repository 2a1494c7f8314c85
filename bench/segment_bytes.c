/* Where the bytes of a store are: per column and encoding, by kind of stream. segment_bytes STORE/segments */
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "store/segment.h"

#include <stdio.h>
#include <stdlib.h>

struct total {
    struct slice name;
    uint64_t bytes, raw, values;
    uint64_t by_kind[STREAM_KIND_COUNT];
};

struct totals {
    struct arena *arena;
    struct map map;
    uint64_t footers, rows;
};

static const char *const encodings[CHUNK_ENCODING_COUNT] = {
    "?", "const", "dict", "int", "decimal", "ip4", "text", "values", "skeleton"};

static void add_chunk(struct totals *totals, struct slice column, const struct chunk *chunk)
{
    struct slice key = arena_printf(totals->arena, "%-42.*s %s", SLICE_ARG(column),
                                    encodings[chunk->encoding % CHUNK_ENCODING_COUNT]);
    void **slot = map_slot(&totals->map, key);
    if (!slot)
        exit(1);
    if (!*slot)
        *slot = arena_calloc(totals->arena, sizeof(struct total));
    struct total *total = *slot;
    total->name = key;
    total->values += chunk->count;
    for (uint32_t i = 0; i < chunk->stream_count; i++) {
        total->bytes += chunk->streams[i].stored_len;
        total->raw += chunk->streams[i].raw_len;
        total->by_kind[chunk->streams[i].kind % STREAM_KIND_COUNT] += chunk->streams[i].stored_len;
    }
}

static int add_segment(void *context, const char *path, struct err *err)
{
    struct totals *totals = context;
    struct segment *segment;
    if (segment_open(io_real(), path, NULL, &segment, err) < 0)
        return -1;
    for (uint32_t b = 0; b < segment_block_count(segment); b++) {
        const struct segment_block *block = segment_get_block(segment, b);
        totals->rows += block->row_count;
        for (uint32_t c = 0; c < block->chunk_count; c++)
            add_chunk(totals, segment_column_name(segment, block->chunks[c].column),
                      &block->chunks[c]);
    }
    segment_close(segment);
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    const struct total *x = *(struct total *const *)a, *y = *(struct total *const *)b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

int main(int argc, char **argv)
{
    struct totals totals = {.arena = arena_new(1 * GIB)};
    struct err err;
    map_init(&totals.map, totals.arena);
    if (argc != 2 || file_walk(argv[1], ".segment", add_segment, &totals, &err) < 0) {
        fprintf(stderr, "segment_bytes: %s\n", argc == 2 ? err.text : "name the folder of segments");
        return 1;
    }
    struct total **list = arena_array(totals.arena, totals.map.count + 1, sizeof(*list));
    size_t count = 0, at = 0;
    uint64_t sum = 0;
    for (const struct map_entry *entry; (entry = map_next(&totals.map, &at)) != NULL;)
        sum += (list[count++] = entry->value)->bytes;
    qsort(list, count, sizeof(struct total *), by_bytes);
    printf("%-55s %7s %10s %10s  %s\n", "column, encoding", "b/row", "bytes", "raw",
           "presence codes ints values lengths page filter skeletons");
    for (size_t i = 0; i < count; i++) {
        const uint64_t *k = list[i]->by_kind;
        printf("%-55.*s %7.3f %10llu %10llu  %llu %llu %llu %llu %llu %llu %llu %llu\n",
               SLICE_ARG(list[i]->name), (double)list[i]->bytes / (double)totals.rows,
               (unsigned long long)list[i]->bytes, (unsigned long long)list[i]->raw,
               (unsigned long long)(k[STREAM_PRESENCE_BITS] + k[STREAM_PRESENCE_ROWS] + k[STREAM_COUNTS]),
               (unsigned long long)k[STREAM_CODES], (unsigned long long)k[STREAM_INTS],
               (unsigned long long)k[STREAM_VALUES], (unsigned long long)k[STREAM_LENGTHS],
               (unsigned long long)k[STREAM_PAGE], (unsigned long long)k[STREAM_FILTER],
               (unsigned long long)k[STREAM_SKELETONS]);
    }
    printf("%llu rows, %llu bytes in streams, %.2f a row\n", (unsigned long long)totals.rows,
           (unsigned long long)sum, (double)sum / (double)totals.rows);
    arena_free(totals.arena);
    return 0;
}
