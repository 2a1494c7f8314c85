/*
 * Events per CPU-second of decoding alone: lines to finished batches.
 *
 *   decode_bench DECODERS FILE [ROUNDS]
 */
#include "bench_lines.h"
#include "bench_usage.h"
#include "base/file.h"
#include "base/mem.h"
#include "decode/decode.h"

#include <stdio.h>
#include <stdlib.h>

static int decode_file(struct decode *decode, struct slice text, struct batch *batch,
                       struct err *err)
{
    struct delivery delivery = bench_lines(text);
    struct decode_place place = {0};
    int more;
    do {
        more = decode_delivery(decode, &delivery, &place, batch, err);
        if (more < 0 || decode_finish(batch, err) < 0)
            return -1;
        batch_reset(batch);
    } while (more);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    struct decoders *decoders;
    struct slice text;
    mem_keep_pages(); /* as the program does */
    struct arena *arena = arena_new(4 * GIB);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    if (batch)
        arena_use_huge_pages(batch->arena);
    long rounds = argc > 3 ? strtol(argv[3], NULL, 10) : 3;
    if (argc < 3) {
        fprintf(stderr, "usage: %s DECODERS FILE [ROUNDS]\n", argv[0]);
        return 2;
    }
    if (!arena || !batch || decoders_load(argv[1], NULL, &decoders, &err) < 0 ||
        file_read(argv[2], 4 * GIB - MIB, arena, &text, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct decode *decode = decode_new(decoders);
    double start = cpu_seconds();
    for (long i = 0; i < rounds; i++)
        if (!decode || decode_file(decode, text, batch, &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    double seconds = cpu_seconds() - start;
    const struct decode_counts *counts = decode_counts(decode);
    double events = (double)counts->events;
    printf("%.0f events, %.0f not understood, %.0f errors, %.3f CPU-s, %.0f events/CPU-s, "
           "%.0f ns/event, %.1f MB/s\n",
           events, (double)counts->not_understood, (double)counts->errors, seconds,
           events / seconds, seconds / events * 1e9,
           (double)text.len * (double)rounds / seconds / 1e6);
    decode_free(decode);
    decoders_free(decoders);
    batch_free(batch);
    arena_free(arena);
    return 0;
}
