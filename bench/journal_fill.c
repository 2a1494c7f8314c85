/*
 * A journal full of events that are in no segment, as a crash leaves it behind a pipeline that has fallen back:
 *
 *   journal_fill DATA FILE MIB     events of FILE, again and again, until DATA/journal has so many MiB
 *
 * Prints how many events it holds.
 */
#include "base/limits.h"
#include "collect/files/file_reader.h"
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>

static int append(struct journal *journal, struct delivery *delivery, struct err *err)
{
    struct journal_ack ack;
    delivery->origin.source = SLICE("bench");
    delivery->origin.stream = SLICE("main");
    delivery->received_ns = clock_wall_ns(clock_real());
    return journal_append_wait(journal, delivery, &ack, err);
}

static int fill(struct journal *journal, const char *path, uint64_t bytes, struct err *err)
{
    struct journal_stats stats = {0};
    while (stats.position < bytes) {
        struct file_reader *reader;
        struct delivery delivery;
        int more = 0;
        if (file_reader_open(path, NULL, &reader, err) < 0)
            return -1;
        while (stats.position < bytes && (more = file_reader_next(reader, &delivery, err)) > 0) {
            if (append(journal, &delivery, err) < 0)
                more = -1;
            if (more < 0)
                break;
            journal_stats(journal, &stats);
        }
        file_reader_close(reader);
        if (more < 0 || stats.events == 0)
            return more < 0 ? -1 : err_set(err, ERR_INPUT, "%s has no events", path);
    }
    printf("%llu events, %llu bytes\n", (unsigned long long)stats.events,
           (unsigned long long)stats.position);
    return 0;
}

int main(int argc, char **argv)
{
    struct journal *journal = NULL;
    struct err err;
    char dir[4096];
    if (argc != 4) {
        fprintf(stderr, "usage: journal_fill DATA FILE MIB\n");
        return 2;
    }
    snprintf(dir, sizeof(dir), "%.4000s/journal", argv[1]);
    struct journal_config config = {.dir = dir};
    int result = io_make_dirs(io_real(), argv[1], &err);
    if (result == 0)
        result = journal_open(&config, &journal, &err);
    if (result == 0)
        result = fill(journal, argv[2], strtoull(argv[3], NULL, 10) * MIB, &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    journal_close(journal);
    return result < 0;
}
