/*
 * What keeping costs beside loading: events of a file are decoded and sealed ROWS at a time, as a quiet
 * server does, and merged as they come; then the day is over, and the rest is merged. CPU, bytes, files
 * and how often a row was written; then what packing at several levels of zstd would cost and save.
 *
 *   bench_keep DECODERS FILE DIR [ROWS] [STREAMS] [LEVEL]
 */
#include "bench_usage.h"
#include "base/file.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "store/segment_pack.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct bench {
    struct store *store;
    struct clock_manual clock;
    struct origin *origins;
    uint32_t stream_count;
    uint64_t seq, rows_per_seal;
    double load, merge;
};

static void stop(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void merge(struct bench *bench)
{
    struct err err;
    double start = cpu_seconds();
    int done = 1;
    while (done == 1)
        done = store_merge(bench->store, &err);
    if (done < 0)
        stop(&err);
    bench->merge += cpu_seconds() - start;
}

/* All events on one day: their own spread is not what is measured. */
static void store_batch(struct bench *bench, struct batch *batch)
{
    struct err err;
    for (uint32_t i = 0; i < batch->row_count; i++) {
        batch->rows[i].time_ns = bench->clock.wall_ns + (int64_t)bench->seq * 1000;
        batch->rows[i].seq = ++bench->seq;
        batch->rows[i].origin = &bench->origins[bench->seq % bench->stream_count];
    }
    double start = cpu_seconds();
    if (batch_finish(batch) < 0 || store_append(bench->store, batch, &err) < 0)
        stop(&err);
    bench->load += cpu_seconds() - start;
}

/* One seal's worth of lines. */
static struct slice cut_lines(struct slice *text, uint64_t lines)
{
    size_t len = 0;
    for (uint64_t i = 0; i < lines && len < text->len; i++) {
        const char *end = memchr(text->ptr + len, '\n', text->len - len);
        len = end ? (size_t)(end - text->ptr) + 1 : text->len;
    }
    struct slice part = slice_sub(*text, 0, len);
    *text = slice_from(*text, len);
    return part;
}

static void load_part(struct bench *bench, struct decode *decode, struct slice text,
                      struct batch *batch)
{
    struct err err;
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text};
    struct decode_place place = {0};
    int more = 1;
    delivery.origin.source = SLICE("bench");
    delivery.received_ns = bench->clock.wall_ns;
    while (more) {
        double start = cpu_seconds();
        more = decode_delivery(decode, &delivery, &place, batch, &err);
        if (more < 0)
            stop(&err);
        bench->load += cpu_seconds() - start;
        store_batch(bench, batch);
        batch_reset(batch);
    }
    double start = cpu_seconds();
    if (store_flush(bench->store, &err) < 0)
        stop(&err);
    bench->load += cpu_seconds() - start;
}

static void load(struct bench *bench, struct decode *decode, struct slice text)
{
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    while (batch && text.len) {
        load_part(bench, decode, cut_lines(&text, bench->rows_per_seal), batch);
        merge(bench);
    }
    batch_free(batch);
}

static void report(struct bench *bench, const char *when)
{
    struct store_stats s;
    store_stats(bench->store, &s);
    printf("%-22s %8.2f CPU-s loading %8.2f merging  %6llu files  %11llu bytes  each row rewritten %.2f "
           "times\n", when, bench->load, bench->merge, (unsigned long long)s.segments,
           (unsigned long long)s.segment_bytes, (double)s.merged_rows / (double)s.segment_rows);
}

struct paths {
    struct arena *arena;
    const char *list[4096];
    size_t count;
    uint64_t bytes;
};

static int add_path(void *context, const char *path, struct err *err)
{
    struct paths *paths = context;
    (void)err;
    if (paths->count < ARRAY_COUNT(paths->list))
        paths->list[paths->count++] = arena_string(paths->arena, slice_text(path));
    return 0;
}

/* To a file beside the store, which is removed again. */
static void pack(const char *dir, struct paths *paths, int level)
{
    char to[4096];
    struct segment_summary summary;
    struct segment_facts facts;
    struct segment_writer writer;
    struct err err;
    uint64_t bytes = 0, files = 0;
    double start = cpu_seconds();
    snprintf(to, sizeof(to), "%.4000s/packed", dir);
    for (size_t i = 0, taken; i < paths->count; i += taken, files++) {
        struct arena *arena = arena_new(GIB);
        if (segment_writer_open(&writer, io_real(), to, 1, level, &err) < 0 ||
            segment_pack(&writer, paths->list + i, paths->count - i, &taken, &facts, arena, &err) < 0 ||
            segment_writer_finish(&writer, &facts, &summary, &err) < 0)
            stop(&err);
        bytes += summary.bytes;
        arena_free(arena);
    }
    printf("pack, zstd %-11d %8.2f CPU-s  %6llu files  %11llu bytes\n", level, cpu_seconds() - start,
           (unsigned long long)files, (unsigned long long)bytes);
    unlink(to);
}

static void pack_levels(const char *dir)
{
    static const int levels[] = {1, 3, 4, 5, 6, 7, 9, 12, 15};
    static struct paths paths;
    char segments[4096];
    struct err err;
    snprintf(segments, sizeof(segments), "%.4000s/segments", dir);
    paths.arena = arena_new(16 * MIB);
    if (!paths.arena || file_walk(segments, ".segment", add_path, &paths, &err) < 0)
        stop(&err);
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
        pack(dir, &paths, levels[i]);
    arena_free(paths.arena);
}

int main(int argc, char **argv)
{
    struct err err;
    struct bench bench = {.rows_per_seal = 1000, .stream_count = 1};
    struct decoders *decoders;
    struct slice text;
    char names[256][16];
    struct arena *arena = arena_new(4 * GIB);
    if (argc < 4) {
        fprintf(stderr, "usage: %s DECODERS FILE DIR [ROWS] [STREAMS] [LEVEL]\n", argv[0]);
        return 2;
    }
    if (argc > 4)
        bench.rows_per_seal = strtoull(argv[4], NULL, 10);
    if (argc > 5)
        bench.stream_count = (uint32_t)strtoul(argv[5], NULL, 10) % 256;
    clock_manual_init(&bench.clock, INT64_C(1767225600) * NS_PER_SECOND);
    struct store_config config = {.dir = argv[3], .clock = &bench.clock.clock, .no_background = true,
                                  .pack_level = argc > 6 ? (int)strtol(argv[6], NULL, 10) : 0};
    if (!arena || !bench.stream_count || decoders_load(argv[1], NULL, &decoders, &err) < 0 ||
        file_read(argv[2], 4 * GIB - MIB, arena, &text, &err) < 0 ||
        store_open(&config, &bench.store, &err) < 0)
        stop(&err);
    bench.origins = arena_calloc(arena, bench.stream_count * sizeof(*bench.origins));
    for (uint32_t i = 0; i < bench.stream_count; i++) {
        snprintf(names[i], sizeof(names[i]), "s%u", i);
        bench.origins[i] = (struct origin){.source = SLICE("bench"), .stream = slice_text(names[i])};
    }
    struct decode *decode = decode_new(decoders);
    load(&bench, decode, text);
    report(&bench, "as it came");
    clock_manual_advance(&bench.clock, NS_PER_DAY);
    merge(&bench);
    report(&bench, "when the day is over");
    if (argc <= 7)
        pack_levels(argv[3]);
    store_close(bench.store);
    decode_free(decode);
    decoders_free(decoders);
    arena_free(arena);
    return 0;
}
