/*
 * bench/parse_bench: how long the text of a search takes to become a query, in CPU time of the
 * thread, the best of some runs each.
 *
 *   parse_bench [RUNS] < SEARCHES      a search a line (bench/parse.py)
 *
 * Prints the number of searches, those refused, the median, the 99th percentile and the worst in
 * microseconds, and the bytes and the line number of the worst.
 */
#include "search/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINES_MAX = 1 << 20 };

struct timed {
    double us;
    size_t line, bytes;
};

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    return (x->us > y->us) - (x->us < y->us);
}

/* False: it is no search. Memory for the query is made and freed with it, as for a request. */
static bool measure(struct slice text, int runs, struct timed *out)
{
    static const struct spl_options options = {.keep_macros = true};
    bool fine = true;
    for (int i = 0; i < runs; i++) {
        struct spl_query *query;
        struct err err;
        err_clear(&err);
        double start = now_us();
        struct arena *arena = arena_new(64 * MIB);
        fine = arena && spl_parse_with(text, arena, &options, &query, &err) == 0;
        arena_free(arena);
        double took = now_us() - start;
        out->us = i && out->us < took ? out->us : took;
    }
    return fine;
}

int main(int argc, char **argv)
{
    static struct timed timed[LINES_MAX];
    size_t count = 0, refused = 0, room = 0;
    char *line = NULL;
    ssize_t len;
    int runs = argc > 1 ? atoi(argv[1]) : 5;
    while (count < LINES_MAX && (len = getline(&line, &room, stdin)) > 0) {
        struct slice text = slice_trim(slice_of(line, (size_t)len));
        timed[count] = (struct timed){0, count + 1, text.len};
        refused += !measure(text, runs, &timed[count]);
        count++;
    }
    free(line);
    if (!count)
        return 1;
    qsort(timed, count, sizeof(*timed), by_time);
    const struct timed *worst = &timed[count - 1];
    printf("%zu searches, %zu refused: median %.1f us, 99%% %.1f us, worst %.1f us (%zu bytes, line %zu)\n",
           count, refused, timed[count / 2].us, timed[count * 99 / 100].us, worst->us, worst->bytes,
           worst->line);
    return 0;
}
