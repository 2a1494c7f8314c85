/*
 * Lines per CPU-second of one compiled regular expression alone, the measure beside lines that a decoder cuts with one:
 * PCRE2 with JIT, an access line to its nine groups, nothing kept.
 *
 *   regex_bench FILE [ROUNDS]
 */
#include "bench_usage.h"
#include "base/file.h"
#include "base/limits.h"
#include "pattern/regex.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct slice pattern = SLICE("^(\\S+) \\S+ (\\S+) \\[([^\\]]+)\\] \"(\\S+) (\\S+)[^\"]*\" (\\d+) (\\d+|-)"
                                 "(?: \"([^\"]*)\" \"([^\"]*)\")?");
    struct err err;
    struct regex *regex;
    struct slice text;
    struct arena *arena = arena_new(4 * GIB);
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 3;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [ROUNDS]\n", argv[0]);
        return 2;
    }
    if (!arena || regex_new(pattern, 0, &regex, &err) < 0 ||
        file_read(argv[1], 4 * GIB - MIB, arena, &text, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    double lines = 0, cut = 0, start = cpu_seconds();
    for (long i = 0; i < rounds; i++) {
        struct slice rest = text, line;
        struct regex_groups groups;
        while (slice_next_line(&rest, &line)) {
            lines++;
            cut += regex_capture(regex, line, 0, &groups) == REGEX_YES;
        }
    }
    double seconds = cpu_seconds() - start;
    printf("%.0f lines, %.0f cut, %.3f CPU-s, %.0f lines/CPU-s\n", lines, cut, seconds, lines / seconds);
    regex_free(regex);
    arena_free(arena);
    return 0;
}
