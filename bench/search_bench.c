/*
 * bench/search_bench: searches of a store asked again and again in one open process, as a running
 * service would: CPU milliseconds of the best run of each, opening the store and the program's
 * start not counted.
 *
 *   search_bench STORE [RUNS] < SEARCHES     a line: [FROM TO] SPL, times as epoch seconds
 *
 * HINOMI_BENCH_THREADS: threads that read for a search; 1.
 * HINOMI_BENCH_PART_ROWS: rows from which several of them group (search_options); 0: as usual.
 *
 * Prints a line per search: CPU ms of the first and of the best run, rows of the answer, blocks read
 * of all, bytes read, milliseconds by the clock of the best run.
 */
#include "base/mem.h"
#include "search/parser.h"
#include "search/run.h"
#include "search/store_backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double ms_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const struct err *err)
{
    fprintf(stderr, "search_bench: %s\n", err->text);
    exit(1);
}

static int64_t part_rows_min;

/* The rows of the answer. */
static uint32_t ask(const struct store_backend *backend, struct slice spl, int64_t from_s,
                    int64_t to_s, struct search_progress *progress)
{
    struct err err;
    struct spl_query *query;
    struct search *search = NULL;
    struct search_options options = {.backend = &backend->backend,
                                     .from_ns = from_s * 1000000000,
                                     .to_ns = to_s * 1000000000,
                                     .part_rows_min = part_rows_min};
    struct arena *arena = arena_new(64 * MIB);
    err_clear(&err);
    if (!arena || spl_parse(spl, arena, &query, &err) < 0 ||
        search_new(query, &options, &search, &err) < 0 || search_run(search, &err) < 0)
        fail(&err);
    uint32_t rows = search_result(search)->rows->row_count;
    *progress = search_result(search)->progress;
    search_free(search);
    arena_free(arena);
    return rows;
}

static void measure(const struct store_backend *backend, const char *line, int runs)
{
    int64_t from_s = 0, to_s = 0;
    int used = 0;
    if (sscanf(line, "%" SCNd64 " %" SCNd64 " %n", &from_s, &to_s, &used) < 2)
        used = 0, from_s = to_s = 0;
    struct slice spl = slice_trim(slice_text(line + used));
    double first = 0, best = 0, wall = 0;
    uint32_t rows = 0;
    struct search_progress progress = {0};
    for (int i = 0; i < runs && spl.len; i++) {
        double start = ms_of(CLOCK_PROCESS_CPUTIME_ID), begun = ms_of(CLOCK_MONOTONIC);
        rows = ask(backend, spl, from_s, to_s, &progress);
        double took = ms_of(CLOCK_PROCESS_CPUTIME_ID) - start;
        double waited = ms_of(CLOCK_MONOTONIC) - begun;
        first = i ? first : took;
        best = i && best < took ? best : took;
        wall = i && wall < waited ? wall : waited;
    }
    if (spl.len)
        printf("%.2f %.2f %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.2f\n", first, best, rows,
               progress.blocks - progress.blocks_skipped, progress.blocks, progress.bytes_read, wall);
}

int main(int argc, char **argv)
{
    struct err err;
    struct store *store;
    struct store_backend backend;
    char line[4096];
    err_clear(&err);
    mem_keep_pages();
    if (argc < 2) {
        fprintf(stderr, "usage: search_bench STORE [RUNS] < SEARCHES\n");
        return 2;
    }
    struct store_config config = {.dir = argv[1], .read_only = true};
    if (store_open(&config, &store, &err) < 0)
        fail(&err);
    store_backend_init(&backend, store, clock_real(), NULL);
    if (getenv("HINOMI_BENCH_THREADS"))
        backend.threads = (uint32_t)atoi(getenv("HINOMI_BENCH_THREADS"));
    else
        backend.threads = 1;
    if (getenv("HINOMI_BENCH_PART_ROWS"))
        part_rows_min = atoll(getenv("HINOMI_BENCH_PART_ROWS"));
    while (fgets(line, sizeof(line), stdin))
        measure(&backend, line, argc > 2 ? atoi(argv[2]) : 5);
    store_close(store);
    return 0;
}
